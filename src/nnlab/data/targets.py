"""What is predicted: the task, the classes, and targets as numbers."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

import polars as pl
import torch
from torch import Tensor

from nnlab.data.columns.cell_error import CellError
from nnlab.data.columns.kinds import count_distinct
from nnlab.data.columns.number_grammar import (
    WITH_COMMA,
    from_decimal_comma,
    way_out_of_comma,
)
from nnlab.data.columns.odd_cells import missing_words, shorten
from nnlab.data.columns.spelling import boolean_text, number_text
from nnlab.data.split import places
from nnlab.spec import Task
from nnlab.suggestions import few

# The square of a residual must be finite.
_LARGEST = 1e150
# In standard deviations of the target: the sum of many squares is finite in float32.
_FARTHEST = 1e12
MAX_INTEGER_CLASSES = 20
"""A target of whole numbers with at most this many different ones is taken for classes."""
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
            f"{len(target)} rows; an empty cell is none, so write what it stands for, or choose "
            "another target"
        )
    if distinct == 2:
        return "binary"
    few_integers = target.dtype.is_integer() and distinct <= MAX_INTEGER_CLASSES
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
    names = map(shorten, _class_text(counts["class"][:_CLASSES_SHOWN]))
    rows = counts["rows"][:_CLASSES_SHOWN]
    text += ": " + ", ".join(f"'{n}' {count:,}" for n, count in zip(names, rows, strict=True))
    if len(counts) > _CLASSES_SHOWN:
        text += f" and {len(counts) - _CLASSES_SHOWN:,} more"
    is_open = task == "multiclass" and target.dtype.is_numeric()
    return f"{text}; data.task=regression takes them as numbers" if is_open else text


def refuse_unlearnable(target: pl.Series) -> None:
    """Refuse a target with numbers that no network could learn.

    Args:
        target: The target column; what was NaN is missing.

    Raises:
        ValueError: A number is infinite or beyond 1e150 (`CellError`, with its row).
    """
    if not target.dtype.is_float():
        return
    ends = (target.min(), target.max())  # first, for to look at each takes several times as long
    if all(end is None or abs(cast(float, end)) <= _LARGEST for end in ends):
        return
    too_large = (target.abs() > _LARGEST).arg_true()
    row = int(too_large[0])
    raise CellError(
        f"target '{target.name}' must hold finite numbers up to {_LARGEST:g}, got '{target[row]}'",
        row,
        count=len(too_large),
    )


def target_numbers(target: pl.Series, decimal: str) -> pl.Series:
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
    if len(names) < 2:
        raise ValueError(
            f"task={task} needs a target of two classes or more, got '{target.name}' with "
            f"'{shorten(names[0])}' in each row"
        )
    rare = counts["class"].filter(counts["rows"] < 2)
    if len(rare):
        shown = [f"'{shorten(name)}'" for name in _class_text(rare)]
        raise CellError(
            f"every class of '{target.name}' must have at least two rows, got one of {few(shown)}",
            int((target == rare[0]).arg_true()[0]),
            _way_out_of_rare(counts["class"], rare),
        )
    return names


def _way_out_of_rare(classes: pl.Series, rare: pl.Series) -> str:
    """The way out of classes with a single row."""
    if classes.dtype.is_numeric():
        return "for numbers give data.task=regression"
    seen = classes.cast(pl.String).str.strip_chars().str.to_lowercase()
    if (seen.is_duplicated() | ~classes.is_in(rare)).all():
        return "write classes alike that differ in capitals or blanks alone"
    way_out = "add another, or leave the row out" if len(rare) == 1 else "leave these rows out"
    # Such as 4h 57m.
    begin_as_numbers = classes.cast(pl.String).str.contains(r"^\W*\d").mean()
    if len(classes) > _FEW_VALUES and cast(float, begin_as_numbers) > 0.5:
        way_out += ", or, if they are numbers, write all of them plainly, such as -1000.5"
    return way_out


def encode_targets(target: pl.Series, class_names: Sequence[str], decimal: str) -> Tensor:
    """Targets `(rows,)`: indices of classes (int64), or numbers (float64) where there are none.

    Args:
        target: The target column, without missing values.
        class_names: The classes; none for regression.
        decimal: The decimal mark of numbers that are text.

    Raises:
        CellError: A value is not one of the classes, or not a number.
    """
    if not class_names:
        numbers = target if target.dtype.is_numeric() else target_numbers(target, decimal)
        words = target.filter(numbers.is_null())
        if len(words):
            row = int(numbers.is_null().arg_max() or 0)
            message = f"target '{target.name}' must hold numbers, got '{words[0]}'"
            error = CellError(message, row, words=missing_words(words), count=len(words))
            if decimal != "," and re.fullmatch(WITH_COMMA, words[0].strip()):
                error.way_out = way_out_of_comma(words[0])
            elif 1 < len(words) == len(target):
                error.way_out = "write the whole column so"
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


def scale_targets(targets: Tensor, preprocessing: Mapping[str, Any]) -> Tensor:
    """Targets as the loss takes them: indices of classes, or standardised numbers in float32.

    Raises:
        CellError: A number is so far from those of training that no loss of it would be finite.
    """
    if preprocessing["class_names"]:
        return targets
    mean, std = float(preprocessing["target_mean"]), float(preprocessing["target_std"])
    scaled = (targets - mean).div_(std).float()
    far = places(scaled.abs() > _FARTHEST)
    if len(far):
        row = int(far[0])
        raise CellError(
            f"target '{preprocessing['target']}' must lie within {_FARTHEST:g} standard deviations "
            f"of the training rows, got {float(targets[row]):g}",
            row,
            count=len(far),
        )
    return scaled
