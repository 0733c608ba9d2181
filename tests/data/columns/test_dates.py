"""Dates and times, against Python's datetime."""

from datetime import UTC, date, datetime, time, timedelta, timezone

import numpy as np
import polars as pl
import pytest

from nnlab.data.columns.date_formats import FORMATS, formats_like, shape_of
from nnlab.data.columns.date_inference import find_formats, find_odd_dates, moments, read_dates
from nnlab.data.columns.dates import DAY, WEEK, YEAR, periods_of, to_seconds, to_seconds_or_iso

# Days beyond the 12th, before 1970, leap days, the last moment of a year.
MOMENTS = [
    datetime(2024, 2, 29, 23, 59, 58, tzinfo=UTC),
    datetime(1969, 7, 20, 20, 17, 40, tzinfo=UTC),
    datetime(1900, 1, 31, 0, 0, 0, tzinfo=UTC),
    datetime(2099, 12, 31, 6, 5, 4, tzinfo=UTC),
]


def write(moment: datetime, pattern: str) -> str:
    # What polars calls "%.f" is Python's ".%f"; "%#z" may have hours alone.
    pattern = pattern.replace("%3f", f"{moment.microsecond // 1000:03}")
    return moment.strftime(pattern.replace("%.f", ".%f").replace("%#z", "+00"))


def parts_of(moment: datetime, pattern: str) -> float:
    """The seconds that a format keeps of a moment."""
    if "%y" in pattern:  # to polars 70 to 99 are of the last century
        century = 1900 if moment.year % 100 >= 70 else 2000
        moment = moment.replace(year=century + moment.year % 100)
    if "%d" not in pattern and ("%Y" in pattern or "%y" in pattern):
        moment = moment.replace(day=1)
    if "%S" not in pattern:
        moment = moment.replace(second=0)
    if "%H" not in pattern and "%I" not in pattern:
        moment = moment.replace(hour=0, minute=0)
    if "%Y" in pattern or "%y" in pattern:
        return moment.timestamp()
    return (moment - moment.replace(hour=0, minute=0, second=0)).total_seconds()


def test_formats_like_a_text_are_those_whose_whole_shape_it_has() -> None:
    for text in ["2024-01-05", "3/4/24, 5:06 PM", "5 Jan 2024", "2024-01-05T10:00:00.5Z", "x", ""]:
        assert formats_like(text) == [p for p in FORMATS if shape_of(p).fullmatch(text)]


@pytest.mark.parametrize("pattern", FORMATS)
def test_every_format_is_read_as_python_reads_it(pattern: str) -> None:
    texts = pl.Series([*(write(moment, pattern) for moment in MOMENTS), None])
    expected = [*(parts_of(moment, pattern) for moment in MOMENTS), None]
    assert to_seconds(texts, pattern).to_list() == expected


# To try all formats takes a tenth of a second: of the dates with times, one or another will do.
@pytest.mark.parametrize("pattern", [p for p in FORMATS if len(p) < 9] + list(FORMATS[7:-3:11]))
def test_formats_are_found(pattern: str) -> None:
    texts = pl.Series([*(write(moment, pattern) for moment in MOMENTS), None])
    formats = find_formats(texts)
    assert pattern in formats
    expected = [*(parts_of(moment, pattern) for moment in MOMENTS), None]
    assert to_seconds(texts, formats[0]).to_list() == expected


def test_no_two_formats_are_the_same() -> None:
    assert len(set(FORMATS)) == len(FORMATS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20141013T000000", datetime(2014, 10, 13)),
        ("20141013", datetime(2014, 10, 13)),
        ("01/25/2015 03:45:00 PM", datetime(2015, 1, 25, 15, 45)),
        ("01/25/2015 12:05 am", datetime(2015, 1, 25, 0, 5)),
        ("05-Jan-24", datetime(2024, 1, 5)),
        ("05-JAN-2024", datetime(2024, 1, 5)),
        ("January 5, 2024", datetime(2024, 1, 5)),
        ("Jan 5, 2024", datetime(2024, 1, 5)),
        ("5 March 2024", datetime(2024, 3, 5)),
        ("2014-05", datetime(2014, 5, 1)),
        ("05/2014", datetime(2014, 5, 1)),
        ("Jan-05", datetime(2005, 1, 1)),
        ("Jan 2005", datetime(2005, 1, 1)),
        ("January 2005", datetime(2005, 1, 1)),
        ("3:45 PM", datetime(1970, 1, 1, 15, 45)),
    ],
)
def test_common_ways_of_writing_a_date_are_known(text: str, expected: datetime) -> None:
    values = pl.Series([text])
    (pattern,) = find_formats(values)
    assert to_seconds(values, pattern).to_list() == [expected.replace(tzinfo=UTC).timestamp()]


@pytest.mark.parametrize("dtype", [pl.String, pl.Enum(["0000-00-00", "2024-05-01", "2024-05-02"])])
def test_cells_that_keep_a_column_from_being_dates_are_found(dtype) -> None:
    cells = [*["2024-05-01", None, "2024-05-02"] * 30, "0000-00-00", "0000-00-00"]
    values = pl.Series(cells, dtype=dtype)
    assert find_formats(values) == []
    pattern, odd = find_odd_dates(values)
    assert (pattern, odd.to_list()) == ("%Y-%m-%d", ["0000-00-00"] * 2)


@pytest.mark.parametrize(
    "texts", [["a", "b"], ["1.5", "2.5", "x"], ["2024-05-01", "soon"], ["soon"] * 9, [None]]
)
def test_where_most_cells_are_no_dates_none_is_odd(texts: list) -> None:
    assert find_odd_dates(pl.Series(texts, dtype=pl.String)) is None


def test_days_and_months_in_either_order_have_the_fewer_odd_ones() -> None:
    texts = [*["13/04/2024", "25/12/2024", "01/02/2024"] * 9, "04/13/2024"]
    pattern, odd = find_odd_dates(pl.Series(texts))
    assert (pattern, odd.to_list()) == ("%d/%m/%Y", ["04/13/2024"])


def test_fractions_of_seconds_count() -> None:
    texts = pl.Series(["2024-05-01T12:00:00.25", "2024-05-01T12:00:00.5Z"])
    noon = datetime(2024, 5, 1, 12, tzinfo=UTC).timestamp()
    assert to_seconds(texts[:1], find_formats(texts[:1])[0]).to_list() == [noon + 0.25]
    assert to_seconds(texts[1:], find_formats(texts[1:])[0]).to_list() == [noon + 0.5]


def test_whether_day_or_month_comes_first_is_told_by_any_row() -> None:
    open_texts = ["03/04/2024", "05/06/2024"] * 30
    assert find_formats(pl.Series(open_texts)) == ["%d/%m/%Y", "%m/%d/%Y"]
    assert find_formats(pl.Series([*open_texts, "13/04/2024"])) == ["%d/%m/%Y"]
    assert find_formats(pl.Series([*open_texts, "04/13/2024"])) == ["%m/%d/%Y"]
    assert find_formats(pl.Series([*open_texts, "13/04/2024", "04/13/2024"])) == []


@pytest.mark.parametrize(
    "text", ["12:30:45", "2024-05-01 12:30:45", "2024-05-01T12:30:45Z", "1.5.2024 12:30:45"]
)
def test_seconds_leave_nothing_open(text: str) -> None:
    assert len(find_formats(pl.Series([text]))) == 1


@pytest.mark.parametrize(
    "texts",
    [
        [],
        [None, None],
        ["a", "b"],
        ["1.5", "2.5"],
        ["1", "2"],
        ["20243101", "20241231"],
        ["2024113", "2024131"],
        ["10:30 XM"],
        ["Mai 2024"],
        ["2024-02-30"],
        ["24:00"],
        ["10.0.0.1"],
        ["+49 30 123"],
        ["1-2", "3-4"],
        ["2024-05-01"] * 30 + ["unknown"],
    ],
)
def test_what_is_no_date_has_no_format(texts: list) -> None:
    assert find_formats(pl.Series(texts, dtype=pl.String)) == []


@pytest.mark.parametrize("text", ["10.12.99", "01-02-03", "12/31/99", "5/1/24"])
def test_a_year_of_two_digits_is_not_one_of_antiquity(text: str) -> None:
    values = pl.Series([text])
    for pattern in find_formats(values):
        assert to_seconds(values, pattern)[0] > datetime(1900, 1, 1, tzinfo=UTC).timestamp()


def test_spaces_around_a_date_do_not_hide_it() -> None:
    texts = pl.Series([" 2024-05-01", "2024-05-02 "])
    assert find_formats(texts) == ["%Y-%m-%d"]
    assert to_seconds(texts, "%Y-%m-%d").null_count() == 0


def test_texts_of_another_format_are_missing() -> None:
    texts = pl.Series(["2024-05-01", "01.05.2024", "", None])
    assert to_seconds(texts, "%Y-%m-%d").is_null().to_list() == [False, True, True, True]


@pytest.mark.parametrize(
    ("pattern", "read", "unread"),
    [
        ("%d/%m/%Y", ["2024-01-31", "2024-01-31 00:00:00", "2024-01-31T00:00:00.0"], "31.01.2024"),
        ("%d/%m/%Y", ["31/01/2024"], "2024-01-31 00:00:00+00:00"),
        ("%Y-%m-%d %H:%M:%SZ", ["2024-01-31T02:00:00+02:00"], "2024-01-31"),
        ("%Y-%d-%m", ["2024-31-01"], "2024-01-31"),
    ],
)
def test_texts_of_iso_8601_are_read_beside_a_format_but_for_zones_and_odd_formats(
    pattern: str, read: list[str], unread: str
) -> None:
    seconds = to_seconds_or_iso(pl.Series([*read, None, unread]), pattern).to_list()
    midnight = datetime(2024, 1, 31, tzinfo=UTC).timestamp()
    assert seconds == [midnight] * len(read) + [None, None]


@pytest.mark.parametrize("offset", ["+00:00", "+0530", "-08:00"])
def test_time_zones_are_counted_from_utc(offset: str) -> None:
    text = f"2024-05-01T12:30:00{offset}"
    expected = datetime.fromisoformat(text).timestamp()
    assert moments(pl.Series([text]), None).to_list() == [expected]


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Kolkata"])
def test_moments_of_any_type_are_seconds_from_utc(unit, zone) -> None:
    naive = datetime(2024, 5, 1, 12, 30)
    values = pl.Series([naive, None]).cast(pl.Datetime(unit))
    here = UTC if zone != "Asia/Kolkata" else timezone(timedelta(hours=5, minutes=30))
    values = values.dt.replace_time_zone(zone) if zone else values
    assert to_seconds(values, None).to_list() == [naive.replace(tzinfo=here).timestamp(), None]


def test_dates_times_and_durations_are_seconds() -> None:
    assert to_seconds(pl.Series([date(1970, 1, 3)]), None).to_list() == [2 * DAY]
    assert to_seconds(pl.Series([time(1, 0, 0, 500_000)]), None).to_list() == [3600.5]
    assert to_seconds(pl.Series([timedelta(days=-1, seconds=5)]), None).to_list() == [5 - DAY]


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("%d-%b-%y", "02-Jan-24", datetime(2024, 1, 2)),
        ("%A, %d %b %Y", "Tuesday, 02 Jan 2024", datetime(2024, 1, 2)),
        ("%Y%m%d", "20240102", datetime(2024, 1, 2)),
        ("%B %d, %Y", "March 5, 1999", datetime(1999, 3, 5)),
        ("%m/%d/%Y %I:%M %p", "03/05/1999 04:07 PM", datetime(1999, 3, 5, 16, 7)),
        ("%D %T", "03/05/99 16:07:08", datetime(1999, 3, 5, 16, 7, 8)),
        ("%F %R", "1999-03-05 16:07", datetime(1999, 3, 5, 16, 7)),
        ("%I:%M %p", "04:07 PM", datetime(1970, 1, 1, 16, 7)),
    ],
)
def test_formats_that_a_person_gives_are_read(pattern: str, text: str, expected: datetime) -> None:
    seconds = to_seconds(pl.Series([text]), pattern)
    assert seconds.to_list() == [expected.replace(tzinfo=UTC).timestamp()]


def test_text_where_training_had_typed_dates_is_refused() -> None:
    with pytest.raises(ValueError, match="column 'when' must hold dates, got String"):
        to_seconds(pl.Series("when", ["2024-05-01"]), None)


def test_moments_order_rows_in_time() -> None:
    assert moments(pl.Series([3, 1, 2]), None).to_list() == [3.0, 1.0, 2.0]
    days = [date(2024, 5, 1), date(2023, 5, 1)]
    as_text = pl.Series([f"{day:%d/%m/%Y}" for day in days])
    assert moments(as_text, None).to_list() == moments(pl.Series(days), None).to_list()
    american = datetime(2024, 1, 5, tzinfo=UTC).timestamp()
    assert moments(as_text[:1], "%m/%d/%Y").to_list() == [american]


@pytest.mark.parametrize(
    ("values", "pattern", "got"),
    [
        (["a", "b"], None, "such as 'a'"),
        (["2024-05-01", None], None, "a time in each row to split by, got none"),
        (["2024-05-01", "01.05.2024"], None, "such as '2024-05-01'"),
        (["2024-05-01"], "%d/%m/%Y", "such as '2024-05-01'"),
        ([date(2024, 5, 1), None], None, "got none"),
        ([True, False], None, "such as 'True'"),
        ([1, None, 3], None, "got none"),
        ([1.0, None, 3.0], None, "got none"),
        ([1.0, float("nan"), 3.0], None, "got none"),
    ],
)
def test_rows_without_a_moment_are_refused(values: list, pattern, got: str) -> None:
    with pytest.raises(ValueError, match=f"'when' must hold .*{got}"):
        moments(pl.Series("when", values), pattern)


def seconds_of(start: datetime, step: timedelta, count: int) -> np.ndarray:
    return np.array([(start + step * i).replace(tzinfo=UTC).timestamp() for i in range(count)])


@pytest.mark.parametrize(
    ("step", "count", "expected"),
    [
        (timedelta(days=1), 800, [YEAR, WEEK]),
        (timedelta(days=1), 30, [WEEK]),
        (timedelta(days=1), 5, []),
        (timedelta(hours=1), 24 * 30, [WEEK, DAY]),
        (timedelta(hours=1), 24, [DAY]),
        (timedelta(minutes=1), 60, []),
        (timedelta(days=7), 200, [YEAR]),
        (timedelta(hours=6), 4 * 700, [YEAR, WEEK, DAY]),
    ],
)
def test_cycles_are_those_that_the_dates_go_through(step, count: int, expected: list) -> None:
    assert periods_of(seconds_of(datetime(2020, 1, 1), step, count)) == expected


def test_a_single_moment_has_no_cycle() -> None:
    assert periods_of(np.array([1.5e9, 1.5e9])) == []


def test_a_year_is_the_gregorian_mean() -> None:
    span = datetime(2400, 1, 1) - datetime(2000, 1, 1)
    assert span.total_seconds() / 400 == YEAR


def test_pythons_own_logs_are_read() -> None:
    texts = pl.Series(["2024-01-10 21:00:00,278", "2024-01-11 00:00:00,001", None])
    assert find_formats(texts) == ["%Y-%m-%d %H:%M:%S,%3f"]
    seconds = to_seconds(texts, "%Y-%m-%d %H:%M:%S,%3f")
    moments = [datetime(2024, 1, 10, 21, 0, 0, 278_000), datetime(2024, 1, 11, 0, 0, 0, 1000)]
    expected = [moment.replace(tzinfo=UTC).timestamp() for moment in moments]
    assert seconds.to_list() == [*(pytest.approx(second, abs=1e-6) for second in expected), None]


def test_whole_numbers_are_days_as_floats_too() -> None:
    days = pl.Series("day", [20240131, 20240229, None])
    expected = to_seconds(days, "%Y%m%d").to_list()
    assert None not in expected[:2]
    assert to_seconds(days.cast(pl.Float64), "%Y%m%d").to_list() == expected
    assert to_seconds(pl.Series("day", [20240131.5]), "%Y%m%d").to_list() == [None]
    texts = pl.Series("day", ["20240131.0", "20240229", None, "20240131.5"])
    assert to_seconds(texts, "%Y%m%d").to_list() == [*expected, None]


@pytest.mark.parametrize("last", ["2024-02-30", "2024-02-29"])
def test_dates_are_found_behind_a_thousand_missing_ones(last: str) -> None:
    texts = pl.Series([None] * 1500 + ["2024-01-31", None, last])
    assert find_formats(texts) == (["%Y-%m-%d"] if last == "2024-02-29" else [])
    (times,) = read_dates(texts.head(1502)).values()
    assert times.to_list() == [None] * 1500 + [datetime(2024, 1, 31), None]


def test_versions_are_no_dates_with_years_of_one_digit() -> None:
    assert find_formats(pl.Series(["1.2.3", "9.3.9"])) == []
    assert find_formats(pl.Series(["1.2.24", "9.3.9"])) == []
    assert find_formats(pl.Series(["1.2.24", " 9.3.09 "])) == ["%d.%m.%y"]
    assert to_seconds(pl.Series(["1.2.3"]), "%d.%m.%y").to_list() == [None]
    # What a person states may have any modifier.
    noon = datetime(2023, 7, 28).replace(tzinfo=UTC).timestamp()
    assert to_seconds(pl.Series(["28/7/23"]), "%-d/%-m/%y").to_list() == [noon]


def test_scores_and_ratios_are_no_times_of_day() -> None:
    assert find_formats(pl.Series(["10:12", "2:1", "0:0"])) == []
    assert find_formats(pl.Series(["16:9", "4:3", "21:9"])) == []
    assert find_formats(pl.Series(["9:05", "16:30"])) == ["%H:%M"]
