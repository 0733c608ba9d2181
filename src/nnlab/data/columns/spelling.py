"""One spelling for values that files and data frames write in many ways."""

from collections.abc import Sequence

import polars as pl

from nnlab.data.columns.number_grammar import from_decimal_comma, plain_numbers
from nnlab.data.columns.words import by_word

# From here on float64 cannot tell neighbouring whole numbers apart.
LARGEST_WHOLE = 2**53
TRUE = ("true", "t", "yes", "y", "on", "1", "1.0")
FALSE = ("false", "f", "no", "n", "off", "0", "0.0")
"""How booleans are written, in small letters."""


def boolean_text(values: pl.Series) -> pl.Series:
    """Booleans however they are written as `true` and `false`; other texts as they are."""
    words = {**dict.fromkeys(TRUE, "true"), **dict.fromkeys(FALSE, "false")}
    return by_word(
        values,
        lambda cells: cells.cast(pl.String).str.strip_chars().str.to_lowercase().replace(words),
    )


def number_text(values: pl.Series) -> pl.Series:
    """Numbers however they are written as text: 1, 1.0 and 01 as `1`; other texts as they are."""
    if values.dtype == pl.Enum:
        return by_word(values, number_text)
    if values.dtype.is_integer():
        return values.cast(pl.String)
    if values.dtype == pl.Float32:  # 0.1 is not what float64 makes of it
        values = values.fill_nan(None).cast(pl.String)
    elif values.dtype.is_float():
        values = values.fill_nan(None)
    text = values.cast(pl.String).str.strip_chars()
    floats = (values if values.dtype.is_numeric() else text).cast(pl.Float64, strict=False)
    is_whole = (floats == floats.round()) & (floats.abs() < LARGEST_WHOLE)
    whole = floats.set(~is_whole.fill_null(False), None).cast(pl.Int64, strict=False)
    wide = text.cast(pl.Int64, strict=False)  # those that a float cannot hold
    return (
        pl.DataFrame({"a": wide, "b": whole, "c": floats, "d": text})
        .select(pl.coalesce(pl.all().cast(pl.String)))
        .to_series()
        .alias(values.name)
    )


def spelled_numbers(spellings: Sequence[str], decimal: str = ".") -> pl.Series:
    """Those of the spellings of a missing value that are numbers, as `number_text` has them."""
    texts = pl.Series(spellings, dtype=pl.String)
    numbers = plain_numbers(texts, decimal)
    # As texts, because a float cannot hold every whole number.
    plain = from_decimal_comma(texts).cast(pl.String) if decimal == "," else texts
    return number_text(plain.filter(numbers.is_not_nan()))


def without_numbers(values: pl.Series, spelled: pl.Series) -> pl.Series:
    """A column, null where a number is one of some: -999, -999.0 and -999.00 are the same.

    Args:
        values: Numbers, or texts of them.
        spelled: What `spelled_numbers` gave.
    """
    if spelled.is_empty():
        return values
    is_exact = values.dtype.is_integer() or values.dtype.is_float()
    cells = values if is_exact else values.cast(pl.Float64, strict=False)
    # Of the column's own type: whole numbers have no fractions, and narrow ones are rounded.
    numbers = spelled.cast(cells.dtype, strict=False).drop_nulls()
    is_missing = cells.is_in(numbers.implode()).fill_null(False)
    return values.set(is_missing, None) if is_missing.any() else values
