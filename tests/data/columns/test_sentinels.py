"""Numbers such as -999 in place of missing ones."""

import math
from datetime import date, timedelta

import polars as pl
import pytest

from nnlab.data.columns.sentinels import Sentinels, find_odd_days, find_sentinels

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
        spelled=[f"{sentinel:.15g}"], rows=2, others="18 to 94", numbers=[sentinel]
    )


def test_several_are_found_on_both_sides() -> None:
    answers = [1, 2, 3, 4, 5] * 20
    found = find_sentinels(pl.Series("answer", [*answers, 99, 98, 98, 99, -9, -9, -9]))
    assert found == Sentinels(
        spelled=["-9", "98", "99"], rows=7, others="1 to 5", numbers=[-9.0, 98.0, 99.0]
    )


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


DAYS = [f"{date(2023, 1, 1) + timedelta(i):%d.%m.%Y}" for i in range(300)]


def odd_days(cells: list[str | None]) -> Sentinels | None:
    values = pl.Series("day", cells)
    return find_odd_days(values, values.str.to_datetime("%d.%m.%Y"), "%d.%m.%Y")


@pytest.mark.parametrize("odd", ["31.12.9999", "01.01.1900", "01.01.1970", "31.12.2999"])
def test_a_day_that_databases_have_for_none_is_found(odd: str) -> None:
    others = "2023-01-01 to 2023-10-27"
    expected = Sentinels(spelled=[odd], rows=3, others=others, numbers=[])
    assert odd_days([*DAYS, odd, None, odd, odd]) == expected


def test_other_days_are_days() -> None:
    assert odd_days(DAYS) is None
    assert odd_days([*DAYS, "31.12.9999"]) is None  # once
    assert odd_days([*DAYS[:2], *["31.12.9999"] * 9]) is None  # of most rows
    births = [f"{1 + i % 28:02}.{1 + i % 12:02}.{1901 + i % 100}" for i in range(300)]
    assert odd_days([*births, "01.01.1900", "01.01.1900"]) is None  # near the others
