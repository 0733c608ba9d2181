"""The rows of a large table as inputs, a block at a time."""

from collections.abc import Sequence

import numpy as np
import polars as pl
import torch
from torch import Tensor

from nnlab.data.columns.cell_error import CellError
from nnlab.data.columns.encoder import RowEncoder
from nnlab.data.columns.learned import Column, read_rows
from nnlab.data.storage import Storage
from nnlab.data.threads import count_threads, map_in_threads

# Rows that a thread encodes at a time, and inputs of all threads: few enough to spare memory, and
# so many that threads seldom wait for Python's lock. No powers of two, which would put all cells of
# a row in the same few places of the processor's cache.
_ROWS, _INPUTS = 50_000, 6_000_000


def encode_table(
    frame: pl.DataFrame,
    columns: Sequence[Column],
    encoder: RowEncoder,
    parts: Sequence[Tensor],
    storage: Storage,
) -> list[Tensor]:
    """Parts of a table as inputs.

    Args:
        frame: The table.
        columns: What was learned of its columns.
        encoder: Made for these columns.
        parts: The rows of each part, `(rows,)`, sorted.
        storage: Where the inputs are kept.

    Returns:
        The inputs of each part, `(rows, inputs)`, float32.

    Raises:
        ValueError: A column is not there.
        CellError: A cell is not what it was in training.
    """
    width = encoder.out_features
    inputs = storage.inputs([len(rows) for rows in parts], width)
    at_a_time = max(1, min(_ROWS, _INPUTS // count_threads() // max(width, len(columns))))

    def encode(start: int) -> None:
        block = frame[start : start + at_a_time]
        try:
            raw = map(torch.from_numpy, read_rows(block, columns))
        except CellError as error:
            error.row += start
            raise
        encoded = encoder(*raw)
        # At once to where they belong: a copy of the whole table would cost time and memory.
        for rows, x in zip(parts, inputs, strict=True):
            first, last = np.searchsorted(rows.numpy(), (start, start + len(block))).tolist()
            torch.index_select(encoded, 0, rows[first:last] - start, out=x[first:last])

    for _ in map_in_threads(encode, range(0, len(frame), at_a_time)):
        pass  # raises what went wrong, the first block first
    return inputs
