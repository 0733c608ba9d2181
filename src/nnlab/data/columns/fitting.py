"""Learning the columns of a table from its training rows."""

import math
from collections.abc import Sequence
from dataclasses import asdict
from statistics import NormalDist
from typing import Any

import numpy as np
import polars as pl

from nnlab.data.columns.dates import periods_of
from nnlab.data.columns.kinds import ColumnKind
from nnlab.data.columns.learned import (
    MISSING,
    OTHER,
    CategoricalColumn,
    Column,
    Numbers,
    NumericColumn,
    category_text,
)
from nnlab.data.columns.sampling import spread_sample
from nnlab.data.columns.words import word_counts

_QUANTILE_KNOTS = 256
# The quartiles of so many rows are those of all, to a fraction of a percent.
_SAMPLE = 2**17
# The most categories of a column that is one-hot: of those with fewer rows each than this on
# average, and of others, whose embeddings are learned as well and take a fraction of the memory.
_FEW_ROWS_EACH, _MOST_RARE, _MOST_FREQUENT = 1000, 100, 8


def fit_columns(
    frame: pl.DataFrame, kinds: Sequence[ColumnKind], *, scaling: str, max_one_hot: int | None
) -> list[Column]:
    """Learn the columns that are used, from training rows.

    Args:
        frame: The training rows.
        kinds: What each column holds; one that is used has at least one value.
        scaling: How numbers are scaled.
        max_one_hot: The most categories of a column that is one-hot; with more it is embedded.
            None for 8, and for 100 where they have but few rows each to learn an embedding from.

    Returns:
        One for each column that is not left out, in the order of `kinds`.
    """
    columns: list[Column] = []
    for kind in kinds:
        values = frame[kind.name] if kind.is_used else None
        if values is None:
            continue
        if kind.kind in ("numeric", "date"):
            columns.append(_fit_numeric(values, kind, scaling))
        else:
            columns.append(_fit_categorical(values, kind, max_one_hot))
    return columns


def _fit_numeric(values: pl.Series, kind: ColumnKind, scaling: str) -> NumericColumn:
    unfitted = NumericColumn(
        name=kind.name,
        scaling=scaling,
        center=0.0,
        scale=0.0,
        knots=[],
        levels=[],
        has_missing=values.null_count() > 0,
        date_format=kind.date_format,
        periods=[],
        is_date=kind.kind == "date",
        number_format=kind.number_format,
    )
    # Any other column is read as a whole, which refuses a cell that does not fit, by its row.
    is_plain = values.dtype.is_temporal() if unfitted.is_date else _are_finite(values)
    cells = values if is_plain else unfitted.read(values)
    if cells.null_count() * 2 > len(cells):
        cells = cells.drop_nulls()  # else it is quicker to take more of them
    at_most = _SAMPLE * len(cells) // (len(cells) - cells.null_count())

    def numbers(some: pl.Series) -> Numbers:
        return (unfitted.read(some) if is_plain else some).drop_nulls().to_numpy()

    low, high = (is_plain and kind.ends) or (cells.min(), cells.max())
    sample = numbers(cells.gather(spread_sample(len(cells), at_most)))
    fitted: dict[str, Any] = {"periods": periods_of(sample) if unfitted.is_date else []}
    ends = pl.Series(values.name, [low, high], dtype=cells.dtype)
    fitted["low"], fitted["high"] = numbers(ends).tolist()
    if scaling == "standard":
        fitted["center"], fitted["scale"] = mean_and_spread(numbers(cells))
    else:
        fitted["center"], fitted["scale"] = _median_and_spread(sample)
        if fitted["scale"] == 0:
            fitted["scale"] = _half_range(numbers(cells))
    if scaling == "quantile" and fitted["scale"] > 0:
        fitted["knots"], fitted["levels"] = _knots(sample)
    return NumericColumn(**{**asdict(unfitted), **fitted})


def mean_and_spread(values: Numbers) -> tuple[float, float]:
    """Mean and standard deviation (of the whole, not a sample) of numbers however large.

    The standard deviation is 0 where they are all the same, or too close to tell apart.
    """
    largest = max(-float(values.min()), float(values.max()))
    if largest == 0:
        return 0.0, 0.0
    # Of numbers near 1e308 the sum would be infinite, of those near 1e-320 the squares 0.
    scaled = values / largest
    mean = float(scaled.mean())
    # In place, because copies of a large column would have to find fresh memory.
    scaled -= mean
    spread = math.sqrt(np.square(scaled, out=scaled).mean())
    # What rounding makes of equal numbers is no spread.
    return mean * largest, _usable(spread * largest if spread > 1e-12 * abs(mean) else 0.0)


def _are_finite(values: pl.Series) -> bool:
    """Whether a column is of numbers as polars has them, none of them NaN or infinite."""
    return values.dtype.is_integer() or (values.dtype.is_float() and math.isfinite(values.sum()))


def _median_and_spread(values: Numbers) -> tuple[float, float]:
    """Median and interquartile range."""
    # The halves of two numbers of 1e308 can be subtracted.
    low, median, high = np.quantile(values / 2, [0.25, 0.5, 0.75])
    # The interquartile range itself may be beyond the largest float.
    return float(2 * median), _usable(float(min(high - low, np.finfo(np.float64).max / 2)) * 2)


def _half_range(values: Numbers) -> float:
    return _usable(float(values.max() / 2 - values.min() / 2))


def _usable(scale: float) -> float:
    """A scale that can be divided by, or 0: that of subnormal numbers cannot."""
    return scale if scale > 1e-300 else 0.0


def _knots(sample: Numbers) -> tuple[list[float], list[float]]:
    """Quantiles, and those of the normal distribution at the same levels; ties share a level."""
    levels = (np.arange(_QUANTILE_KNOTS) + 0.5) / _QUANTILE_KNOTS
    quantiles = np.quantile(sample / 2, levels) * 2
    knots, place, counts = np.unique(quantiles, return_inverse=True, return_counts=True)
    mean_level = np.bincount(place, weights=levels) / counts
    if len(knots) < 2:
        return [], []
    return knots.tolist(), [NormalDist().inv_cdf(level) for level in mean_level]


def _fit_categorical(
    values: pl.Series, kind: ColumnKind, max_one_hot: int | None
) -> CategoricalColumn:
    counts, has_missing = _count_categories(values, kind.written_as)
    # A category of one row cannot be told from that row; all such are learned as "other", which
    # is what an unseen one will be.
    learned = [name for name, rows in counts.items() if rows > 1 or len(counts) <= 2]
    if max_one_hot is None:
        are_rare = len(values) < _FEW_ROWS_EACH * len(learned)
        max_one_hot = _MOST_RARE if are_rare else _MOST_FREQUENT
    trained = set(range(2, len(learned) + 2))
    if len(learned) < len(counts):
        trained.add(OTHER)
    if has_missing:
        trained.add(MISSING)
    return CategoricalColumn(
        name=kind.name,
        categories=sorted(learned),
        written_as=kind.written_as,
        is_embedded=len(learned) > max_one_hot,
        trained_codes=sorted(trained),
    )


def _count_categories(values: pl.Series, written_as: str) -> tuple[dict[str, int], bool]:
    """The rows of each category, and whether any have none."""
    # Counted before they are spelled: most have many rows.
    if isinstance(values.dtype, pl.Enum):
        cells, rows = values.dtype.categories, pl.Series(word_counts(values, values.dtype))
    else:
        counted = values.drop_nulls().alias("cell").value_counts(name="rows")
        cells, rows = counted
    table = pl.DataFrame({"category": category_text(cells, written_as), "rows": rows})
    counts = dict(table.filter(rows > 0).group_by("category").agg(pl.col("rows").sum()).iter_rows())
    return counts, counts.pop(None, 0) + values.null_count() > 0
