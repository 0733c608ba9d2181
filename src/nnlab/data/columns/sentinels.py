"""Numbers such as -999 that stand for a missing value where a file knows no empty cell."""

from dataclasses import dataclass
from typing import cast

import polars as pl

# 99, 999 ... and, of surveys that tell refused from unknown, 77, 88, 97, 98 ...; of one digit only
# negative ones, because 7, 8 and 9 are numbers of any scale.
_LENGTHS = range(2, 11)
_REPEATED = [int(str(digit) * length) for digit in (7, 8, 9) for length in _LENGTHS]
_SURVEYS = [10**length - below for length in _LENGTHS for below in (2, 3)]
# The least and the largest of short and long whole numbers, and those of well logs and grids.
_OTHERS = [2.0**15 - 1, -(2.0**15), 2.0**31 - 1, -(2.0**31), -999.25, 1e20, 1e30, -1e30]
_USUAL = {*(sign * n for n in _REPEATED + _SURVEYS for sign in (1.0, -1.0)), -9.0, -8.0, *_OTHERS}
# Times the span of the others; of a negative number among others that are none, once will do.
_FAR = 2


@dataclass(frozen=True, kw_only=True)
class Sentinels:
    """Numbers of a column that may stand for a missing value.

    Attributes:
        numbers: They, ascending.
        rows: How many rows have one.
        low: The least of all other numbers.
        high: The largest of them.
    """

    numbers: list[float]
    rows: int
    low: float
    high: float


def find_sentinels(values: pl.Series) -> Sentinels | None:
    """Numbers that people take for a missing value, far from all others, and in several rows.

    Args:
        values: Numbers, null where missing.
    """
    ends = {values.min(), values.max()} - {None}
    if not ends.intersection(_USUAL):
        return None
    counted = values.cast(pl.Float64).drop_nulls().drop_nans().alias("number").value_counts()
    is_usual = counted["number"].is_in(sorted(_USUAL))
    others = counted.filter(~is_usual)["number"]
    if len(others) < 2:
        return None
    low, high = cast(float, others.min()), cast(float, others.max())
    far = {number: rows for number, rows in counted.filter(is_usual).iter_rows() if rows > 1}
    # From the nearest on: one that is near is a number like the others, and so the next may be.
    for number in sorted(counted.filter(is_usual)["number"], key=lambda n: max(n - high, low - n)):
        least = (1 if number < 0 <= low else _FAR) * (high - low)
        if number not in far or max(number - high, low - number) < least:
            low, high = min(low, number), max(high, number)
            far.pop(number, None)
    rows = sum(far.values())
    if not far or rows * 2 > len(values):
        return None
    return Sentinels(numbers=sorted(far), rows=rows, low=low, high=high)
