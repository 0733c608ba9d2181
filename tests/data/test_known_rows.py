"""Rows of training in a file that is evaluated."""

import numpy as np
import polars as pl
import pytest
import torch

from nnlab.data import known_rows
from nnlab.data.copies import count_shared
from nnlab.data.known_rows import remember_rows, warn_of_known_rows

RANDOM = np.random.default_rng(0)
FRAME = pl.DataFrame(
    {
        "x": RANDOM.normal(size=3000),
        "n": RANDOM.integers(0, 9, 3000),
        "kind": pl.Series(RANDOM.choice(["a", "b", "c"], 3000)).cast(pl.Enum(["a", "b", "c"])),
        "y": RANDOM.integers(0, 2, 3000),
    }
).with_columns(pl.when(pl.col("n") > 7).then(None).otherwise(pl.col("n")).name.keep())
TRAIN = torch.arange(0, 3000, 2)
KNOWN = {"known_rows": remember_rows(FRAME, TRAIN, FRAME.columns)}


def test_rows_are_known_again_however_they_are_ordered_and_typed() -> None:
    other = FRAME.sample(fraction=1.0, shuffle=True, seed=0).select(
        pl.col("y").cast(pl.Float64),
        "kind",
        pl.lit(1).alias("more"),
        "x",
        pl.col("n").cast(pl.Int8),
    )
    (sentence,) = warn_of_known_rows(other.with_columns(pl.col("kind").cast(pl.String)), KNOWN)
    assert sentence.startswith("750 of 750 training rows that the checkpoint remembers are among")


def test_of_part_of_the_rows_as_many_are_known_again() -> None:
    half = FRAME[TRAIN[:750].numpy()]
    (sentence,) = warn_of_known_rows(half, KNOWN)
    assert sentence.startswith("375 of 750 training rows")
    few = {"known_rows": remember_rows(FRAME, TRAIN[:3], FRAME.columns)}
    assert len(warn_of_known_rows(half, few)) == 1
    assert warn_of_known_rows(half[1:], few) == []  # two may be the same by chance


def test_other_rows_are_not_known() -> None:
    assert warn_of_known_rows(FRAME[TRAIN.numpy() + 1], KNOWN) == []
    assert warn_of_known_rows(FRAME.with_columns(pl.col("x") + 1), KNOWN) == []
    assert warn_of_known_rows(FRAME.drop("n"), KNOWN) == []
    assert warn_of_known_rows(FRAME.with_columns(pl.concat_list("n").alias("n")), KNOWN) == []


@pytest.mark.parametrize("answers", [2, 5])
def test_rows_that_are_alike_by_chance_are_no_reason_to_warn(answers: int) -> None:
    generator = np.random.default_rng(1)

    def survey(rows: int) -> pl.DataFrame:
        items = {f"q{i}": generator.integers(0, answers, rows) for i in range(6)}
        return pl.DataFrame(items | {"y": generator.integers(0, 2, rows)})

    frame = survey(4000)
    remembered = {"known_rows": remember_rows(frame, torch.arange(4000), frame.columns)}
    for rows in (50, 1000, 20_000):
        assert warn_of_known_rows(survey(rows), remembered) == []
    # Of five answers each, most rows are still somebody's own.
    assert bool(warn_of_known_rows(frame, remembered)) == (answers == 5)


@pytest.mark.parametrize(
    "known", [{}, {"columns": ["x"]}, {"columns": [], "digests": ["a"], "alike": 0.0}]
)
def test_a_checkpoint_that_remembers_nothing_tells_nothing(known) -> None:
    assert warn_of_known_rows(FRAME, {"known_rows": known}) == []
    assert warn_of_known_rows(FRAME, {}) == []


def test_of_a_large_file_some_rows_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_rows, "_LOOKED_AT", 1000)
    (sentence,) = warn_of_known_rows(FRAME, KNOWN)
    assert sentence.startswith("at least ")
    assert 150 < int(sentence.split()[2]) < 350  # a third of 750


def test_tables_of_very_many_columns_are_compared_too() -> None:
    wide = pl.DataFrame({f"x{i}": RANDOM.normal(size=20) for i in range(1001)})
    known = {"known_rows": remember_rows(wide, torch.arange(10), wide.columns)}
    (sentence,) = warn_of_known_rows(wide, known)
    assert sentence.startswith("10 of 10 training rows")
    assert count_shared(wide, wide[5:], wide.columns) == 15
