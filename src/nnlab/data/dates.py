"""Dates and times: which way they are written, and the seconds they stand for."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

_DATES = ("%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%d %b %Y")
_TIMES = ("%H:%M:%S%.f", "%H:%M:%S", "%H:%M")
_ZONES = ("", "Z", "%z")
FORMATS = (
    *_DATES,
    *(
        f"{date}{gap}{time}{zone}"
        for date in _DATES
        for gap in (" ", "T")
        for time in _TIMES
        for zone in _ZONES
    ),
    *_TIMES,
)
"""The ways of writing a date, a date with a time, or a time that are recognised."""

DAY, WEEK, YEAR = 86_400.0, 604_800.0, 31_556_952.0
"""Periods in seconds; a year is the Gregorian mean of 365.2425 days."""


def find_formats(values: pl.Series) -> list[str]:
    """The formats in which every text of a column can be read, the likeliest first.

    Args:
        values: Strings, null where missing.

    Returns:
        Entries of `FORMATS`; more than one where the texts leave it open, as `03/04/2024` does.
    """
    present = values.drop_nulls()
    # Most columns hold no dates, and a few values tell.
    few = present.head(20)
    if few.is_empty() or not few.str.contains(r"^\d{1,4}[-/. :]").all():
        return []
    likely = [pattern for pattern in FORMATS if to_seconds(few, pattern).null_count() == 0]
    return [pattern for pattern in likely if to_seconds(present, pattern).null_count() == 0]


def to_seconds(values: pl.Series, pattern: str | None) -> pl.Series:
    """Seconds since 1970-01-01 00:00 UTC, or since midnight for a time alone.

    Args:
        values: Strings, or dates, times or durations as polars has them.
        pattern: How the strings are written (a format of strftime's); None where they are none.

    Returns:
        Float64, null where missing or not of the pattern.
    """
    if values.dtype == pl.String:
        if pattern is None:
            raise ValueError(f"column '{values.name}' must hold dates, got text")
        values = _parse(values.str.strip_chars(), pattern)
    if values.dtype == pl.Time:
        return values.cast(pl.Int64).cast(pl.Float64) / 1e9
    if values.dtype == pl.Duration:
        return values.dt.total_microseconds().cast(pl.Float64) / 1e6
    return values.cast(pl.Datetime("us")).dt.epoch("us").cast(pl.Float64) / 1e6


def moments(values: pl.Series, pattern: str | None) -> pl.Series:
    """When each row was, as numbers: of dates the seconds, numbers as they are.

    Args:
        values: Numbers, dates, or strings, none of them missing.
        pattern: How strings are written; None to find out.

    Raises:
        ValueError: The values are neither numbers nor dates of one format.
    """
    if values.dtype.is_numeric():
        return values.cast(pl.Float64)
    if values.dtype == pl.String:
        pattern = pattern or next(iter(find_formats(values)), None)
    if values.dtype.is_temporal() or pattern is not None:
        seconds = to_seconds(values, pattern)
        if seconds.null_count() == 0:
            return seconds
    raise ValueError(
        f"'{values.name}' must hold numbers or dates in one format, none missing, got values such "
        f"as '{values[0]}' and {values.null_count()} missing"
    )


def _parse(values: pl.Series, pattern: str) -> pl.Series:
    if not any(part in pattern for part in ("%Y", "%y", "%F", "%D")):
        return values.str.to_time(pattern, strict=False)
    if not any(part in pattern for part in ("%H", "%I", "%T")):
        return values.str.to_date(pattern, strict=False)
    parsed = values.str.to_datetime(pattern, time_unit="us", strict=False)
    return parsed if parsed.dtype.time_zone is None else parsed.dt.replace_time_zone(None)  # type: ignore[attr-defined]


def periods_of(seconds: NDArray[np.float64]) -> list[float]:
    """The cycles that a column of dates may follow: the year, the week, the day.

    A cycle is there where the values cover it and do not all lie at one point of it: dates
    without times have no day, and dates within a month no year.

    Args:
        seconds: What `to_seconds` gave, without missing values.
    """
    span = float(np.ptp(seconds))
    return [
        period
        for period in (YEAR, WEEK, DAY)
        if span >= period * 0.75 and np.ptp(seconds % period) > 0
    ]
