"""The rows of a table's splits."""

from pathlib import Path

import polars as pl
import pytest
import torch

from nnlab.data.split import hold_out, places
from nnlab.data.table_split import TableSplit


@pytest.mark.parametrize("with_classes", [False, True])
def test_validation_rows_are_held_out_of_what_test_rows_leave(with_classes: bool) -> None:
    classes = torch.randint(3, (1000,), generator=torch.Generator().manual_seed(0))
    split = TableSplit(
        val_fraction=0.25,
        test_fraction=0.2,
        group=None,
        time=None,
        time_format=None,
        fold=0,
        folds=None,
        seed=3,
    )
    frame = pl.DataFrame({"x": range(1000)})
    rows = split.choose(frame, Path("table.csv"), classes if with_classes else None)

    is_test = hold_out(1000, fraction=0.2, seed=3, classes=classes if with_classes else None)
    rest = places(~is_test)
    is_val = hold_out(800, fraction=0.25, seed=3, classes=classes[rest] if with_classes else None)
    assert torch.equal(rows["test"], places(is_test))
    assert torch.equal(rows["val"], rest[is_val])
    assert torch.equal(rows["train"], rest[~is_val])
