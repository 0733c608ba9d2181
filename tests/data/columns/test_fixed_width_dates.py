"""Dates in full digits, against polars."""

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from nnlab.data.columns.date_formats import FORMATS
from nnlab.data.columns.dates import parse
from nnlab.data.columns.fixed_width_dates import parse_fixed_width

ROWS = 150_000  # more than a block
FIRST, LAST = -30_610_224_000, 253_402_300_799  # the years 1000 to 9999
FIXED = [p for p in FORMATS if set(p.replace("%", "")) <= set("YmdHMS-/.:, TZ") and "%d" in p]
# Each takes a twentieth of a second: all that are days alone, and some with times.
TRIED = [p for p in FIXED if "%H" not in p] + [p for p in FIXED if "%H" in p][::7]


def moments(pattern: str, rows: int = ROWS) -> pl.Series:
    """Texts of random moments, one in ten missing; first the ends, and days before and in March."""
    generator = np.random.default_rng(len(pattern))
    seconds = generator.integers(FIRST, LAST, rows)
    some = np.array(["1900-02-28", "1900-03-01", "2000-02-29", "2024-12-31"], "datetime64[s]")
    seconds[:6] = [FIRST, LAST, *some.astype(np.int64)]
    times = pl.Series("when", seconds * 1_000_000).cast(pl.Datetime("us"))
    is_missing = generator.random(rows) < 0.1
    is_missing[:6] = False
    return times.dt.to_string(pattern).set(pl.Series(is_missing), None)


def as_polars(texts: pl.Series, pattern: str) -> pl.Series:
    times = texts.str.to_datetime(pattern, time_unit="us", strict=False)
    return times.dt.replace_time_zone(None)


@pytest.mark.parametrize("pattern", TRIED)
def test_dates_in_full_digits_are_read_as_polars_reads_them(pattern: str) -> None:
    texts = moments(pattern)
    for cells in (texts, texts.drop_nulls(), texts.head(100_000).append(texts.tail(50_000))):
        times = parse_fixed_width(cells, pattern)
        assert times is not None
        assert times.equals(as_polars(cells, pattern), check_dtypes=True, check_names=True)


@pytest.mark.parametrize(
    "odd",
    [
        *("2023-02-29 00:00", "2024-04-31 00:00", "2024-00-10 00:00", "2024-13-10 00:00"),
        *("2024-01-00 00:00", "2024-01-32 00:00", "0999-12-31 00:00", "2024-01-10 24:00"),
        *("2024-01-10 23:60", "2024-1-10 00:00", " 2024-01-10 0:00", "2024-01-10  0:00"),
        *("2024-01-10T00:00", "2024-01-1O 00:00", "2024-01-1: 00:00", "+024-01-10 00:00"),
        *(
            "2024-01-10 00:00 ",
            "2024-01-10",
            "",
            "n/a",
            "\N{FULLWIDTH DIGIT TWO}024-01-1 0:00",
            "0000-00-00 00:00",
        ),
    ],
)
@pytest.mark.parametrize("row", [0, ROWS - 1])
def test_a_single_text_of_another_form_leaves_all_to_polars(odd: str, row: int) -> None:
    texts = moments("%Y-%m-%d %H:%M")
    texts[row] = odd
    assert parse_fixed_width(texts, "%Y-%m-%d %H:%M") is None
    expected = as_polars(texts.str.strip_chars(), "%Y-%m-%d %H:%M")
    expected = expected.set(expected < datetime(1000, 1, 1), None)
    assert parse(texts, "%Y-%m-%d %H:%M").equals(expected)


@pytest.mark.parametrize(
    "pattern",
    [
        *("%Y-%m", "%d.%m.%y", "%H:%M:%S", "%d %b %Y", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d%z"),
        *("%Y-%m-%d %I:%M %p", "%Y-%m-%d %Y", "%Y-%m-%d%", "%Y年%m月%d日", "%Y-%m-%d%%"),
        # Polars refuses these.
        *(f"%Y-%m-%d {time}" for time in ("%H", "%M", "%S", "%H:%S", "%M:%S")),
    ],
)
def test_other_formats_are_left_to_polars(pattern: str) -> None:
    text = datetime(2024, 2, 29, 23, 59, 58, tzinfo=UTC).strftime(pattern.replace("%.f", ".%f"))
    assert parse_fixed_width(pl.Series([text] * ROWS), pattern) is None


def test_a_long_stretch_without_dates_is_no_hindrance() -> None:
    texts = moments("%Y-%m-%d").append(pl.Series("when", [None] * ROWS, dtype=pl.String))
    times = parse_fixed_width(texts, "%Y-%m-%d")
    assert times is not None
    assert times.equals(as_polars(texts, "%Y-%m-%d"), check_dtypes=True, check_names=True)


def test_what_is_little_or_nothing_or_very_wide_is_left_to_polars() -> None:
    assert parse_fixed_width(moments("%Y-%m-%d", rows=100), "%Y-%m-%d") is None
    nothing = pl.Series([None] * ROWS, dtype=pl.String)
    assert parse_fixed_width(nothing, "%Y-%m-%d") is None
    pattern = "%Y-%m-%d" + "x" * 100
    assert parse_fixed_width(moments(pattern), pattern) is None
