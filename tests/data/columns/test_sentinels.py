"""Numbers such as -999 in place of missing ones."""

import math

import polars as pl
import pytest

from nnlab.data.columns.sentinels import Sentinels, find_sentinels

AGES = [float(18 + i % 77) for i in range(100)]


@pytest.mark.parametrize(
    ("sentinel", "dtype"),
    [
        *((number, pl.Int64) for number in (999, -999, -99, 9999, -32768, 2147483647)),
        *((number, pl.Float64) for number in (999.0, -999.0, -999.25, 1e20)),
    ],
)
def test_a_usual_number_far_from_all_others_is_found(sentinel: float, dtype) -> None:
    values = pl.Series("age", [*AGES, sentinel, None, sentinel], strict=False)
    assert find_sentinels(values.cast(dtype)) == Sentinels(
        numbers=[sentinel], rows=2, low=18.0, high=94.0
    )


def test_several_are_found_on_both_sides() -> None:
    answers = [1, 2, 3, 4, 5] * 20
    found = find_sentinels(pl.Series("answer", [*answers, 99, 98, 98, 99, -9, -9, -9]))
    assert found == Sentinels(numbers=[-9.0, 98.0, 99.0], rows=7, low=1.0, high=5.0)


@pytest.mark.parametrize(
    "cells",
    [
        [4.0, 6.0, 8.0] * 20,  # cylinders
        [5.0, 6.0, 7.0, 8.0, 9.0] * 20,  # months
        [float(year) for year in range(70, 100)] * 2,
        [899.0, 929.0, 949.0, 999.0] * 9,  # prices
        [*range(97), 97.0, 98.0, 99.0, 99.0],  # percentages
        [3.0, 4.0, *[99.0] * 9],  # of most rows
        [*AGES, 999.0],  # once, as any number may be far out
        [*AGES, 99.0, 99.0],  # a person may be as old
        [*AGES, 1000.0, 1000.0],  # round, but nobody's sign
        [0.0, 1.0, 5.0, 300.0, 4000.0, 6000.0, 9999.0, 9999.0],  # as far as others are
        [5.0, 5.0, 5.0, 999.0, 999.0],  # two values
        [999.0, 999.0, -999.0, -999.0],
        [math.nan, 1.0, 2.0],
        [None, None],
        [],
    ],
)
def test_other_numbers_are_numbers(cells: list[float | None]) -> None:
    assert find_sentinels(pl.Series("x", cells, dtype=pl.Float64)) is None
