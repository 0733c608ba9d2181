"""Numbers with signs, units and marks between thousands: how they are written, what they are.

A format is how it would write 1000.5: `$1,000.5`, `1 000,5`, `1000.5 kg`.
"""

import re

import numpy as np
import polars as pl

from nnlab.data.columns.number_grammar import (
    ALIKE,
    CERTAIN_MULTIPLE,
    COURSE,
    LONG,
    MARKED,
    MULTIPLE,
    PADDED,
    WRITTEN,
    plain_numbers,
)
from nnlab.data.columns.words import by_word, different_texts

_FORMAT = re.compile(r"(.*)1(\D?)000([.,])5(.*)")
_MULTIPLES = {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6}
# How many texts are looked at first, and how many tell the format.
_FIRST, _SAMPLE = 20, 20_000
# With fewer different numbers, all of them whole, what has a unit may be a name, such as 5W.
_FEW_NUMBERS = 12


def hold_one_number_twice(values: pl.Series, decimal: str) -> bool:
    """Whether two texts of a column are one number, as the versions 1.1 and 1.10 are.

    1 and 1.0 count as one text: pandas writes 1 as 1.0 once another cell is missing.
    """
    texts = different_texts(values).str.replace(r"[.,]0*$", "").unique()
    numbers = plain_numbers(texts, decimal).drop_nulls()
    return numbers.n_unique() < len(numbers)


def as_plain_numbers(values: pl.Series, decimal: str) -> pl.Series | None:
    """A column of text as numbers, if all of its texts are plain ones.

    Those with leading zeros and those beyond 64 bits are codes, as `read_table` has it.

    Args:
        values: Texts, null where missing.
        decimal: The decimal mark.

    Returns:
        Int64 or Float64; None if a text is no such number, or there is none.
    """
    # Most columns of text hold none, and their first values tell.
    first = values.head(1000).drop_nulls().head(_FIRST).cast(pl.String)
    if plain_numbers(first, decimal).null_count() > 0:
        return None
    texts = different_texts(values)
    if texts.is_empty() or texts.str.contains(PADDED).any():
        return None
    if _whole(texts).null_count() == 0:
        return by_word(values, _whole)
    is_long = texts.str.contains(LONG).any()
    if is_long or not plain_numbers(texts, decimal).is_not_nan().all(ignore_nulls=False):
        return None
    return by_word(values, lambda cells: plain_numbers(cells, decimal))


def _whole(texts: pl.Series) -> pl.Series:
    return texts.str.strip_chars().cast(pl.Int64, strict=False)


def find_number_format(values: pl.Series, decimal: str) -> str | None:
    """How most texts of a column write numbers.

    Args:
        values: Texts, null where missing.
        decimal: The decimal mark of plain numbers in the same file.

    Returns:
        A format, which need not fit every text, unless its unit is no usual one; None if most are
        no numbers, if no more are than plain ones, if units differ, or if 1.100 may be 1100 or
        little more than 1, and it matters.
    """
    texts = different_texts(values)
    written = WRITTEN
    if not are_mostly_numbers(texts.head(_FIRST)):
        written = ALIKE
        if texts.is_empty() or not with_plain_marks(texts.head(_FIRST)).str.contains(ALIKE).all():
            return None
    texts = texts.gather_every(len(texts) // _SAMPLE + 1).unique(maintain_order=True)
    unread = plain_numbers(texts, decimal).null_count()
    if texts.str.contains(MULTIPLE).any() and not texts.str.contains(CERTAIN_MULTIPLE).any():
        return None
    before, after_multiple, after = (
        with_plain_marks(texts).str.extract_groups(written).struct.unnest()
    )
    affixes = pl.DataFrame([before, after.fill_null(after_multiple)]).drop_nulls()
    prefix, suffix = affixes.to_struct().value_counts(sort=True).to_series()[0].values()
    other = "," if decimal == "." else "."
    readings: dict[str, pl.Series] = {}
    for mark in (decimal, other):
        for thousands in ("", "." if mark == "," else ",", " ", "'"):
            pattern = f"{prefix}1{thousands}000{mark}5{suffix}"
            readings[pattern] = to_numbers(texts, pattern)
    best = min(readings, key=lambda pattern: readings[pattern].null_count())
    numbers = readings[best]
    if numbers.null_count() >= min(unread, len(texts) / 2):
        return None
    if written == ALIKE:
        may_be_names = numbers.n_unique() < _FEW_NUMBERS and not texts.str.contains(MARKED).any()
        if numbers.null_count() > 0 or may_be_names:
            return None
    # With three digits behind it each time, the decimal mark may stand between thousands instead.
    if best == f"{prefix}1000{decimal}5{suffix}":
        other_way = readings[f"{prefix}1{decimal}000{other}5{suffix}"]
        if other_way.null_count() == numbers.null_count() and _differ(numbers, other_way):
            return None
    return best


def _differ(numbers: pl.Series, thousandfold: pl.Series) -> bool:
    """Whether two readings differ otherwise than by their unit, a thousand."""
    if thousandfold.equals(numbers):
        return False
    large, small = (reading.drop_nulls().to_numpy() for reading in (thousandfold, numbers))
    return not np.allclose(large, small * 1000, rtol=1e-9, atol=0)


def are_mostly_numbers(texts: pl.Series) -> bool:
    """Whether most texts look like numbers, however they are written; in many, a sample tells."""
    texts = texts.gather_every(len(texts) // _SAMPLE + 1)
    texts = with_plain_marks(texts)
    are_numbers = texts.str.contains(WRITTEN) & ~texts.str.contains(COURSE)
    return bool(are_numbers.sum() * 2 > len(texts))


def to_numbers(values: pl.Series, pattern: str) -> pl.Series:
    """The numbers that texts of a format stand for.

    Those in parentheses are negative, as are those with decimals and a minus behind them. Units
    are not converted: `5 %` is 5; but `1.1M` is 1100000, `2k` is 2000, and 0 needs no unit.

    Args:
        values: Strings, null where missing.
        pattern: The format.

    Returns:
        Float64, null where missing or not of the format.
    """
    found = _FORMAT.fullmatch(pattern)
    if found is None:
        raise ValueError(f"a format must be how 1000.5 is written, got '{pattern}'")
    prefix, thousands, decimal, suffix = found.groups()
    prefix, suffix = (re.escape(affix.strip()) for affix in (prefix, suffix))
    thousands, decimal = re.escape(thousands), re.escape(decimal)
    grouped = rf"|[1-9][0-9]{{0,2}}(?:{thousands}[0-9]{{3}})+" if thousands else ""
    # Of a unit, letters before it are a part.
    multiples = "[kKM]?" if re.fullmatch(r"\W*|[A-Z]{3}", suffix) else ""
    number = rf"(?:0|[1-9][0-9]*{grouped})(?:{decimal}[0-9]*)?|{decimal}[0-9]+"
    parts = with_plain_marks(values).str.extract_groups(
        rf"^(\(|[+-]?){prefix} ?([+-]?)({number})({multiples}) ?{suffix}(\)?)$"
    )
    first, second, digits, multiple, last = parts.struct.unnest().get_columns()
    is_negative = (first == "(") | (first == "-") | (second == "-")
    is_odd = ((first == "(") != (last == ")")) | ((first != "") & (second != ""))
    if thousands:
        digits = digits.str.replace_all(thousands, "")
    numbers = digits.str.replace(decimal, ".").cast(pl.Float64, strict=False)
    if multiples and (multiple != "").any():
        numbers *= multiple.replace_strict(_MULTIPLES, default=None, return_dtype=pl.Float64)
    numbers *= is_negative.cast(pl.Float64) * -2 + 1
    numbers = numbers.set(is_odd.fill_null(False), None)
    if (prefix or suffix) and numbers.null_count() > values.null_count():
        is_zero = values.str.contains(r"^\s*0([.,]0+)?\s*$").fill_null(False)
        numbers = numbers.set(is_zero, 0.0)
    return numbers.alias(values.name)


def unit_of(pattern: str) -> str:
    """What stands around the number in a format, such as `$` or `kg`; nothing in most.

    >>> unit_of("1,000.5 kg"), unit_of("1 000.5")
    ('kg', '')
    """
    found = _FORMAT.fullmatch(pattern)
    return (found[1] + found[4]).strip() if found else ""


def without_unit(what: str, unit: str, *, may_be_shares: bool) -> str:
    """A sentence on numbers that come without the unit of training.

    Args:
        what: Of what they are, such as `column 'price'`.
        unit: That of training, as `unit_of` gives it.
        may_be_shares: Whether none is beyond 1, where 1 may be 100 %.
    """
    hint = "; multiply them by 100 if 1 is all" * (unit == "%" and may_be_shares)
    return (
        f"{what}: its numbers have no unit and are taken for those of '{unit}', as in training"
        f"{hint}"
    )


def with_plain_marks(texts: pl.Series) -> pl.Series:
    """Texts with one kind of blank, apostrophe and minus, which stands before the number.

    There a dash is one, too; elsewhere it stands in ranges. Behind the number it is one of two
    decimals, or three, as SAP writes amounts: 2- is a grade, and 65- an age.
    """
    texts = (
        texts.str.strip_chars()
        .str.replace_all("[\u00a0\u2009\u202f]", " ")
        .str.replace_all("\u2019", "'", literal=True)
        .str.replace_all("\u2212", "-", literal=True)
        .str.replace("^[\u2012\u2013]", "-")
    )
    if not texts.str.ends_with("-").any():
        return texts
    return texts.str.replace(r"^([0-9][0-9., ']*[.,][0-9]{2,3})-$", "-$1")
