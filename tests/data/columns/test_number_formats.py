"""Numbers with signs, units and marks between thousands, against numbers that were written so."""

import numpy as np
import polars as pl
import pytest

from nnlab.data.columns.number_formats import find_number_format, to_numbers

NUMBERS = [0.0, 7.25, 999.0, 1000.0, 1234.5, 98765.25, 1234567.75]
FORMATS = [
    *("1,000.5", "1.000,5", "1 000.5", "1 000,5", "1'000.5", "$1,000.5", "€1.000,5"),
    *(
        "1000.5 %",
        "1000.5 kg",
        "1,000.5 km/h",
        "1 000,5 €",
        "USD 1,000.5",
        "1000,5 °C",
        "Rs. 1,000.5",
        "US$ 1,000.5",
        "R$ 1.000,5",
        "SEK 1,000.5",
        "1000.5 zł",
        "1,000.5kr",
        "1000.5円",
        "1000.5 m2",
        "1,000.5ft²",
        "1000.5 sq ft",
        "1000.5 sq.ft.",
        "1000.5W",
        "1000.5g",
        "1000.5y",
        "1,000.5C",
        "1000.5 \u043a\u0433",
    ),
]


def write(number: float, pattern: str) -> str:
    """A number in a format, by Python's own means."""
    prefix, suffix = pattern.split("1")[0], pattern.split("5")[1]
    middle = pattern.removeprefix(prefix).removesuffix(suffix)
    thousands, decimal = middle[1:-5], middle[-2]
    text = f"{number:,.2f}".replace(",", "T").replace(".", decimal).replace("T", thousands)
    return f"{prefix}{text}{suffix}"


@pytest.mark.parametrize("pattern", FORMATS)
def test_numbers_are_read_as_they_were_written(pattern: str) -> None:
    texts = pl.Series([*(write(number, pattern) for number in NUMBERS), None])
    assert find_number_format(texts, ".") == pattern
    assert to_numbers(texts, pattern).to_list() == [*NUMBERS, None]


@pytest.mark.parametrize(
    ("texts", "pattern", "expected"),
    [
        (["€1.1M", "€565K", "-€2k", "€0"], "€1000.5", [1.1e6, 565e3, -2e3, 0]),
        (["24.1M", "853k", "7", "-0.5M"], "1000.5", [24.1e6, 853e3, 7, -5e5]),
        (["$4.99", "0", "0.00", "$1,000"], "$1,000.5", [4.99, 0, 0, 1000]),
        (["5kg", "0.5kg", "0"], "1000.5kg", [5, 0.5, 0]),
        (["5 km", "0.5 km"], "1000.5 km", [5, 0.5]),
        (["1.1M €", "565K €"], "1000.5 €", [1.1e6, 565e3]),
    ],
)
def test_thousands_millions_and_zeros_are_numbers(texts, pattern: str, expected) -> None:
    assert find_number_format(pl.Series(texts), ".") == pattern
    assert to_numbers(pl.Series(texts), pattern).to_list() == pytest.approx(expected)


@pytest.mark.parametrize(
    "texts", [["3M", "5K", "2M"], ["4K", "8K", "1080"], ["2XL"], ["11Mins", "5.5Mins"]]
)
def test_names_with_a_letter_behind_are_no_thousands(texts: list[str]) -> None:
    assert find_number_format(pl.Series(texts), ".") is None


def test_a_minus_may_stand_behind_decimals() -> None:
    texts = pl.Series(["1.250,50-", "3,00-", "4,5", "-7"])
    assert find_number_format(texts, ".") == "1.000,5"
    assert to_numbers(texts, "1.000,5").to_list() == [-1250.5, -3, 4.5, -7]
    texts = pl.Series(["1.250,500-", "3,000-", "250,125"])  # as SAP writes quantities
    assert to_numbers(texts, "1.000,5").to_list() == [-1250.5, -3, 250.125]
    odd = pl.Series(["-3.50-", "(3.50-)", "3.50--", "-", "3-", "2.7-"])
    assert to_numbers(odd, "1000.5").to_list() == [None] * 6


@pytest.mark.parametrize(
    "texts", [["1", "1-", "2", "2-"], ["1.0", "1.3", "2.7-"], ["0-17", "18-64", "65-"]]
)
def test_grades_and_ages_are_no_negative_numbers(texts: list[str]) -> None:
    assert find_number_format(pl.Series(texts), ".") is None


@pytest.mark.parametrize("blank", ["\u00a0", "\u202f", "\u2009"])
def test_all_narrow_blanks_are_blanks(blank: str) -> None:
    texts = pl.Series([f"1{blank}000", f"12{blank}500{blank}€"[:6], "950"])
    assert find_number_format(texts, ".") == "1 000.5"
    assert to_numbers(texts, "1 000.5").to_list() == [1000, 12500, 950]


def test_a_sign_may_stand_on_either_side_and_parentheses_are_one() -> None:
    texts = ["-$5", "$-5", "($5)", "+$5", "$5", "(-$5)", "($5", "-$-5", "\u2212$5", "\u2013$5"]
    expected = [-5, -5, -5, 5, 5, None, None, None, -5, -5]
    texts = pl.Series(texts)
    assert to_numbers(texts, "$1,000.5").to_list() == expected
    assert find_number_format(pl.Series(["(0.50)", "1.25"]), ".") == "1000.5"


@pytest.mark.parametrize(
    "text",
    [
        "1,00",
        "1000,000",
        "1,0000",
        "0,512",
        "01,000",
        "1,000.5.0",
        "1 kg",
        "",
        "x",
        "1e3",
        "\uff15",
    ],
)
def test_what_is_not_of_the_format_is_no_number(text: str) -> None:
    assert to_numbers(pl.Series([text]), "1,000.5").to_list() == [None]


@pytest.mark.parametrize("text", ["5", "5 lb", "kg", "5 kg 5 kg"])
def test_a_unit_must_be_there_and_the_same(text: str) -> None:
    assert to_numbers(pl.Series([text, "5kg"]), "1000.5 kg").to_list() == [None, 5]


@pytest.mark.parametrize(
    ("texts", "decimal", "expected"),
    [
        # Three digits behind the decimal mark, but not always; or a mark that is another.
        (["950 kg", "1.100 kg", "2.25 kg"], ".", "1000.5 kg"),
        (["950 kg", "1,100 kg"], ".", "1,000.5 kg"),
        (["950 kg", "1.100 kg"], ",", "1.000,5 kg"),
        # Either way all are as large compared with each other.
        (["1.250 kg", "3.100 kg"], ".", "1000.5 kg"),
        # A thousand or one, and it matters.
        (["950 kg", "1.100 kg"], ".", None),
        (["950 kg", "1,100 kg"], ",", None),
    ],
)
def test_a_mark_that_may_be_either_is_not_guessed(texts, decimal, expected) -> None:
    assert find_number_format(pl.Series(texts), decimal) == expected


@pytest.mark.parametrize(
    "texts",
    [
        ["1.5", "2"],  # plain ones
        ["1.5", "1e5", "0.007", "oops", "x"],
        ["12 kg", "13 lb"],
        ["C001", "C002"],
        ["12A", "13A"],
        ["12a", "12b"],
        ["609 Oak Ave", "165 Elm Rd"],
        ["2 cups sugar", "4 cloves garlic"],
        ["64.34N", "12.5S"],
        ["10W", "5W", "0W"],  # few, all whole
        ["2L", "3L"],
        ["1x2", "4x2"],
        ["PHP 7.4", "PHP 8.1"],
        ["RM101", "RM102"],
        ["CAD 101", "CAD 202"],
        ["TAX$7", "TAX$8"],
        ["10\u201320", "20\u201330"],
        ["4WD", "2WD"],
        ["007 kg", "008 kg"],
        ["12:30", "13:45"],
        ["2024-05-01", "2024-05-02"],
        ["10.0.0.1", "10.0.0.2"],
        ["+49 30 1234", "+49 40 5678"],
        ["0x10", "0x20"],
        ["1_000", "2_000"],
        ["\uff15 kg", "\uff16 kg"],
        ["a", "b"],
        [None, None],
    ],
)
def test_names_dates_and_plain_numbers_have_no_format(texts: list) -> None:
    assert find_number_format(pl.Series(texts, dtype=pl.String), ".") is None


def test_the_format_is_that_of_most_texts() -> None:
    texts = pl.Series([*(f"{i} kg" for i in range(9)), "unknown", None])
    assert find_number_format(texts, ".") == "1000.5 kg"
    assert np.isnan(to_numbers(texts, "1000.5 kg").to_numpy()).sum() == 2
    words = texts.cast(pl.Enum(["heavy", *texts.drop_nulls().unique().sort()]))
    assert find_number_format(words, ".") == "1000.5 kg"
