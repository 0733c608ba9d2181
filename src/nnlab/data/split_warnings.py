"""What a person should know of rows that depend on each other, before they are split at random."""

import re
from collections.abc import Sequence
from typing import cast

import polars as pl

from nnlab.data.columns.dates import YEAR
from nnlab.data.columns.kinds import ColumnKind
from nnlab.data.columns.learned import Column, NumericColumn
from nnlab.data.columns.whole_numbers import are_moments, is_id_name
from nnlab.suggestions import setting

# Larger tables are not looked at: it would take as long as to learn from them.
_MOST_ROWS = 500_000
# With fewer dates, in a series on average, an order may be chance.
_FEW_DATES = 30
# Seconds: of a wider range are amounts of money.
_LONG_LOG = 20 * YEAR
# As many subjects are more than the stores or machines that there are, so others may come; of
# each there are at least two rows, and at most so many.
_FEW_SUBJECTS, _MOST_OF_ONE = 30, 100
# Numbers of which less than this share of the variance is within subjects are theirs.
_NEARLY_ONE = 0.02
_SUBJECT = re.compile(
    r"(patient|subject|participant|respondent|person|customer|client|user|member|player|student|pupil"
    r"|employee|driver|animal|device|machine)"
    r"s?([_ ]?(name|code))?",
    re.IGNORECASE,
)


def warn_of_order(frame: pl.DataFrame, columns: Sequence[Column]) -> list[str]:
    """A sentence if rows stand in the order of their dates, as of a log or of measurements.

    So they do if several series, each in its order, stand one below the other.

    Args:
        frame: The table, in the order of its file.
        columns: The columns that are used.
    """
    if len(frame) > _MOST_ROWS:
        return []
    for column in columns:
        if not isinstance(column, NumericColumn):
            continue
        cells = frame.get_column(column.name)
        if not column.is_date and not _may_be_moments(cells):
            continue
        times = column.read(cells).drop_nulls()
        steps = times.diff()
        against, along = sorted((int((steps < 0).sum()), int((steps > 0).sum())))
        series = against + 1
        if along + 1 >= series * _FEW_DATES:
            below = f", {series:,} series one below the other" if series > 1 else ""
            return [
                f"the rows are in the order of '{column.name}'{below}, but are split at random; if "
                "new rows will be later ones, the test is easier than that: set "
                f"{setting('data.time', column.name)}"
            ]
    return []


def _may_be_moments(values: pl.Series) -> bool:
    """Whether whole numbers that rise are seconds or milliseconds since 1970, of some years."""
    if not values.dtype.is_integer() or not values.drop_nulls().is_sorted():
        return False
    low, high = (int(cast(float, end)) for end in (values.min(), values.max()))
    return any(
        are_moments(low // unit, high // unit) and high - low < _LONG_LOG * unit
        for unit in (1, 1000)
    )


def warn_of_subjects(frame: pl.DataFrame, kinds: Sequence[ColumnKind], target: str) -> list[str]:
    """A sentence for a column that names a subject, such as a patient, who has many rows.

    It is called as subjects or identifiers are, and the target or some other column has one value
    for each; numbers of the target need be the same but nearly, as several measurements are.

    Args:
        frame: The table.
        kinds: What its columns hold, but for the target.
        target: Name of the target column.
    """
    if len(frame) > _MOST_ROWS:
        return []
    for kind in kinds:
        are_many = _FEW_SUBJECTS <= kind.distinct <= len(frame) / 2
        subjects = frame.get_column(kind.name)
        is_subject = _SUBJECT.fullmatch(kind.name.strip()) and not subjects.dtype.is_float()
        is_named = is_id_name(kind.name) or is_subject
        if not (kind.is_used and is_named and are_many):
            continue
        if len(frame) > kind.distinct * _MOST_OF_ONE:
            continue
        others = [target, *(other.name for other in kinds if other.name != kind.name)]
        is_theirs = _share_within(subjects, frame.get_column(target)) < _NEARLY_ONE
        if is_theirs or any(_is_constant_within(subjects, frame.get_column(n)) for n in others):
            return [
                f"rows of one '{kind.name}' are in training and test alike; if new rows will be of "
                f"others, the test is easier than that: set {setting('data.group', kind.name)}"
            ]
    return []


def _is_constant_within(subjects: pl.Series, values: pl.Series) -> bool:
    """Whether a column has one value for each subject, and not because it hardly varies."""
    most_frequent = values.alias("value").value_counts(name="rows")["rows"].max()
    if len(values) - cast(int, most_frequent) < _FEW_SUBJECTS:
        return False
    pairs = pl.DataFrame([subjects.alias("subject"), values.alias("value")])
    return pairs.n_unique() == subjects.n_unique()


def _share_within(subjects: pl.Series, values: pl.Series) -> float:
    """The share of the variance of numbers that is within subjects of several rows.

    Where subjects tell nothing, it is at least 1/2; of what is no number it is 1.
    """
    if not values.dtype.is_numeric():
        return 1.0
    value, subject = pl.col("value"), pl.col("subject")
    cells = pl.DataFrame([subjects.alias("subject"), values.cast(pl.Float64).alias("value")])
    cells = cells.drop_nulls().filter(pl.len().over(subject) > 1)
    within = cells.select((value - value.mean().over(subject)).var()).item()
    total = cells["value"].var()
    return within / total if within is not None and total else 1.0
