"""The rows of a table's splits."""

from pathlib import Path

import polars as pl
import pytest
import torch

from nnlab.data.split import hold_out, places
from nnlab.data.table_split import TableSplit


def make_split(**changed) -> TableSplit:
    arguments = {"val_fraction": 0.25, "test_fraction": 0.2, "group": None, "time": None}
    arguments |= {"time_format": None, "fold": 0, "folds": None, "seed": 3}
    return TableSplit(**(arguments | changed))


@pytest.mark.parametrize("with_classes", [False, True])
def test_validation_rows_are_held_out_of_what_test_rows_leave(with_classes: bool) -> None:
    classes = torch.randint(3, (1000,), generator=torch.Generator().manual_seed(0))
    frame = pl.DataFrame({"x": range(1000)})
    rows = make_split().choose(frame, Path("table.csv"), classes if with_classes else None)

    is_test = hold_out(1000, fraction=0.2, seed=3, classes=classes if with_classes else None)
    rest = places(~is_test)
    is_val = hold_out(800, fraction=0.25, seed=3, classes=classes[rest] if with_classes else None)
    assert torch.equal(rows["test"], places(is_test))
    assert torch.equal(rows["val"], rest[is_val])
    assert torch.equal(rows["train"], rest[~is_val])


def test_a_person_is_told_how_rows_are_split() -> None:
    frame = pl.DataFrame({"id": range(6), "house": [1, 1, 2, 2, None, None]})
    assert make_split().notices(frame) == []
    assert make_split(folds=3, fold=1).notices(frame) == [
        "fold 1 is tested on; for each in turn: -m data.fold=0,1,2"
    ]
    assert make_split(group="house").notices(frame) == [
        "rows with the same house stay together; it is no input",
        "2 rows without a house form one group",
    ]
    assert make_split(group="id").notices(frame) == [
        "id is another in each row, so it keeps none together; it is no input"
    ]
    assert make_split(group="id", val_fraction=None, test_fraction=None).notices(frame) == [
        "id is no input"
    ]
    assert make_split(time="id").notices(frame) == ["the latest rows by id are held out"]
