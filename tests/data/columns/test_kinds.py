"""What columns hold: found out from their values, or said."""

import math
import re
import shlex
from datetime import UTC, date, datetime, time, timedelta

import polars as pl
import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from nnlab.data.columns.dates import to_seconds
from nnlab.data.columns.inferred_kinds import infer_kind, infer_kinds
from nnlab.data.columns.kinds import count_distinct
from nnlab.data.columns.said_kinds import say_kind
from nnlab.data.columns.spelling import boolean_text, number_text
from nnlab.data.columns.whole_numbers import find_epoch


def kind_of(values: list, name: str = "x", **options):
    return infer_kind(pl.Series(name, values, **options))


def say(values: list, kind: str):
    (said,) = infer_kinds(pl.DataFrame({"x": values}), said={"x": kind}, drop=[])
    return said


def spread(values: list, rows: int = 200) -> list:
    """The values in turn, so often that there are `rows` of them."""
    return (values * rows)[:rows]


@pytest.mark.parametrize(
    ("values", "kind", "note"),
    [
        # nothing to learn
        ([None, None], "left out", "no value at all"),
        ([7, 7, 7], "left out", "always 7"),
        (["same", "same"], "left out", "always same"),
        ([date(2024, 5, 1)] * 3, "left out", "always 2024-05-01"),
        ([True, True], "left out", "always True"),
        (["many  words\n" * 9] * 2, "left out", "always many words many words many ..."),
        # one value or none tells something
        ([7, 7, None], "numeric", "one value, or missing"),
        ([7.5, None], "numeric", "one value, or missing"),
        (["x", None], "categorical", ""),
        ([True, None], "boolean", ""),
        # numbers
        ([0.5, 1.5, 2.5], "numeric", ""),
        ([3, 1, 2], "numeric", ""),
        ([1, 2, 1], "numeric", ""),
        # two values that say yes and no
        ([True, False, None], "boolean", ""),
        ([0, 1, 1], "boolean", ""),
        ([0.0, 1.0, None], "boolean", ""),
        (["yes", "no", "no"], "boolean", ""),
        (["TRUE", "False"], "boolean", ""),
        (["TRUE", "False", "True", "FALSE"], "boolean", ""),
        (["T", "F"], "boolean", ""),
        (["On", "off"], "boolean", ""),
        (["y", " N "], "boolean", ""),
        (["yes", "maybe"], "categorical", ""),
        (["f", "n", "y"], "categorical", ""),
        (["on", "off", "no"], "categorical", ""),
        # two that say the same
        (["N", "F", "N"], "categorical", ""),
        (["yes", "on"], "categorical", ""),
        (["t", "y", None], "categorical", ""),
        (["no", "off"], "categorical", ""),
        (["yes", "no", "other"], "categorical", ""),
        # dates
        ([date(2024, 5, 1), date(2024, 5, 2)], "date", ""),
        ([time(12), time(13)], "date", ""),
        ([timedelta(hours=1), timedelta(hours=3)], "date", ""),
        (["2024-05-01", "2024-05-02"], "date", "read as %Y-%m-%d"),
        (["01:30", "02:30"], "date", "read as %H:%M"),
        (
            ["03/04/2024", "05/04/2024"],
            "date",
            "read as %d/%m/%Y, which may be %m/%d/%Y",
        ),
        (["03/04/2024", "30/04/2024"], "date", "read as %d/%m/%Y"),
        ([20140131, 20140201, 20140228, 20140301, 20141231, None], "date", "read as %Y%m%d"),
        ([20140131, 20140201, 20140228, 20140301, 20141232], "numeric", ""),
        (
            [20140131, 20140201, 20140228, 20140301, 20141231, 0],
            "numeric",
            "1 cell is no date as in %Y%m%d, such as '0'",
        ),
        ([20140131, 20140201, 20140228, 20140301], "numeric", ""),
        ([10010131, 10010201, 10010228, 10010301, 10011231], "numeric", ""),
        # numbers as people write them
        (["$1,000", "$52", None], "numeric", "read as $1,000.5"),
        (["12 kg", "7.5 kg"], "numeric", "read as 1000.5 kg"),
        *(
            (values, "categorical", f"numbers written in several ways, such as {examples}")
            for values, examples in (
                (["12 kg", "7 lb"], "'12 kg' and '7 lb'"),
                (["12 kg", "13 kg", "7"], "'12 kg' and '7'"),
                (["950 kg", "1.100 kg"], "'950 kg' and '1.100 kg'"),
                (["1.5", "2.5", "3,7"], "'1.5' and '3,7'"),
            )
        ),
        *(
            (values, "categorical", f"no number is read from cells such as {examples}")
            for values, examples in (
                (["€200/month", "€99/month"], "'€200/month' and '€99/month'"),
                (["227 kWh/(m²a)", "3 kWh/(m²a)"], "'227 kWh/(m²a)' and '3 kWh/(m²a)'"),
                (["14m 57s", "3m 2s"], "'14m 57s' and '3m 2s'"),
                (["~808", "~1,200"], "'~1,200' and '~808'"),
                (["807,-", "12,-"], "'12,-' and '807,-'"),
            )
        ),
        *(
            (values, "categorical", "")
            for values in (
                ["A12", "A7"],
                ["#1001", "#1002"],
                ["10A", "9A"],
                ["1990Q1", "1991Q2"],
                ["10x20", "5x8"],
                ["INV-1", "INV-10"],
                ["1000-2", "1009-19"],
                ["10-ABC-5557", "10-ABC-55"],
            )
        ),
        *(
            (values, "categorical", f"dates written in several ways, such as {examples}")
            for values, examples in (
                (["2024-05-01", "12.01.2021"], "'12.01.2021' and '2024-05-01'"),
                (["2024-05-01", "5 May 2021"], "'2024-05-01' and '5 May 2021'"),
            )
        ),
        (["2024-05-01", "soon"], "categorical", ""),
        # texts
        (["b", "a", None, "b"], "categorical", ""),
        ([b"a", b"b", b"c"], "left out", "cells of the type Binary are not understood"),
        ([[1], [2]], "left out", "cells of the type List(Int64) are not understood"),
        ([[1], [2], [3]], "left out", "cells of the type List(Int64) are not understood"),
    ],
)
def test_what_few_rows_show(values: list, kind: str, note: str) -> None:
    found = kind_of(values)
    assert (found.kind, found.note) == (kind, note)
    assert found.is_used == (kind != "left out")


def test_shares_and_counts_are_of_the_values() -> None:
    found = kind_of(["a", None, "b", "a"], name="colour")
    assert (found.name, found.missing, found.distinct) == ("colour", 0.25, 2)


def test_a_different_number_in_each_row_in_sequence_is_an_identifier() -> None:
    assert kind_of([*range(50, 100)]).note == "an identifier: a different number in each row"
    assert kind_of([*range(100, 50, -1)]).kind == "left out"
    assert kind_of([*range(0, 100, 2)]).kind == "numeric"
    assert kind_of([*map(float, range(50))]).kind == "numeric"


NAMES_OF_IDENTIFIERS = [
    *("id", "ID", "customer_id", "customerId", "CustomerID", "uuid", "row", "rownames"),
    *("index", "Unnamed id", "order-key", "patient.id", "order_no", "phone", "CLIENTNUM"),
    *("customer_number", "InvoiceNo", "customerPhone", "account num", "ssn", "PhoneNumber"),
]


@pytest.mark.parametrize("name", NAMES_OF_IDENTIFIERS)
def test_a_name_makes_different_whole_numbers_an_identifier(name: str) -> None:
    values = [i * i for i in range(30)]
    assert kind_of(values, name).kind == "left out"
    assert kind_of([*values[:-1], None], name).kind == "left out"
    # Where two rows are the same it says something, and so do numbers with a fraction.
    assert kind_of([*values[:-1], values[0]], name).kind == "numeric"
    assert kind_of([value + 0.5 for value in values], name).kind == "numeric"


NAMES_OF_OTHERS = [
    *("paid", "humid", "IDEA", "identity", "grid", "monkey", "arrow"),
    *("platinum", "piano", "numbers"),
]


@pytest.mark.parametrize("name", NAMES_OF_OTHERS)
def test_a_name_that_merely_ends_like_one_does_not(name: str) -> None:
    assert kind_of([i * i for i in range(30)], name).kind == "numeric"


def test_different_whole_numbers_that_may_be_an_identifier_are_pointed_out() -> None:
    values = [i * i for i in range(30)]
    note = "a different number in each row; if an identifier: 'data.drop=[customer]'"
    found = kind_of(values, "customer")
    assert (found.kind, found.note) == ("numeric", note)
    assert kind_of([*values[:-1], None], "customer").note == note
    assert kind_of([*values[:-1], values[0]], "customer").note == ""
    assert kind_of([1500 + i * 11 for i in range(30)], "year").note == ""
    assert kind_of(values[:19], "customer").note == ""
    assert say(values, "numeric").note == ""


def test_days_in_whole_numbers_are_no_identifier_though_all_differ() -> None:
    days = [int(f"{date(2014, 1, 1) + timedelta(i):%Y%m%d}") for i in range(900)]
    found = kind_of(days, "day id")
    assert (found.kind, found.date_format) == ("date", "%Y%m%d")
    assert say(days[:2], "date").date_format == "%Y%m%d"


def test_a_person_may_say_that_written_numbers_are_numeric() -> None:
    assert say(["$1,000", "$52"], "numeric").number_format == "$1,000.5"
    assert say(["$1,000", "$52"], "categorical").number_format is None
    assert say(["1", "52"], "numeric").number_format is None


def test_a_word_in_any_row_keeps_written_numbers_from_being_numbers() -> None:
    values = pl.Series("x", ["$1,000", "$52"] * 20)
    whole = pl.concat([values, pl.Series("x", ["free"])])
    found = infer_kind(values, whole)
    assert found.kind == "categorical"
    assert found.note == "1 cell is no number, such as 'free' (data.null_values)"
    assert found.odd.texts == ["free"]


def test_few_rows_are_no_sign_of_an_identifier() -> None:
    assert kind_of([*range(19)], "id").kind == "numeric"
    assert kind_of([*range(20)], "id").kind == "left out"
    assert kind_of([f"name {i}" for i in range(19)]).kind == "categorical"
    assert kind_of([f"name {i}" for i in range(20)]).kind == "left out"


@pytest.mark.parametrize(
    ("values", "note"),
    [
        (
            [f"C{i:04}" for i in range(40)],
            "an identifier: a different text in each row, such as 'C0000'",
        ),
        ([f"it is the {i}th" for i in range(40)], "free text, such as 'it is the 0th'"),
        (["x" * 80 + str(i) for i in range(40)], f"free text, such as '{'x' * 27}...'"),
        (
            [f"C{i // 2 if i < 20 else i}" for i in range(40)],
            "30 different texts in 40 rows, such as 'C0'",
        ),
        (
            [*(f"{i}.5" for i in range(39)), "unknown"],
            "hardly two values the same; 1 cell is no number, such as 'unknown' (data.null_values)",
        ),
        (
            [f"{i:05}" for i in range(40)],
            "hardly two values the same; numbers with leading zeros, as text",
        ),
    ],
)
def test_texts_of_which_hardly_two_are_the_same_are_left_out(values: list, note: str) -> None:
    found = kind_of(values)
    assert (found.kind, found.note) == ("left out", note)


def test_missing_texts_do_not_make_the_others_repeat() -> None:
    assert kind_of([*(f"C{i}" for i in range(30)), *[None] * 100]).kind == "left out"
    assert kind_of([*"ab" * 10, *[None] * 100]).kind == "categorical"


@pytest.mark.parametrize("codes", [[408, 415, 510], [10115, 20095, 80331], [1010, 1250, 3999]])
def test_codes_are_categories_written_as_numbers(codes: list) -> None:
    found = kind_of(spread(codes))
    assert (found.kind, found.written_as, found.note) == ("categorical", "number", "codes")
    # A few rows of each are needed to tell.
    assert kind_of(codes * 3).kind == "numeric"


@pytest.mark.parametrize(
    "values",
    [
        [*range(1, 11)],  # grades
        [0, 1, 2, 4, 7, 12],  # counts
        [1, 2, 4, 9],
        [10, 15, 40, 90],
        [*range(2015, 2025)],  # years
        [1990, 2000, 2005, 2020],  # years with gaps
        [100, 200, 300, 400],  # doses
        [100, 250, 500],  # doses with gaps
        [50, 100, 1000],  # of different lengths
        [99, 100, 250, 500],
        [-500, -300, -100],
        [100, 101, 103],  # close together
        [*range(100, 1000, 37)],  # too many
    ],
)
def test_amounts_are_numbers(values: list) -> None:
    assert kind_of(spread(values, 400)).kind == "numeric"


def test_whole_numbers_that_a_float_cannot_hold_are_codes_or_identifiers() -> None:
    beyond = [2**53 + 2, 2**53 + 4, -(2**60)]
    found = kind_of(spread(beyond, 30))
    assert (found.kind, found.written_as) == ("categorical", "number")
    assert found.note == "numbers beyond 2^53, taken as codes"
    assert kind_of(spread([-beyond[0], 5, 6], 30)).kind == "categorical"
    assert kind_of(spread([2**53, 5, 6], 30)).kind == "numeric"
    found = kind_of([2**60 + i * i for i in range(30)])
    assert found.note == "an identifier: numbers beyond 2^53, hardly two the same"
    assert kind_of([2**64 - 1, 5, 6], dtype=pl.UInt64).kind == "categorical"


def test_the_words_that_keep_numbers_from_being_numbers_are_named() -> None:
    found = kind_of([*(str(i % 7) for i in range(28)), "n.a.", "n.a."])
    assert (found.kind, found.written_as) == ("categorical", "text")
    assert found.note == "2 cells are no numbers, such as 'n.a.' (data.null_values)"
    assert kind_of(["1", "a", "b"] * 9).note == ""
    assert kind_of(["007", "008", "010"] * 9).note == "numbers with leading zeros, as text"
    # In the rest of the file there is a word, or another leading zero.
    assert kind_of(["7", "8", "10"] * 9).note == "numbers, as text"


def test_a_person_has_the_last_word() -> None:
    assert say([1, 2, 1], "categorical").kind == "categorical"
    assert say([1, 2, 1], "categorical").written_as == "number"
    assert say(["1", "2"], "categorical").written_as == "text"
    assert say([*range(40)], "numeric").kind == "numeric"
    assert say(["1", "2"], "numeric").kind == "numeric"
    assert say([408, 415, 510] * 70, "numeric").kind == "numeric"
    assert say(["yes", "Y", "no", None], "boolean").written_as == "boolean"
    assert say([1, 0, 1], "boolean").kind == "boolean"
    assert say([date(2024, 1, 2), date(2024, 1, 3)], "date").date_format is None
    assert say(["2024-01-02", None], "date").date_format == "%Y-%m-%d"
    assert say(["03/04/2024"], "%m/%d/%Y").date_format == "%m/%d/%Y"
    assert say([5, 5, 5], "numeric").is_used  # even where it says nothing
    assert say([None, None], "numeric").note == "no value at all"


def test_what_is_neither_said_nor_dropped_is_inferred() -> None:
    frame = pl.DataFrame({"a": [1, 2, 3], "b": [1, 2, 3], "c": ["u", "v", "v"]})
    kinds = infer_kinds(frame, said={"a": "categorical"}, drop=["b"])
    assert [kind.kind for kind in kinds] == ["categorical", "left out", "categorical"]
    assert kinds[1].note == "as data.drop says"
    assert kinds[2] == infer_kind(frame["c"])
    (dropped,) = infer_kinds(frame.select("a"), said={"a": "numeric"}, drop=["a"])
    assert not dropped.is_used


@pytest.mark.parametrize(
    ("said", "drop", "message"),
    [
        ({"prise": "numeric"}, [], "data.columns must name .* got 'prise'; did you mean 'price'?"),
        ({}, ["prise"], "data.drop must name features .* got 'prise'; did you mean 'price'?"),
        ({}, ["zzz"], "got 'zzz' .they are: price, note.$"),
        ({"price": "boolean"}, [], "data.columns.price=boolean needs values such as .* got '3'"),
        ({"note": "date"}, [], "data.columns.note=date needs dates .* got 'soon'; say how .*%Y-"),
        ({"price": "date"}, [], "data.columns.price=date needs dates in a usual format, got '1'"),
    ],
)
def test_what_does_not_suit_the_columns_is_refused(said, drop, message: str) -> None:
    frame = pl.DataFrame({"price": [1, 0, 3], "note": [None, "soon", "2024-01-02"]})
    with pytest.raises(ValueError, match=message):
        infer_kinds(frame, said=said, drop=drop)


def test_booleans_are_the_same_however_they_are_written() -> None:
    for true, false in (("yes", "no"), ("Y", "N"), (" T", "F "), ("ON", "off"), ("1.0", "0.0")):
        text = boolean_text(pl.Series([true, None, false]))
        assert text.to_list() == ["true", None, "false"]
    assert boolean_text(pl.Series([True, False])).to_list() == ["true", "false"]
    assert boolean_text(pl.Series([1.0, 0.0])).to_list() == ["true", "false"]
    assert boolean_text(pl.Series(["maybe"])).to_list() == ["maybe"]


def test_numbers_are_the_same_however_they_are_written() -> None:
    ones = pl.Series(["1", "1.0", "01", " 1 ", "+1", "1e0", "1.000"])
    assert set(number_text(ones)) == {"1"}
    assert number_text(pl.Series([1.0, 1.5, None, -0.0])).to_list() == ["1", "1.5", None, "0"]
    assert number_text(pl.Series(["1.5", "1.50", "a", None])).to_list() == ["1.5", "1.5", "a", None]
    for dtype in (pl.Int8, pl.UInt64, pl.Float32, pl.Float64, pl.String):
        assert number_text(pl.Series([7, 8]).cast(dtype)).to_list() == ["7", "8"]
    # Those that a float would take for one another stay apart.
    wide = [2**53 + 1, 2**53, 2**63 - 1]
    assert number_text(pl.Series(wide)).to_list() == list(map(str, wide))
    assert number_text(pl.Series(list(map(str, wide)))).to_list() == list(map(str, wide))


def test_distinct_values_of_large_columns_are_counted_nearly_right() -> None:
    values = pl.Series([*range(150_000), *range(100_000)])
    assert count_distinct(values) == pytest.approx(150_000, rel=0.05)
    assert count_distinct(pl.Series([1, 2, 2, None])) == 2


def test_few_values_of_a_large_column_are_counted_exactly() -> None:
    two = pl.Series("x", [64, 95] * 150_000)  # of which polars' estimate sees one
    assert count_distinct(two) == 2
    assert count_distinct(pl.concat([two, pl.Series("x", [None], dtype=pl.Int64)])) == 2
    assert infer_kind(two).kind == "numeric"


@pytest.mark.parametrize("rows", [210_000, 300_001])
def test_an_identifier_is_found_in_a_table_of_any_size(rows: int) -> None:
    # A permutation, since the modulus is a prime.
    numbers = pl.int_range(rows, eager=True) * 7919 % 1_000_003
    assert kind_of(numbers, "customer_id").kind == "left out"
    assert count_distinct(numbers) == rows
    texts = "C" + numbers.cast(pl.String)
    assert kind_of(texts).note.startswith("an identifier: a different text in each row")
    # One value twice, and it is none: that the count is exact decides.
    assert kind_of(numbers.set(pl.int_range(rows, eager=True) == 5, 0), "customer_id").is_used


def test_any_row_shows_whether_the_month_comes_first_in_a_date_that_is_said_to_be_one() -> None:
    training = pl.Series("x", ["03/04/2024"] * 30)
    whole = pl.concat([training, pl.Series("x", ["04/25/2024"])])
    (found,) = infer_kinds(training.to_frame(), said={"x": "date"}, drop=[], whole=whole.to_frame())
    assert found.date_format == "%m/%d/%Y"


@pytest.mark.parametrize("drop", [["city", "state"], ["id", "city", "state"], ["city, state"]])
def test_a_dropped_name_with_a_comma_is_written_as_it_has_to_be(drop: list[str]) -> None:
    frame = pl.DataFrame({"id": [1, 2, 4], "city, state": ["a", "b", "a"], "x": [1.5, 2.5, 0.5]})
    if "city, state" not in drop:
        with pytest.raises(ValueError, match="got 'city'; write ") as caught:
            infer_kinds(frame, said={}, drop=drop)
        (typed,) = re.findall("write ('.*?') for the column 'city, state' ", str(caught.value))
        drop = OverridesParser.create().parse_override(*shlex.split(typed)).value()
    kinds = infer_kinds(frame, said={}, drop=drop)
    dropped = [kind.name for kind in kinds if kind.note == "as data.drop says"]
    assert dropped == drop


@pytest.mark.parametrize(
    ("numbers", "way_out"),
    [
        ([2007, 2008, None, 2009], r"set data\.columns\.x=(\S+) for years, or leave it out to"),
        ([3, 7, 12], r"set data\.columns\.x=(\S+) if they are written so, or leave it out to"),
    ],
)
def test_numbers_that_are_said_to_be_dates_have_a_way_out(numbers: list, way_out: str) -> None:
    frame = pl.DataFrame({"x": numbers})
    with pytest.raises(ValueError, match=way_out) as caught:
        infer_kinds(frame, said={"x": "date"}, drop=[])
    (pattern,) = re.findall(way_out, str(caught.value))
    (kind,) = infer_kinds(frame, said={"x": pattern}, drop=[])
    if numbers[0] > 2000:
        seconds = to_seconds(frame["x"], kind.date_format)
        assert seconds.to_list() == [
            year and datetime(year, 1, 1, tzinfo=UTC).timestamp() for year in numbers
        ]


SECONDS = [1_700_000_000 + 3600 * i for i in range(100)]
EPOCHS = {1: "%s", 10**3: "%s%3f", 10**6: "%s%6f", 10**9: "%s%9f"}


@pytest.mark.parametrize("unit", EPOCHS)
@pytest.mark.parametrize("dtype", [pl.Int64, pl.Float64])
def test_numbers_that_count_from_1970_are_moments_if_they_are_called_so(unit: int, dtype) -> None:
    counts = pl.Series([second * unit for second in SECONDS], dtype=pl.Int64).cast(dtype)
    for name in ("ts", "created_at", "createdAt", "Timestamp", "date_of_sale", "time"):
        kind = infer_kind(counts.alias(name))
        assert (kind.kind, kind.date_format) == ("date", EPOCHS[unit])
        assert "seconds since 1970, in UTC" in kind.note
    names = ("price", "status", "visitors", "formats", "consolidated_revenue", "candidate_id")
    for name in (*names, "update_no", "updated_valuation"):
        assert infer_kind(counts.alias(name)).kind != "date"
    # What is called a time may be a duration in nanoseconds.
    for name in ("cpu_time", "realTime"):
        assert (infer_kind(counts.alias(name)).kind == "date") == (unit > 1)
    said = say_kind(counts.alias("x"), "date", counts, ".")
    assert said.date_format == EPOCHS[unit]
    found = to_seconds(counts, EPOCHS[unit])
    assert found.to_list() == pytest.approx(SECONDS)
    assert to_seconds(counts.cast(pl.Int64).cast(pl.String), said.date_format).equals(found)


@pytest.mark.parametrize(
    "numbers",
    [
        [2024010100 + i % 24 + i // 24 * 100 for i in range(100)],  # years, months, days, hours
        [2401010000 + i % 24 * 100 + i // 24 * 10_000 for i in range(100)],
        [3_700_000_000 + 3600 * i for i in range(100)],  # of the year 2087
        [1.5, math.inf, 1_700_000_000.0],
        [math.nan, 1.5],
        [1990 + i % 30 for i in range(100)],
    ],
)
def test_other_numbers_in_columns_of_dates_are_no_moments(numbers: list[float]) -> None:
    assert find_epoch(pl.Series("date", numbers)) is None
    assert find_epoch(pl.Series("date", numbers)[:0]) is None


def test_moments_may_have_fractions_and_gaps() -> None:
    counts = pl.Series("x", [1_700_000_000.25, None, 1_700_000_060.5])
    assert find_epoch(counts) == "%s"
    assert to_seconds(counts, "%s").to_list() == counts.to_list()
    texts = pl.Series("x", ["1700000000,5", " 1700000000.5"])
    assert to_seconds(texts, "%s").to_list() == [1_700_000_000.5] * 2


def test_numbers_of_another_unit_are_no_moments() -> None:
    counts = pl.Series("ts", [1_700_000_000_000, 1_700_000_001_000])
    assert to_seconds(counts, "%s").null_count() == 2
    assert to_seconds(counts // 1000, "%s%3f").to_list() == pytest.approx(
        [1_700_000.0, 1_700_000.001]
    )


def test_identifiers_are_left_out_however_they_are_written() -> None:
    texts = [f"{10_000 + i:,}" for i in range(60)]
    kind = kind_of(texts, "order_no")
    assert (kind.kind, kind.note) == (
        "left out",
        "an identifier: a different number in each row",
    )
    assert kind_of(texts, "amount").kind == "left out"  # they were counted up
    assert kind_of([f"{i * 7919 % 90_000 + 10_000:,}" for i in range(60)], "order_no").note == (
        "an identifier: a different number in each row"
    )
    assert kind_of([f"${i * 7919 % 90_000 + 10_000:,}" for i in range(60)], "price").kind == (
        "numeric"
    )
    assert kind_of([f"${i * 100 + 1000.5:,}" for i in range(60)], "no").kind == "numeric"
    # Counted up, but quantities; and beyond 64 bits.
    for unit in (" mg", " cm", " %", "h"):
        assert kind_of([f"{i}{unit}" for i in range(60)]).kind == "numeric"
    assert kind_of([f"${i}" for i in range(100, 160)]).kind == "numeric"
    large = [f"{10**20 + i * 10**18:,}" for i in range(60)]
    assert kind_of(large).kind == kind_of(["1,005", *large]).kind == "numeric"
    assert kind_of([f"{i:,}" for i in range(1000, 1059)] + ["1" + ",000" * 110]).kind == "numeric"


def test_numbers_with_a_letter_behind_are_numbers_if_it_is_a_unit_and_they_are_many() -> None:
    assert kind_of(spread([f"{age}y" for age in range(20, 80)])).kind == "numeric"
    assert kind_of(spread([f"{size}y" for size in range(2, 8)])).kind == "categorical"
    assert kind_of(spread([f"{i}{'ABC'[i % 3]}" for i in range(1, 60)])).kind == "categorical"
    assert kind_of(spread([f"{i}A" for i in range(1, 60)])).kind == "categorical"  # seats
    assert kind_of(spread(["1.1a", "1.2a", "1.10a", "1.3a"])).kind == "categorical"
    assert kind_of([f"{i * 7919}P" for i in range(1, 200)]).kind == "left out"
