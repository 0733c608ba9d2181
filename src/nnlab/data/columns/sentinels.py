"""Numbers such as -999 that stand for a missing value where a file knows no empty cell."""

from dataclasses import dataclass
from typing import cast

import polars as pl

_DIGITS = range(1, 11)
# 9, 99, 999 ... and, of surveys that tell refused from unknown, 7, 8, 97, 98, 77, 88 ...
_REPEATED = [int(str(digit) * count) for digit in (7, 8, 9) for count in _DIGITS]
_SURVEYS = [10**count - below for count in _DIGITS for below in (2, 3)]
# The least and the largest of short and long whole numbers, and those of well logs and grids.
_OTHERS = [2.0**15 - 1, -(2.0**15), 2.0**31 - 1, -(2.0**31), -999.25, 1e20, 1e30, -1e30]
_USUAL = sorted({*(sign * n for n in _REPEATED + _SURVEYS for sign in (1.0, -1.0)), *_OTHERS})


@dataclass(frozen=True, kw_only=True)
class Sentinels:
    """Numbers of a column that may stand for a missing value.

    Attributes:
        numbers: They, ascending.
        rows: How many rows have one.
        low: The least of the other numbers.
        high: The largest of them.
    """

    numbers: list[float]
    rows: int
    low: float
    high: float


def find_sentinels(values: pl.Series) -> Sentinels | None:
    """Numbers that people take for a missing value, far beyond all others and in several rows.

    Far is further from the next than that one is from the other end.

    Args:
        values: Numbers, null where missing.
    """
    ends = {values.min(), values.max()} - {None}
    if not ends.intersection(_USUAL):
        return None
    numbers = values.cast(pl.Float64)
    is_usual = numbers.is_in(_USUAL)
    others = numbers.filter(~is_usual).drop_nans()
    if others.is_empty():
        return None
    low, high = cast(float, others.min()), cast(float, others.max())
    far = numbers.filter(is_usual)
    far = far.filter((far - high >= high - low) | (low - far >= high - low))
    counts = far.value_counts(sort=True).filter(pl.col("count") > 1)
    if low == high or counts.is_empty():
        return None
    return Sentinels(
        numbers=counts[values.name].sort().to_list(),
        rows=int(counts["count"].sum()),
        low=low,
        high=high,
    )
