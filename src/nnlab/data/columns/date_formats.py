"""The ways in which dates and times may be written, and what a format tells of them."""

import functools
import re

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
FIRST_EPOCH, LAST_EPOCH = -2_208_988_800, 7_258_118_400

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
# What stands for a day in strftime's formats, and what for an hour.
_DAY_PARTS = ("%Y", "%y", "%C", "%G", "%d", "%e", "%j", "%D", "%F", "%x", "%c", "%s", "%+", "%v")
_HOUR_PARTS = ("%H", "%I", "%k", "%l", "%T", "%R", "%r", "%X")

# What stands for a time zone, or for UTC: `%+` and `%s` have one in them.
_ZONE = re.compile(r"%:{0,3}#?z|%\+|%s|(Z|UTC)$")

COMPACT = "%Y%m%d"
"""Of a date that may be a whole number, such as 20240131."""


def formats_like(text: str) -> list[str]:
    """Those of `FORMATS` that a text has the shape of, in their order."""
    # Only shapes whose marks are all there: to compile the others takes a tenth of a second.
    letters = set(text)
    return [
        pattern
        for pattern in FORMATS
        if _marks_of(pattern) <= letters and shape_of(pattern).fullmatch(text)
    ]


@functools.cache
def shape_of(pattern: str) -> re.Pattern[str]:
    """A regular expression for texts that may be of a format."""
    return re.compile("".join(_PARTS.get(part, re.escape(part)) for part in _parts_of(pattern)))


@functools.cache
def _marks_of(pattern: str) -> frozenset[str]:
    """The characters of a format that stand for themselves."""
    return frozenset(part for part in _parts_of(pattern) if part not in _PARTS)


def _parts_of(pattern: str) -> list[str]:
    return re.findall(r"%\.f|%3f|%#?[A-Za-z]|.", pattern)


def has_zone(pattern: str) -> bool:
    """Whether times of a format are those of a zone that is written with them.

    >>> has_zone("%Y-%m-%dT%H:%M:%SZ"), has_zone("%Y-%m-%d %H:%M:%S")
    (True, False)
    """
    return _ZONE.search(pattern) is not None


def has_day(pattern: str) -> bool:
    """Whether a format is of a date, not of a time alone."""
    return any(part in pattern for part in _DAY_PARTS)


def has_hour(pattern: str) -> bool:
    """Whether a format has an hour in it, which it needs if it has no day."""
    return any(part in pattern for part in _HOUR_PARTS)


def iso_formats(pattern: str) -> tuple[str, ...]:
    """What ISO 8601 has for a format; nothing for those that a person made, such as %Y-%d-%m."""
    if pattern not in FORMATS:
        return ()
    if not has_day(pattern):
        return (_ISO_TIME,)
    return tuple(f"{iso}%#z" for iso in _ISO[1:]) if has_zone(pattern) else _ISO
