"""What is learned of a table's columns: that times which are kept are those of the texts."""

import random

import numpy as np
import polars as pl
import pytest

from nnlab.data.columns.learned import read_rows
from nnlab.data.table_learning import TableLearning

DATES = {
    "iso": ["2024-01-31", "2023-12-24", None, "2020-02-29", "1999-05-05"],
    "blanks": [" 2024-01-31", "2023-12-24 ", None, "2020-02-29"],
    "open": ["03/04/2024", "05/06/2023", None, "07/08/2022", "01/02/2021"],
    "moments": ["2024-01-31 10:00:00", "2023-12-24 23:59:59", None, "2020-02-29 00:00:00"],
    "times": ["10:00", "23:59", None, "00:00", "07:30"],
}


def learn(frame: pl.DataFrame, is_train: np.ndarray, *, keeps_times: bool):
    learning = TableLearning(
        target="y",
        group=None,
        said={},
        drop=[],
        scaling="robust",
        max_one_hot=4,
        decimal=".",
    )
    return learning.learn_columns(frame, is_train, keeps_times=keeps_times)


@pytest.mark.parametrize("name", DATES)
def test_times_that_are_kept_stand_for_their_texts(name: str) -> None:
    cells = random.Random(0).choices(DATES[name], k=200)  # noqa: S311
    frame = pl.DataFrame({"when": cells})
    is_train = np.arange(200) % 3 > 0
    (dropped,), columns = learn(frame, is_train, keeps_times=False)
    (kept,), same_columns = learn(frame, is_train, keeps_times=True)
    assert dropped.times is None
    assert kept.times is not None
    assert kept == dropped
    assert columns == same_columns
    numbers, _ = read_rows(frame, columns)
    assert np.isnan(numbers[:, 0]).tolist() == [cell is None for cell in cells]
    np.testing.assert_array_equal(read_rows(frame.with_columns(kept.times), columns)[0], numbers)


def test_a_few_different_dates_are_not_kept() -> None:
    cells = pl.Series("when", DATES["iso"] * 20)
    words = pl.Enum(sorted(cells.drop_nulls().unique()))
    frame = cells.cast(words).to_frame()
    (kind,), _ = learn(frame, np.ones(100, dtype=np.bool_), keeps_times=True)
    assert (kind.kind, kind.times) == ("date", None)
