"""Dates and times: which way they are written, and the seconds they stand for."""

import functools
import re
from datetime import datetime

import numpy as np
import polars as pl
from numpy.typing import NDArray

from nnlab.data.columns.words import by_word, different_texts, is_text
from nnlab.suggestions import column_kind

_DATES = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%d-%b-%Y",
    "%d %b %Y",
    "%d.%m.%y",
    "%d/%m/%y",
    "%m/%d/%y",
)
# Without a time; months stand for their first day.
_DAYS = ("%d-%b-%y", "%d %B %Y", "%B %d, %Y", "%Y%m%d")
_MONTHS = ("%Y-%m", "%m/%Y", "%b-%y", "%b-%Y", "%B %Y")
_TIMES = ("%H:%M:%S", "%H:%M:%S%.f", "%H:%M")
_HALF_DAYS = ("%I:%M:%S %p", "%I:%M %p", "%I:%M:%S%p", "%I:%M%p")
_ZONES = ("", "Z", "%z", "%#z", " UTC")
FORMATS = (
    *_DATES,
    *(
        f"{date}{gap}{time}{zone}"
        for date in _DATES
        for gap in (" ", "T")
        for time in _TIMES
        for zone in _ZONES
    ),
    *(f"{date} {time}" for date in _DATES for time in _HALF_DAYS),
    *(f"{date}, {time}" for date in _DATES for time in (*_TIMES, *_HALF_DAYS)),
    *(f"%Y-%m-%d{gap}%H:%M:%S,%3f" for gap in (" ", "T")),  # of Python's logs
    "%Y%m%dT%H%M%S",
    "%Y%m%dT%H%M%SZ",
    *_DAYS,
    *_MONTHS,
    *_TIMES,
    *_HALF_DAYS,
)
"""The ways of writing a date, a date with a time, or a time that are recognised."""

EPOCHS = {"%s": 1, "%s%3f": 10**3, "%s%6f": 10**6, "%s%9f": 10**9}
"""Formats of whole numbers that count from 1970 on, and into how many each second goes."""
# Those of the years 1900 to 2200, within which such numbers are believed.
_FIRST_EPOCH, _LAST_EPOCH = -2_208_988_800, 7_258_118_400

# As Parquet files, data frames and pandas write them.
_ISO_TIME = "%H:%M:%S%.f"
_ISO = ("%Y-%m-%d", f"%Y-%m-%d {_ISO_TIME}", f"%Y-%m-%dT{_ISO_TIME}")

_PARTS = {
    "%Y": r"\d{4}",
    "%b": "[A-Za-z]{3}",
    "%B": "[A-Za-z]{3,9}",
    "%p": "[AaPp][Mm]",
    "%.f": r"(\.\d+)?",
    "%3f": r"\d{3}",
    "%z": r"[+-]\d\d:?\d\d",
    "%#z": r"(Z|[+-]\d\d(:?\d\d)?)",
    "%y": r"\d\d",
    **dict.fromkeys(("%m", "%d", "%H", "%I", "%M", "%S"), r"\d{1,2}"),
}
# What stands for a day in strftime's formats; without one, a format is of a time alone.
_DAY_PARTS = ("%Y", "%y", "%C", "%G", "%d", "%e", "%j", "%D", "%F", "%x", "%c", "%s", "%+", "%v")

_HOUR_PARTS = ("%H", "%I", "%k", "%l", "%T", "%R", "%r", "%X")

# What stands for a time zone, or for UTC: `%+` and `%s` have one in them.
_ZONE = re.compile(r"%:{0,3}#?z|%\+|%s|(Z|UTC)$")

_COMPACT = "%Y%m%d"

_FIRST_YEAR = datetime(1000, 1, 1)

DAY, WEEK, YEAR = 86_400.0, 604_800.0, 31_556_952.0
"""Periods in seconds; a year is the Gregorian mean of 365.2425 days."""


def find_formats(values: pl.Series) -> list[str]:
    """The formats in which every text of a column can be read, the likeliest first.

    Args:
        values: Texts, null where missing.

    Returns:
        Entries of `FORMATS`; more than one where the texts leave open what they mean, as
        `03/04/2024` does.
    """
    return list(read_dates(different_texts(values)))


def read_dates(values: pl.Series) -> dict[str, pl.Series]:
    """What the texts of a column are as times, by each format in which all can be read.

    Args:
        values: Strings, null where missing.

    Returns:
        The formats as of `find_formats`, each with its times as polars has them.
    """
    first = values.head(1000).drop_nulls().head(20)
    if len(first) < 20:
        first = values.drop_nulls().head(20)  # of a large column a copy that takes its time
    # Most columns hold no dates, and their first value tells.
    if first.is_empty() or not re.search(r"\d", first[0]):
        return {}
    formats = [pattern for pattern in FORMATS if _shape(pattern).fullmatch(first[0].strip())]
    found: dict[str, pl.Series] = {}
    for pattern in formats:
        if _parse(first, pattern).null_count() > 0:
            continue
        times = _parse(values, pattern)
        is_new = not any(times.equals(other) for other in found.values())
        if times.null_count() == values.null_count() and is_new:
            found[pattern] = times
    return found


def find_odd_dates(values: pl.Series) -> tuple[str, pl.Series] | None:
    """The format of most texts of a column, and those cells that keep it from being one of dates.

    Args:
        values: Texts, null where missing.
    """
    present = values.drop_nulls()
    texts = different_texts(present)
    # Most columns hold no dates, and a few of their values tell.
    tried = [text.strip() for text in texts.gather_every(max(1, len(texts) // 5)).head(5)]
    odd: dict[str, pl.Series] = {}
    for pattern in FORMATS:
        if sum(1 for text in tried if _shape(pattern).fullmatch(text)) * 2 > len(tried):
            seconds = by_word(present, functools.partial(to_seconds, pattern=pattern))
            odd[pattern] = present.filter(seconds.is_null())
    best = min(odd, key=lambda pattern: len(odd[pattern]), default=None)
    return (best, odd[best]) if best and len(odd[best]) * 2 < len(present) else None


@functools.cache
def _shape(pattern: str) -> re.Pattern[str]:
    """A regular expression for texts that may be of a format."""
    parts = re.findall(r"%\.f|%3f|%#?[A-Za-z]|.", pattern)
    return re.compile("".join(_PARTS.get(part, re.escape(part)) for part in parts))


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
            return seconds.set(~seconds.is_between(_FIRST_EPOCH, _LAST_EPOCH), None)
        if values.dtype.is_float():  # as pandas has whole numbers once one is missing
            whole = values.cast(pl.Int64, strict=False)
            values = whole.set(whole.cast(pl.Float64) != values, None)
        values = _parse(values.cast(pl.String), pattern)
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
    for iso in _iso_formats(pattern) if pattern and values.dtype == pl.String else ():
        if seconds.null_count() == values.null_count():
            break
        seconds = seconds.zip_with(seconds.is_not_null(), to_seconds(values, iso))
    return seconds


def _of_kind(values: pl.Series, pattern: str) -> pl.Series:
    """Typed dates or times, if they are what a pattern stands for; of a moment its time of day."""
    has_day = values.dtype == pl.Date or isinstance(values.dtype, pl.Datetime)
    if _has_day(pattern) == has_day:
        return values
    if isinstance(values.dtype, pl.Datetime):
        return values.dt.time()  # pandas has no other type for it
    raise ValueError(
        f"column '{values.name}' must hold dates such as {pattern}, got cells of {values.dtype}"
    )


def _iso_formats(pattern: str) -> tuple[str, ...]:
    """What ISO 8601 has for a format; nothing for those that a person made, such as %Y-%d-%m."""
    if pattern not in FORMATS:
        return ()
    if not _has_day(pattern):
        return (_ISO_TIME,)
    return tuple(f"{iso}%#z" for iso in _ISO[1:]) if has_zone(pattern) else _ISO


def moments(values: pl.Series, pattern: str | None) -> pl.Series:
    """When each row was, as numbers: of dates the seconds, numbers as they are.

    Args:
        values: Numbers, dates, or texts, none of them missing.
        pattern: How texts are written; None to find out.

    Raises:
        ValueError: The values are neither numbers nor dates of one format.
    """
    if values.dtype.is_numeric() and pattern is None:
        numbers = values.cast(pl.Float64).fill_nan(None)
        if numbers.null_count() == 0:
            return numbers
    if is_text(values):
        pattern = pattern or next(iter(find_formats(values)), None)
    if values.dtype.is_temporal() or pattern is not None:
        seconds = to_seconds(values, pattern)
        if seconds.null_count() == 0:
            return seconds
    raise ValueError(
        f"'{values.name}' must hold numbers or dates in one format, none missing, got values such "
        f"as '{values[0]}' and {values.null_count()} missing; take another column, or say how its "
        f"dates are written, such as {column_kind(values.name, '%Y-%m-%d')}"
    )


def _parse(values: pl.Series, pattern: str) -> pl.Series:
    """Text as times of polars', null where it is not of the pattern."""
    if pattern.startswith(_COMPACT):
        # Without a mark between them, a month and a day of one digit could be told by nobody.
        values = values.set(~values.str.contains(r"^\s*\d{8}").fill_null(True), None)
        # Pandas writes whole numbers so once one of them is missing.
        values = values.str.replace(r"^(\s*\d{8})\.0\s*$", "$1")
    if pattern.startswith("%Y.%m.%d"):
        # Versions such as 2024.1.2 are no dates; months and days have two digits.
        is_shaped = values.str.contains(r"^\s*\d{4}\.\d\d\.\d\d")
        values = values.set(~is_shaped.fill_null(True), None)
    if not _has_day(pattern):
        if not any(part in pattern for part in _HOUR_PARTS):
            raise ValueError(
                f"data.columns.{values.name} must be a date's format with a day or an hour in it, "
                f"got {pattern}; put 00: before cells of minutes and seconds, for %H:%M:%S"
            )
        # Scores and ratios such as 3:1 are no times; minutes have two digits.
        values = values.set(~values.str.contains(r":\d\d").fill_null(True), None)
    if "%y" in pattern and pattern in FORMATS:
        # Versions such as 1.2.3 are no dates; years have two digits.
        is_shaped = values.str.contains(rf"^\s*{_shape(pattern).pattern}\s*$")
        values = values.set(~is_shaped.fill_null(True), None)
    try:
        times = _parse_exactly(values, pattern)
        if times.null_count() > values.null_count():
            # Blanks around them do not count, but to look for some takes half the time.
            times = _parse_exactly(values.str.strip_chars(), pattern)
    except pl.exceptions.PolarsError as error:
        reason = str(error).strip().splitlines()[0]
        raise ValueError(
            f"data.columns.{values.name} must be a date's format such as %d/%m/%Y %H:%M, got "
            f"{pattern} ({reason})"
        ) from error
    if times.dtype == pl.Time:
        return times
    times = times.dt.replace_time_zone(None)
    # "%Y" reads 99 as the year 99, which is not what a person means.
    is_early = times < _FIRST_YEAR
    return times.set(is_early, None) if is_early.any() else times


def has_zone(pattern: str) -> bool:
    """Whether times of a format are those of a zone that is written with them.

    >>> has_zone("%Y-%m-%dT%H:%M:%SZ"), has_zone("%Y-%m-%d %H:%M:%S")
    (True, False)
    """
    return _ZONE.search(pattern) is not None


def _has_day(pattern: str) -> bool:
    return any(part in pattern for part in _DAY_PARTS)


def _parse_exactly(values: pl.Series, pattern: str) -> pl.Series:
    # Polars' cache of dates pays only for few different ones, and these are enumerations.
    if not _has_day(pattern):
        return values.str.to_time(pattern, strict=False, cache=False)
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
