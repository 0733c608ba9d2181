"""Dates and times, and the seconds they stand for."""

from datetime import datetime

import numpy as np
import polars as pl
from numpy.typing import NDArray

from nnlab.data.columns.date_formats import (
    COMPACT,
    EPOCHS,
    FIRST_EPOCH,
    FORMATS,
    LAST_EPOCH,
    has_day,
    has_hour,
    iso_formats,
    shape_of,
)
from nnlab.data.columns.fixed_width_dates import parse_fixed_width
from nnlab.errors import first_line

_FIRST_YEAR = datetime(1000, 1, 1)

DAY, WEEK, YEAR = 86_400.0, 604_800.0, 31_556_952.0
"""Periods in seconds; a year is the Gregorian mean of 365.2425 days."""


def to_seconds(values: pl.Series, pattern: str | None) -> pl.Series:
    """Seconds since 1970-01-01 00:00 UTC, or since midnight for a time alone.

    Args:
        values: Strings, or dates, times or durations as polars has them; with a pattern whole
            numbers such as 20240131, too.
        pattern: How they are written (a format of strftime's); None where polars knows.

    Returns:
        Float64, null where missing or not of the pattern.

    Raises:
        ValueError: The values are neither dates nor written by a pattern, or it is none.
    """
    if not values.dtype.is_temporal():
        if pattern is None:
            raise ValueError(f"column '{values.name}' must hold dates, got {values.dtype}")
        if pattern in EPOCHS:
            # Pandas writes all of them with a fraction once one is missing.
            if values.dtype == pl.String:
                values = values.str.strip_chars().str.replace(",", ".", literal=True)
            seconds = values.cast(pl.Float64, strict=False) / EPOCHS[pattern]
            return seconds.set(~seconds.is_between(FIRST_EPOCH, LAST_EPOCH), None)
        if values.dtype.is_float():  # as pandas has whole numbers once one is missing
            whole = values.cast(pl.Int64, strict=False)
            values = whole.set(whole.cast(pl.Float64) != values, None)
        values = parse(values.cast(pl.String), pattern)
    if values.dtype == pl.Time:
        return values.cast(pl.Int64).cast(pl.Float64) / 1e9
    if values.dtype == pl.Duration:
        return values.dt.total_microseconds().cast(pl.Float64) / 1e6
    return values.cast(pl.Datetime("us")).dt.epoch("us").cast(pl.Float64) / 1e6


def to_seconds_or_iso(values: pl.Series, pattern: str | None) -> pl.Series:
    """What `to_seconds` gives, also of texts that are not of the pattern, but of ISO 8601.

    The same dates may be text in one file and typed in another, and pandas writes times as dates
    where all are at midnight. A zone is needed where the pattern has one, and refused elsewhere.

    Raises:
        ValueError: They are typed, but of another kind than the pattern: times of a day for days.
    """
    if pattern and values.dtype.is_temporal():
        values = _of_kind(values, pattern)
    seconds = to_seconds(values, pattern)
    for iso in iso_formats(pattern) if pattern and values.dtype == pl.String else ():
        if seconds.null_count() == values.null_count():
            break
        seconds = seconds.zip_with(seconds.is_not_null(), to_seconds(values, iso))
    return seconds


def _of_kind(values: pl.Series, pattern: str) -> pl.Series:
    """Typed dates or times, if they are what a pattern stands for; of a moment its time of day."""
    is_dated = values.dtype == pl.Date or isinstance(values.dtype, pl.Datetime)
    if has_day(pattern) == is_dated:
        return values
    if isinstance(values.dtype, pl.Datetime):
        return values.dt.time()  # pandas has no other type for it
    raise ValueError(
        f"column '{values.name}' must hold dates such as {pattern}, got cells of {values.dtype}"
    )


def parse(values: pl.Series, pattern: str) -> pl.Series:
    """Text as times of polars', null where it is not of the pattern."""
    if pattern.startswith(COMPACT):
        # Without a mark between them, a month and a day of one digit could be told by nobody.
        values = values.set(~values.str.contains(r"^\s*\d{8}").fill_null(True), None)
        # Pandas writes whole numbers so once one of them is missing.
        values = values.str.replace(r"^(\s*\d{8})\.0\s*$", "$1")
    if pattern.startswith("%Y.%m.%d"):
        # Versions such as 2024.1.2 are no dates; months and days have two digits.
        is_shaped = values.str.contains(r"^\s*\d{4}\.\d\d\.\d\d")
        values = values.set(~is_shaped.fill_null(True), None)
    if not has_day(pattern):
        if not has_hour(pattern):
            way_out = "take it for categorical"
            if "%M" in pattern or "%S" in pattern:
                way_out = "put 00: before cells of minutes and seconds, for %H:%M:%S"
            raise ValueError(
                f"data.columns.{values.name} must be a date's format with a day or an hour in it, "
                f"got {pattern}; {way_out}"
            )
        # Scores and ratios such as 3:1 are no times; minutes have two digits.
        values = values.set(~values.str.contains(r":\d\d").fill_null(True), None)
    if "%y" in pattern and pattern in FORMATS:
        # Versions such as 1.2.3 are no dates; years have two digits.
        is_shaped = values.str.contains(rf"^\s*{shape_of(pattern).pattern}\s*$")
        values = values.set(~is_shaped.fill_null(True), None)
    try:
        times = _parse_exactly(values, pattern)
        if times.null_count() > values.null_count():
            # Blanks around them do not count, but to look for some takes half the time.
            times = _parse_exactly(values.str.strip_chars(), pattern)
    except pl.exceptions.PolarsError as error:
        raise ValueError(
            f"data.columns.{values.name} must be a date's format such as %d/%m/%Y %H:%M, got "
            f"{pattern} ({first_line(error)})"
        ) from error
    if times.dtype == pl.Time:
        return times
    times = times.dt.replace_time_zone(None)
    # "%Y" reads 99 as the year 99, which is not what a person means.
    is_early = times < _FIRST_YEAR
    return times.set(is_early, None) if is_early.any() else times


def _parse_exactly(values: pl.Series, pattern: str) -> pl.Series:
    # Polars' cache of dates pays only for few different ones, and these are enumerations.
    if not has_day(pattern):
        return values.str.to_time(pattern, strict=False, cache=False)
    times = parse_fixed_width(values, pattern)
    if times is not None:
        return times
    return values.str.to_datetime(pattern, time_unit="us", strict=False, cache=False)


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
