"""What people mean as numbers: the patterns, of regular expressions, and the plain ones read."""

import math
import re

import polars as pl

from nnlab.suggestions import setting

_SIGN = r"(?:[A-Z]{0,2}\p{Sc}|USD|EUR|GBP|CHF|JPY|CNY|INR|Rs\.?)"
_CODE = (
    "(?:AED|AUD|BRL|CAD|CZK|DKK|HKD|HUF|IDR|ILS|KRW|MXN|MYR|NOK|NZD|PLN|RUB|SAR|SEK|SGD|THB|ZAR)"
)
_BEFORE = rf"(?:{_SIGN}|{_CODE})"
COURSE = rf"^{_CODE} ?[0-9]+$"
"""The name of a currency before a whole number, which may be that of a course or a room."""
CURRENCY = rf"(?:{_BEFORE}|RON|TRY|zł|Kč|kr\.?|Ft|lei|円|元|원)"
"""A currency's sign or name, some of which stand behind numbers alone."""

# Letters right behind a number may be a code's, as in 12A, unless they look like kg or km/h.
_UNIT = rf"(?:{CURRENCY}|[%‰°]|°[CF]|[a-zµ][a-zA-Z/²³]{{1,7}}| [a-zA-Zµ][a-zA-Z/²³.]{{0,11}})"
_AMOUNT = r"[0-9.,' ]*[0-9][.,]?"

_SUFFIX = rf"(?:[kKM]( ?{CURRENCY}|)|( ?{_UNIT}|))"
WRITTEN = rf"^\(?[+-]?({_BEFORE} ?|)[+-]?(?:[0-9]|[.,][0-9])[0-9., ']*?{_SUFFIX}\)?$"
"""A number however it is written; groups are what stands before it and behind it, if it ends in
thousands or millions, such as 1.1M, and if not."""

# Units only where all of a column's numbers have the same: alone they may be words, or codes.
_WORD = r"[\p{L}/²³.]{1,12}"
_ALIKE_UNIT = rf"[gmshltdyLVWCF]| ?(?:[cdkm]?m|ft|in|yd)[23]| {_WORD}(?: {_WORD})?"
ALIKE = rf"^()[+-]?(?:[0-9]|[.,][0-9])[0-9., ']*?()({_ALIKE_UNIT})$"
"""A number with such a unit; groups as those of `WRITTEN`."""
MARKED = r"[0-9][.,' ][0-9]"
"""In it a mark of decimals or thousands."""
MULTIPLE = r"[0-9][kKM]\)?$"
"""Thousands or millions, as in 1.1M, unless that is a name such as 3M."""
CERTAIN_MULTIPLE = rf"^[(+-]*{_BEFORE}.*[kKM]\)?$|[.,][0-9]+[kKM]\)?$"
"""The same where it is no name."""

OTHER_DIGITS = r"^[+-]?[\p{Nd}.,\u066b\u066c]*[\p{Nd}&&[^0-9]][\p{Nd}.,\u066b\u066c]*$"
"""A number in digits of another script than 0 to 9."""
_MARKED_AMOUNT = r"[0-9.,' ]*[0-9][.,' ][0-9]+"
_CURRENCY_FIRST = rf"{_SIGN}\s*[-+]?{_AMOUNT}|{_CODE}\s*[-+]?{_MARKED_AMOUNT}"
MONEY = rf"^[-+(]?\s*({_CURRENCY_FIRST}|{_AMOUNT}\s*{CURRENCY})\)?$"
PERCENTAGE = rf"^[+-]?{_AMOUNT}\s*%$"
WITH_UNIT = rf"^[+-]?{_AMOUNT}\s*([\p{{L}}°][\w°²³/]*)\.?$"
"""A number and a unit, its group; names such as 2D are so, too."""

WITH_COMMA = r"^[+-]?([0-9]+|[0-9]*,[0-9]+)$"
"""A whole number, or one with a comma in it."""
WITH_DECIMAL_COMMA = r"^[+-]?([0-9]+|[0-9]*,([0-9]{1,2}|[0-9]{4,}))$"
"""The same where the comma cannot mark thousands."""
CERTAIN_DECIMAL_COMMA = r"^[+-]?0?,[0-9]"
"""A number in which the comma cannot mark thousands, however many digits are behind it."""
COMMA_THOUSANDS = r"^[+-]?[0-9]{1,3}(,[0-9]{3})+$"
POINT_THOUSANDS = r"^[+-]?[1-9][0-9]{0,2}\.[0-9]{3}$"
"""A number such as 1.000, which may be one or a thousand."""
POINTS_AND_COMMA = r"^[+-]?[0-9]{1,3}(\.[0-9]{3})*(,[0-9]+)?$"
CERTAIN_POINT_THOUSANDS = r"\.[0-9]{3}[.,]"
"""In it a point that marks thousands for sure."""
WITH_THOUSANDS = r"^[+-]?[0-9]{1,3}(([,' ][0-9]{3})*(\.[0-9]*)?|(\.[0-9]{3})*(,[0-9]*)?)$"
"""A number with marks between thousands, or one of up to three digits."""

LONG = r"^\s*[+-]?[0-9]{19,}\s*$"
"""A whole number that may be beyond 64 bits."""
PADDED = r"^\s*[+-]?0[0-9]"
"""A number with leading zeros."""


def as_number(text: str) -> float | None:
    """The number that a text is; None for NaN and for words."""
    try:
        number = float(text)
    except ValueError:
        return None
    return None if math.isnan(number) else number


def plain_numbers(texts: pl.Series, decimal: str) -> pl.Series:
    """Float64 of texts, null where they are no numbers with this decimal mark and nothing else."""
    if decimal == ",":
        return from_decimal_comma(texts)
    return texts.str.strip_chars().cast(pl.Float64, strict=False)


def from_decimal_comma(cells: pl.Series) -> pl.Series:
    """Numbers such as 3,5 and 1.234,5; of 1.234 nobody knows what it means, so it is none."""
    number = cells.str.strip_chars_start(" \t")
    # A comma or another point behind it shows that a point marks thousands.
    is_grouped = number.str.contains(r"^[+-]?\d{1,3}(\.\d{3})+(\.\d{3}|,\d*)$").fill_null(False)
    number = number.str.replace_all(".", "", literal=True).zip_with(is_grouped, number)
    has_point = number.str.contains(".", literal=True).fill_null(False)
    number = number.str.replace(",", ".", literal=True).set(has_point, None)
    return number.cast(pl.Float64, strict=False)


def way_out_of_comma(cell: str) -> str:
    """What can be done about a number with a comma, where none was meant.

    >>> print(way_out_of_comma("12,5"))
    set 'data.decimal=","' if the comma is a decimal mark
    """
    way_out = f"set {setting('data.decimal', ',')} if the comma is a decimal mark"
    if re.fullmatch(COMMA_THOUSANDS, cell.strip()):
        way_out += ", or take it out if it marks thousands"
    return way_out
