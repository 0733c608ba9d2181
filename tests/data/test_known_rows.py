"""Rows of training in a file that is evaluated."""

import numpy as np
import polars as pl
import pytest
import torch

from nnlab.data import known_rows
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
    remembered = remember_rows(FRAME, TRAIN[:1], FRAME.columns)
    (sentence,) = warn_of_known_rows(half, {"known_rows": remembered})
    assert sentence.startswith("1 of 1 training rows that the checkpoint remembers is among")


def test_other_rows_are_not_known() -> None:
    assert warn_of_known_rows(FRAME[TRAIN.numpy() + 1], KNOWN) == []
    assert warn_of_known_rows(FRAME.with_columns(pl.col("x") + 1), KNOWN) == []
    assert warn_of_known_rows(FRAME.drop("n"), KNOWN) == []
    assert warn_of_known_rows(FRAME.with_columns(pl.concat_list("n").alias("n")), KNOWN) == []


def test_rows_that_are_often_the_same_are_not_remembered() -> None:
    frame = FRAME.select("kind", "y")
    remembered = remember_rows(frame, TRAIN, frame.columns)
    assert remembered == {"columns": ["kind", "y"], "digests": []}
    assert warn_of_known_rows(frame, {"known_rows": remembered}) == []


@pytest.mark.parametrize("known", [{}, {"columns": ["x"]}, {"columns": 1, "digests": ["a"]}])
def test_a_checkpoint_that_remembers_nothing_tells_nothing(known) -> None:
    assert warn_of_known_rows(FRAME, {"known_rows": known}) == []
    assert warn_of_known_rows(FRAME, {}) == []


def test_of_a_large_file_some_rows_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_rows, "_LOOKED_AT", 1000)
    (sentence,) = warn_of_known_rows(FRAME, KNOWN)
    assert sentence.startswith("at least ")
    assert 150 < int(sentence.split()[2]) < 350  # a third of 750
