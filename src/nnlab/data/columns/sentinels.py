"""Numbers and days, such as -999 and 9999-12-31, that stand for a missing value.

So they do where a file knows no empty cell.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import cast

import polars as pl

from nnlab.data.columns.dates import to_seconds
from nnlab.data.columns.sampling import spread_sample

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
# So many times show of most columns that none is far.
_SAMPLE = 1000
# The first and last days of calendars, clocks and databases.
_DAYS = [
    datetime.fromisoformat(day)
    for day in (
        *("1753-01-01", "1800-01-01", "1899-12-30", "1899-12-31", "1900-01-01", "1970-01-01"),
        *("2099-12-31", "2999-12-31", "9999-01-01", "9999-12-31"),
    )
]


@dataclass(frozen=True, kw_only=True)
class Sentinels:
    """Numbers or days of a column that may stand for a missing value.

    Attributes:
        spelled: The values as the file writes them; numbers in ascending order.
        rows: How many rows have one.
        others: From where to where all others are, for a person.
        numbers: The numbers; none if they are days.
    """

    spelled: list[str]
    rows: int
    others: str
    numbers: list[float]


def find_sentinels(values: pl.Series, ends: Collection[float] | None = None) -> Sentinels | None:
    """Numbers that people take for a missing value, far from all others, and in several rows.

    Args:
        values: Numbers, null where missing.
        ends: The least and the largest of them, if they are known.
    """
    if not _USUAL.intersection(ends or (values.min(), values.max())):
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
    spelled = [f"{number:.15g}" for number in sorted(far)]
    return Sentinels(
        spelled=spelled, rows=rows, others=f"{low:,.6g} to {high:,.6g}", numbers=sorted(far)
    )


def find_odd_days(values: pl.Series, times: pl.Series, pattern: str) -> Sentinels | None:
    """Days that databases take for a missing one, far from all others, and in several rows.

    Args:
        values: Texts of dates, null where missing.
        times: What the different ones are as times.
        pattern: How they are written.
    """
    if not _has_far_day(times):  # to count the texts takes far longer
        return None
    counted = values.cast(pl.String).drop_nulls().alias("text").value_counts(name="rows")
    seconds = to_seconds(counted["text"], pattern)
    days = (seconds // 86_400 * 86_400).is_in([_seconds(day) for day in _DAYS])
    others = seconds.filter(~days)
    if len(others) < 2:
        return None
    low, high = cast(float, others.min()), cast(float, others.max())
    least = _FAR * (high - low)
    is_far = days & ((seconds - high >= least) | (low - seconds >= least)) & (counted["rows"] > 1)
    rows = int(counted["rows"].filter(is_far).sum())
    if not rows or rows * 2 > len(values):
        return None
    first, last = (datetime.fromtimestamp(end, UTC).date() for end in (low, high))
    spelled = sorted(counted["text"].filter(is_far))
    return Sentinels(spelled=spelled, rows=rows, others=f"{first} to {last}", numbers=[])


def _has_far_day(times: pl.Series) -> bool:
    """Whether the first or last time lies on such a day, far from all on others."""
    ends = [end for end in (times.min(), times.max()) if isinstance(end, datetime)]
    odd = [end for end in ends if _day(end) in _DAYS]
    if not odd:
        return False
    # What is not far from some of the others is not far from all; of a sample without others all
    # must be looked at.
    sample = times.gather(spread_sample(len(times), _SAMPLE))
    return _are_far(odd, sample) is not False and _are_far(odd, times) is True


def _are_far(odd: Sequence[datetime], times: pl.Series) -> bool | None:
    """Whether one of these times is far from all that lie on other days; None if there are none."""
    low, high = times.min(), times.max()
    # Day by day from both ends: to look each up among the days takes several times as long.
    while isinstance(low, datetime) and _day(low) in _DAYS:
        low = times.filter(times > datetime.combine(low, time.max)).min()
    while isinstance(high, datetime) and _day(high) in _DAYS:
        high = times.filter(times < _day(high)).max()
    if not isinstance(low, datetime) or not isinstance(high, datetime):
        return None
    least = _FAR * (high - low)
    return any(max(end - high, low - end) >= least for end in odd)


def _day(moment: datetime) -> datetime:
    return datetime(moment.year, moment.month, moment.day)


def _seconds(day: datetime) -> float:
    return day.replace(tzinfo=UTC).timestamp()
