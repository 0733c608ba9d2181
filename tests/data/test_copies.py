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
    frame = pl.DataFrame(
        {
            "id": range(100),
            "size": [i * 0.37 for i in range(50)] * 2,
            "kind": ["a", "b"] * 50,
            "y": [i % 7 for i in range(50)] * 2,
        }
    )
    kinds = infer_kinds(frame.drop("y"), said={}, drop=[])
    names = compared_columns(frame, kinds, "y", len(frame))
    assert names == ["size", "kind", "y"]
    (warning,) = warn_of_copies(frame, {"train": torch.arange(100)}, names)
    assert warning.startswith("50 of 100 rows repeat another one in all columns that are used;")
    # Rows of few kinds are alike by chance.
    names = compared_columns(frame.drop("size"), [kinds[0], kinds[2]], "y", len(frame))
    assert names == ["id", "kind", "y"]
    assert warn_of_copies(frame, {"train": torch.arange(100)}, names) == []


def test_rows_that_two_tables_share_are_counted() -> None:
    frame = pl.DataFrame(
        {"x": [1, 2, 3], "kind": pl.Series(["a", "b", "a"], dtype=pl.Enum(["a", "b"]))}
    )
    other = pl.DataFrame({"kind": ["b", "b", "c"], "x": [2.0, 2.0, 3.0], "more": [1, 2, 3]})
    assert count_shared(frame, other, ["x", "kind"]) == 2
    assert count_shared(frame, other.drop("x"), ["x", "kind"]) == 0
