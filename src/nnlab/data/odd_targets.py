"""Targets that are meant as numbers, but are written as no reader takes them for some."""

from collections.abc import Iterator
from typing import cast

import polars as pl

from nnlab.data.columns.cell_error import CellError
from nnlab.data.columns.date_inference import find_formats
from nnlab.data.columns.number_formats import (
    find_number_format,
    to_numbers,
    unit_of,
    with_plain_marks,
)
from nnlab.data.columns.number_grammar import (
    CERTAIN_DECIMAL_COMMA,
    CURRENCY,
    MONEY,
    OTHER_DIGITS,
    PADDED,
    PERCENTAGE,
    WITH_COMMA,
    WITH_DECIMAL_COMMA,
    WITH_THOUSANDS,
    WITH_UNIT,
    plain_numbers,
)
from nnlab.data.columns.odd_cells import missing_words
from nnlab.data.columns.words import is_text
from nnlab.data.targets import MAX_INTEGER_CLASSES, infer_task, target_numbers

# Numbers that are none to a reader: what they are, their pattern, the way out.
_ODD_NUMBERS = (
    ("numbers in other digits", OTHER_DIGITS, "write them with the digits 0 to 9"),
    ("amounts of money", MONEY, "leave out the currency and all marks but that of decimals"),
    ("percentages", PERCENTAGE, "leave out the %"),
    ("numbers with a decimal comma", WITH_DECIMAL_COMMA, "set 'data.decimal=\",\"'"),
    ("numbers with marks for thousands", WITH_THOUSANDS, "leave out these marks"),
)


# Up to this share of a target's cells are taken for mistakes.
_FEW = 0.1


def find_target_format(target: pl.Series, task: str, decimal: str) -> str | None:
    """How a target writes its numbers, if all of them alike, and nobody would take them for labels.

    Args:
        target: The target column, without missing values.
        task: The task that is said. Where that is `auto`, values must be many, with the unit of
            money or %, or without one, but with a point, comma or apostrophe: all else may be
            names, such as 3 kg and 10 115.
        decimal: The decimal mark.

    Returns:
        A format (`nnlab.data.columns.number_formats`); None if they are plain numbers or others.
    """
    if not is_text(target) or task not in ("auto", "regression"):
        return None
    texts = target.unique(maintain_order=True)
    if task == "auto" and len(texts) <= MAX_INTEGER_CLASSES:
        return None
    pattern = find_number_format(texts, decimal)
    if pattern is None or to_numbers(texts, pattern).has_nulls():
        return None
    # The mark that is not that of other columns may stand between thousands, unless the digits
    # behind it are too few or too many for that.
    if f"{decimal}5" not in pattern and not texts.str.contains(WITH_DECIMAL_COMMA).all():
        return None
    if task == "regression":
        return pattern
    unit = pl.Series([unit_of(pattern)])
    has_mark = unit.item() == "" and texts.str.contains(r"\d[.,'\u2019]\d").any()
    return pattern if has_mark or unit.str.contains(rf"^({CURRENCY}|%)$").item() else None


def written_numbers(target: pl.Series, pattern: str) -> pl.Series:
    """The numbers of a target that writes them by a format, Float64.

    Raises:
        CellError: A value is not of the format.
    """
    numbers = to_numbers(target, pattern)
    unread = numbers.is_null()
    if unread.any():
        row = cast(int, unread.arg_max())
        raise CellError(
            f"target '{target.name}' must hold numbers such as {pattern}, got '{target[row]}'",
            row,
            "write the whole column so" if 1 < len(target) == unread.sum() else "mend the cell",
            count=int(unread.sum()),
        )
    return numbers


def refuse_odd_numbers(target: pl.Series, task: str, decimal: str) -> None:
    """Refuse a target of numbers that are written as no number is read, and one of dates.

    Each would be a class of its own.

    Args:
        target: The target column, without missing values.
        task: The task that is said, or `auto`.
        decimal: The decimal mark.

    Raises:
        CellError: More than half of the values are such numbers, or all are dates.
    """
    if not is_text(target) or task not in ("auto", "regression"):
        return
    texts, rows = _counted(target)
    is_number = target_numbers(texts, decimal).is_not_null()
    labels = "binary" if len(texts) == 2 else "multiclass"
    # Where most are plain numbers, others among them are words.
    are_words = rows.filter(is_number).sum() > len(target) / 2
    found = None if are_words else next(_find_odd(texts, rows), None)
    found = found or _find_format(texts, decimal)
    if found is None:
        return
    _refuse_few_others(target, task, decimal)
    what, odd, way_out = found
    if task == "auto" and find_target_format(target, "regression", decimal):
        way_out = "set data.task=regression if they are numbers"
    elif decimal == "." and find_target_format(target, task, ","):
        way_out = "set 'data.decimal=\",\"'"
    elif decimal == "," and not plain_numbers(texts, ".").has_nulls():
        way_out = "set 'data.decimal=\".\"' if the point is a decimal mark"
    row = int(target.is_in(texts.filter(odd & ~is_number).to_list()).arg_max() or 0)
    raise CellError(
        f"target '{target.name}' must hold plain numbers or labels, got {what} such as "
        f"'{target[row]}'",
        row,
        f"{way_out}, or set data.task={labels} if they are labels",
    )


def _refuse_few_others(target: pl.Series, task: str, decimal: str) -> None:
    """Refuse the few cells that keep a target from being read by the format of all others."""
    pattern = find_number_format(target.unique(maintain_order=True), decimal)
    if pattern is None or f"{decimal}5" not in pattern:
        return
    unread = to_numbers(target, pattern).is_null()
    if not 0 < unread.sum() <= len(target) * _FEW:
        return
    if find_target_format(target.filter(~unread), task, decimal) != pattern:
        return
    others = target.filter(unread)
    raise CellError(
        f"target '{target.name}' must hold numbers such as {pattern}, got '{others[0]}'",
        cast(int, unread.arg_max()),
        words=missing_words(others),
        count=len(others),
    )


def _counted(target: pl.Series) -> tuple[pl.Series, pl.Series]:
    """The different texts of a target, and the rows of each: a large one has few of them."""
    texts, rows = target.alias("text").value_counts(name="rows")
    return texts, rows


def _find_odd(texts: pl.Series, rows: pl.Series) -> Iterator[tuple[str, pl.Series, str]]:
    """What most rows of a target are, if numbers in some way; which texts are; the way out."""
    half = rows.sum() / 2
    texts = with_plain_marks(texts)
    are_plain = plain_numbers(texts, ".").is_not_null()
    has_certain = texts.str.contains(CERTAIN_DECIMAL_COMMA).any()
    for what, pattern, way_out in _ODD_NUMBERS:
        is_comma = pattern == WITH_DECIMAL_COMMA and has_certain
        odd = texts.str.contains(WITH_COMMA if is_comma else pattern)
        if rows.filter(odd).sum() > half and (odd & ~are_plain).any():
            yield what, odd, way_out
    # Few might be names, such as 2D and 3D.
    if len(texts) > MAX_INTEGER_CLASSES:
        units = texts.str.extract(WITH_UNIT).alias("unit")
        of_units = pl.DataFrame([units, rows]).drop_nulls().group_by("unit").agg(pl.sum("rows"))
        for unit in of_units.filter(pl.col("rows") > half)["unit"]:
            yield "numbers with a unit", (units == unit).fill_null(False), "leave the unit out"
    if find_formats(texts):
        yield "dates", texts.is_not_null(), "make numbers of them, such as days since the first"


def _find_format(texts: pl.Series, decimal: str) -> tuple[str, pl.Series, str] | None:
    """The same of texts that are all numbers, but not all plain, such as (3)."""
    odd = texts.filter(target_numbers(texts, decimal).is_null())
    if odd.is_empty() or (len(odd) == len(texts) <= MAX_INTEGER_CLASSES):
        return None  # few that are all written so may be names, such as (1) and (2)
    pattern = find_number_format(odd, decimal)
    # With a unit, they may be names.
    if pattern is None or unit_of(pattern) or to_numbers(texts, pattern).null_count():
        return None
    return "numbers", texts.is_not_null(), "write all of them plainly, such as -1000.5"


def find_words(target: pl.Series, task: str, decimal: str) -> list[int]:
    """The rows of words that keep a target from being one of numbers.

    Numbers are meant where regression is said, or where most cells are numbers, none with a
    leading zero, and these alone would be a target of regression: with a word among them, each
    number would be a class.

    Args:
        target: The target column, without missing values.
        task: The task that is said, or `auto`.
        decimal: The decimal mark.

    Returns:
        Their indices; none where labels are meant.
    """
    if target.dtype.is_numeric() or task not in ("auto", "regression"):
        return []
    texts, rows = _counted(target)
    numbers = target_numbers(texts, decimal)
    is_word, present = numbers.is_null(), numbers.drop_nulls()
    distinct = present.n_unique()
    if task == "auto":
        mostly_words = rows.filter(is_word).sum() > len(target) / 2
        if mostly_words or distinct < 2 or texts.str.contains(PADDED).any():
            return []
        if infer_task(present, distinct) != "regression":
            return []
    if distinct == 0 or not is_word.any():
        return []
    found: list[int] = target.is_in(texts.filter(is_word).to_list()).arg_true().to_list()
    return found
