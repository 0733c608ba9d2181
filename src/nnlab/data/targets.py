"""What is predicted: the task, the classes, and targets as numbers."""

import re
from collections.abc import Iterator, Sequence
from typing import cast

import polars as pl
import torch
from torch import Tensor

from nnlab.data.columns.cell_error import CellError
from nnlab.data.columns.dates import find_formats
from nnlab.data.columns.kinds import count_distinct
from nnlab.data.columns.number_formats import (
    find_number_format,
    to_numbers,
    unit_of,
    with_plain_marks,
)
from nnlab.data.columns.number_grammar import (
    CERTAIN_DECIMAL_COMMA,
    MONEY,
    PADDED,
    PERCENTAGE,
    WITH_COMMA,
    WITH_DECIMAL_COMMA,
    WITH_THOUSANDS,
    WITH_UNIT,
    from_decimal_comma,
    plain_numbers,
    way_out_of_comma,
)
from nnlab.data.columns.odd_cells import missing_words
from nnlab.data.columns.spelling import boolean_text, number_text
from nnlab.data.columns.words import is_text
from nnlab.data.names import on_one_line
from nnlab.spec import Task
from nnlab.suggestions import few

# The square of a residual must be finite.
_LARGEST = 1e150
# A target of whole numbers with at most this many different ones is taken for classes.
_MAX_INTEGER_CLASSES = 20
# Numbers that are none to a reader: what they are, their pattern, the way out.
_ODD_NUMBERS = (
    ("amounts of money", MONEY, "leave out the currency and all marks but that of decimals"),
    ("percentages", PERCENTAGE, "leave out the %"),
    ("numbers with a decimal comma", WITH_DECIMAL_COMMA, "set 'data.decimal=\",\"'"),
    ("numbers with marks for thousands", WITH_THOUSANDS, "leave out these marks"),
)
# With more different numbers, nobody would mean classes.
_FEW_VALUES = 50
_CLASSES_SHOWN = 6


def infer_task(target: pl.Series, distinct: int) -> Task:
    """The task that a target suggests.

    Args:
        target: The target column, without missing values.
        distinct: How many different values it takes (`count_distinct`).

    Returns:
        `binary` for two values; `multiclass` for text and for whole numbers of at most 20
        different values; else `regression`.

    Raises:
        ValueError: The target takes a single value.
    """
    if distinct < 2:
        raise ValueError(
            f"target '{target.name}' must take at least two values, got {distinct} in "
            f"{len(target)} rows"
        )
    if distinct == 2:
        return "binary"
    few_integers = target.dtype.is_integer() and distinct <= _MAX_INTEGER_CLASSES
    return "multiclass" if few_integers or not target.dtype.is_numeric() else "regression"


def may_be_classes(target: pl.Series) -> bool:
    """Whether a missing value of a target may be a class that is called `None` or `NA`."""
    present = target.drop_nulls()
    distinct = count_distinct(present)
    return distinct < 2 or infer_task(present, distinct) != "regression"


def describe_values(target: pl.Series, distinct: int, task: Task) -> str:
    """A target's values for a person: how many there are, and of classes which ones.

    Args:
        target: The target column, without missing values.
        distinct: How many different values it takes.
        task: The task that is to be learned.

    Returns:
        Such as `3 values of size: 'L' 7, 'M' 5, 'S' 2`, and how to choose another task where
        the values leave that open.
    """
    text = f"{distinct:,} values of {target.name}"
    if task == "regression":
        is_open = distinct <= _FEW_VALUES
        return f"{text}; data.task=multiclass takes them as classes" if is_open else text
    counts = target.alias("class").value_counts(name="rows").sort("rows", "class", descending=True)
    names = map(on_one_line, _class_text(counts["class"][:_CLASSES_SHOWN]))
    rows = counts["rows"][:_CLASSES_SHOWN]
    text += ": " + ", ".join(f"'{n}' {count:,}" for n, count in zip(names, rows, strict=True))
    if len(counts) > _CLASSES_SHOWN:
        text += f" and {len(counts) - _CLASSES_SHOWN:,} more"
    is_open = task == "multiclass" and target.dtype.is_numeric()
    return f"{text}; data.task=regression takes them as numbers" if is_open else text


def refuse_unlearnable(target: pl.Series) -> None:
    """Refuse a target with numbers that no network could learn.

    Raises:
        ValueError: A number is infinite or beyond 1e150 (`CellError`, with its row).
    """
    if target.dtype.is_float():
        too_large = (target.abs() > _LARGEST).arg_true()
        if len(too_large):
            row = int(too_large[0])
            raise CellError(
                f"target '{target.name}' must hold finite numbers up to {_LARGEST:g}, "
                f"got '{target[row]}'",
                row,
                count=len(too_large),
            )


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
    is_number = _numbers(texts, decimal).is_not_null()
    labels = "binary" if len(texts) == 2 else "multiclass"
    # Where most are plain numbers, others among them are words.
    are_words = rows.filter(is_number).sum() > len(target) / 2
    found = None if are_words else next(_find_odd(texts, rows), None)
    found = found or _find_format(texts, decimal)
    if found is None:
        return
    what, odd, way_out = found
    row = int(target.is_in(texts.filter(odd & ~is_number).to_list()).arg_max() or 0)
    raise CellError(
        f"target '{target.name}' must hold plain numbers or labels, got {what} such as "
        f"'{target[row]}'",
        row,
        f"{way_out}, or set data.task={labels} if they are labels",
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
    if len(texts) > _MAX_INTEGER_CLASSES:
        units = texts.str.extract(WITH_UNIT).alias("unit")
        of_units = pl.DataFrame([units, rows]).drop_nulls().group_by("unit").agg(pl.sum("rows"))
        for unit in of_units.filter(pl.col("rows") > half)["unit"]:
            yield "numbers with a unit", (units == unit).fill_null(False), "leave the unit out"
    if find_formats(texts):
        yield "dates", texts.is_not_null(), "make numbers of them, such as days since the first"


def _find_format(texts: pl.Series, decimal: str) -> tuple[str, pl.Series, str] | None:
    """The same of texts that are all numbers, but not all plain, such as (3)."""
    odd = texts.filter(_numbers(texts, decimal).is_null())
    if odd.is_empty() or (len(odd) == len(texts) <= _MAX_INTEGER_CLASSES):
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
    numbers = _numbers(texts, decimal)
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


def _numbers(target: pl.Series, decimal: str) -> pl.Series:
    """A target's texts as numbers, null where they are words."""
    if decimal == ",":
        return from_decimal_comma(target)
    text = target.cast(pl.String).str.strip_chars()
    whole, numbers = text.cast(pl.Int64, strict=False), text.cast(pl.Float64, strict=False)
    return whole if whole.null_count() == numbers.null_count() else numbers


def find_classes(target: pl.Series, task: Task) -> list[str]:
    """The classes of a target in their order; none for regression.

    Raises:
        ValueError: The target does not suit the task, or a class has a single row, which could
            not be both learned and tested (`CellError`).
    """
    if task == "regression":
        if not target.dtype.is_numeric():
            raise ValueError(
                f"task=regression needs a target of numbers, got '{target.name}' with values "
                f"such as '{target[0]}'"
            )
        return []
    counts = target.alias("class").value_counts(name="rows").sort("class")
    names = _class_text(counts["class"]).to_list()
    if task == "binary" and len(names) != 2:
        raise ValueError(
            f"task=binary needs a target of two values, got {len(names)} in '{target.name}'"
        )
    rare = counts["rows"].arg_min()
    if rare is not None and counts["rows"][rare] < 2:
        raise CellError(
            f"every class of '{target.name}' must have at least two rows, got one of "
            f"'{names[rare]}'",
            int((target == counts["class"][rare]).arg_true()[0]),
            _way_out_of_rare(counts["class"]),
        )
    return names


def _way_out_of_rare(classes: pl.Series) -> str:
    """The way out of a class with a single row."""
    if classes.dtype.is_numeric():
        return "for numbers give data.task=regression"
    way_out = "add another, or leave the row out"
    # Such as 12.50- and 4h 57m.
    begin_as_numbers = classes.cast(pl.String).str.contains(r"^\W*\d").mean()
    if len(classes) > _FEW_VALUES and cast(float, begin_as_numbers) > 0.5:
        way_out += ", or, if they are numbers, write all of them plainly, such as -1000.5"
    return way_out


def encode_targets(target: pl.Series, class_names: Sequence[str], decimal: str = ".") -> Tensor:
    """Targets `(rows,)`: indices of classes (int64), or numbers (float64) where there are none.

    Args:
        target: The target column, without missing values.
        class_names: The classes; none for regression.
        decimal: The decimal mark of numbers that are text.

    Raises:
        CellError: A value is not one of the classes, or not a number.
    """
    if not class_names:
        numbers = target if target.dtype.is_numeric() else _numbers(target, decimal)
        words = target.filter(numbers.is_null())
        if len(words):
            row = int(numbers.is_null().arg_max() or 0)
            message = f"target '{target.name}' must hold numbers, got '{words[0]}'"
            error = CellError(message, row, words=missing_words(words), count=len(words))
            if decimal != "," and re.fullmatch(WITH_COMMA, words[0].strip()):
                error.way_out = way_out_of_comma(words[0])
            raise error
        return torch.from_numpy(numbers.cast(pl.Float64).to_numpy(writable=True))
    index = {name: i for i, name in enumerate(class_names)}
    text = _class_text(target)
    spelled = boolean_text(pl.Series(class_names, dtype=pl.String)).to_list()
    if sorted(spelled) == ["false", "true"]:  # however the file writes them
        index, text = {name: i for i, name in enumerate(spelled)}, boolean_text(target)
    codes = text.replace_strict(index, default=None, return_dtype=pl.Int64)
    if codes.null_count():
        row = int(codes.is_null().arg_true()[0])
        raise CellError(
            f"target '{target.name}' must be one of {few(class_names)}, got '{target[row]}'", row
        )
    return torch.tensor(codes.to_numpy())


def _class_text(target: pl.Series) -> pl.Series:
    """Classes as text, 1 and 1.0 being the same."""
    return number_text(target) if target.dtype.is_numeric() else target.cast(pl.String)
