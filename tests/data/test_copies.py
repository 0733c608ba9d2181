from datetime import date, time, timedelta
from decimal import Decimal

import numpy as np
import polars as pl
import torch

from nnlab.data.columns.inferred_kinds import infer_kinds
from nnlab.data.copies import compared_columns, count_shared, warn_of_copies


def test_rows_that_are_there_more_than_once_are_counted() -> None:
    frame = pl.DataFrame({"x": [1, 2, 3, 2, 1, 1], "y": ["a", "b", "a", "b", "c", "c"]})
    rows = {"train": torch.tensor([0, 1, 2]), "test": torch.tensor([3, 4, 5])}
    (warning,) = warn_of_copies(frame, rows, frame.columns)
    assert warning.startswith(
        "2 of 6 rows repeat another one cell by cell; 1 held out are training rows, too, which"
    )
    rows = {"train": torch.tensor([1, 3]), "test": torch.tensor([0, 2, 4, 5])}
    assert "training" not in warn_of_copies(frame, rows, frame.columns)[0]
    (warning,) = warn_of_copies(frame[:5], {"train": torch.arange(5)}, frame.columns)
    assert warning == (
        "1 of 5 rows repeats another one cell by cell; unless they are cases of their own, take "
        "them out of the file"
    )
    assert warn_of_copies(frame[:3], {"train": torch.arange(3)}, frame.columns) == []


def test_rows_of_a_huge_table_are_not_compared(monkeypatch) -> None:
    frame = pl.DataFrame({"x": [1, 1, 1]})
    assert warn_of_copies(frame, {"train": torch.arange(3)}, frame.columns)
    monkeypatch.setattr("nnlab.data.copies.MOST_ROWS", 2)
    assert warn_of_copies(frame, {"train": torch.arange(3)}, frame.columns) == []


def test_rows_are_compared_by_used_columns_where_these_tell_them_apart() -> None:
    chance = np.random.default_rng(0)
    once = pl.DataFrame(
        {
            **{name: chance.normal(size=200).round(3) for name in ("size", "width", "height")},
            "age": chance.integers(18, 80, 200),
            "kind": chance.choice(["a", "b"], 200),
            "y": chance.choice(["no", "yes"], 200),
        }
    )
    frame = pl.concat([once, once]).with_row_index("id")
    kinds = infer_kinds(frame.drop("y"), said={}, drop=[])
    names = compared_columns(frame, kinds, "y")
    assert names == once.columns
    rows = {"train": torch.arange(400)}
    (warning,) = warn_of_copies(frame, rows, names)
    assert warning.startswith("200 of 400 rows repeat another one in all columns that are used;")
    # By age, kind and target alone, rows are alike by chance.
    few = frame.select("id", "age", "kind", "y")
    names = compared_columns(few, [kind for kind in kinds if kind.name in few.columns], "y")
    assert names == few.columns
    assert warn_of_copies(few, rows, names) == []


def test_identifiers_that_a_float_cannot_hold_tell_rows_apart() -> None:
    frame = pl.DataFrame({"id": [2**60 + i for i in range(50)], "y": ["a", "b"] * 25})
    assert warn_of_copies(frame, {"train": torch.arange(50)}, frame.columns) == []
    assert count_shared(frame[:25], frame[25:], frame.columns) == 0
    assert count_shared(frame, frame[25:], frame.columns) == 25


def test_rows_that_two_tables_share_are_counted() -> None:
    frame = pl.DataFrame(
        {"x": [1, 2, 3], "kind": pl.Series(["a", "b", "a"], dtype=pl.Enum(["a", "b"]))}
    )
    other = pl.DataFrame({"kind": ["b", "b", "c"], "x": [2.0, 2.0, 3.0], "more": [1, 2, 3]})
    assert count_shared(frame, other, ["x", "kind"]) == 2
    assert count_shared(frame, other.drop("x"), ["x", "kind"]) == 0
    nested = other.with_columns(kind=pl.concat_list("kind"))
    assert count_shared(frame, nested, ["x", "kind"]) == 3


def test_cells_of_any_type_can_be_compared() -> None:
    frame = pl.DataFrame(
        {
            "duration": [timedelta(1), timedelta(2), None],
            "time": [time(1), time(2), None],
            "day": [date(2024, 1, 1), date(2024, 1, 2), None],
            "is": [True, False, None],
            "category": pl.Series(["a", "b", None], dtype=pl.Categorical),
            "amount": [Decimal("1.50"), Decimal("2.50"), None],
            "none": [None, None, None],
        }
    )
    assert count_shared(frame, frame[1:], frame.columns) == 2
    assert count_shared(frame[:1], frame[1:], frame.columns) == 0
