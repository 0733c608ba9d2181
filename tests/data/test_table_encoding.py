"""Tables as inputs: blocks of rows make the whole."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from nnlab.data import table_encoding
from nnlab.data.columns.encoder import RowEncoder
from nnlab.data.columns.fitting import fit_columns
from nnlab.data.columns.inferred_kinds import infer_kinds
from nnlab.data.columns.learned import read_rows
from nnlab.data.storage import Storage
from nnlab.data.table_encoding import encode_table


def test_parts_are_encoded_as_their_rows_are(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"x": rng.normal(size=500), "c": rng.choice(["a", "b", "c"], 500)})
    columns = fit_columns(
        frame, infer_kinds(frame, said={}, drop=[]), scaling="robust", max_one_hot=4
    )
    encoder = RowEncoder(columns)
    whole = encoder(*map(torch.from_numpy, read_rows(frame, columns)))
    monkeypatch.setattr(table_encoding, "_ROWS", 37)
    storage = Storage(memory_map=False, scratch=Path())
    order = torch.randperm(500, generator=torch.Generator().manual_seed(0))
    parts = [order[:300].sort().values, order[300:350].sort().values, order[:0]]
    for rows, x in zip(parts, encode_table(frame, columns, encoder, parts, storage), strict=True):
        torch.testing.assert_close(x, whole[rows], rtol=0, atol=0)
