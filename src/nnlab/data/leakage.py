"""Columns that give the target away."""

import math
from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from nnlab.data.columns.learned import CategoricalColumn, Codes, Column, Numbers

# In fewer rows a strong column is often a perfect one: there, only copies of the target count.
_FEW_ROWS = 50
# So many different numbers are not equal to the target's by chance.
_FEW_NUMBERS = 5
# Of what the target varies, this share is left at most by a column that gives it away.
_LEFT = 0.005
# Among so many rows that are not of the most frequent class, one may be mislabelled.
_MANY_RARE = 100
# What one order of the labels in a million would show, shows nothing.
_CHANCE = math.log(1e6)


def find_leaks(
    frame: pl.DataFrame, columns: Sequence[Column], targets: NDArray[np.float64], *, classes: bool
) -> dict[str, float]:
    """The columns that predict the target nearly perfectly, each on its own.

    A category predicts its most frequent class, or the mean rank of its targets. Of a column of
    numbers, in their order, classes must come in a few runs, or the rank of each target be
    nearly halfway between those before and after it. In fewer than 50 rows a column must be a
    copy: the same numbers, or a value for each class.

    Args:
        frame: Training rows.
        columns: The columns that are used.
        targets: Indices of classes, or numbers, `(rows,)`.
        classes: Whether the targets are classes.

    Returns:
        By column name, the share in [0.99, 1] of what there is to predict that it predicts: the
        rows that are not of the most frequent class, or the variance of the targets' ranks.
    """
    labels = np.unique(targets, return_inverse=True)[1]
    if labels.max() == 0:
        return {}
    # In the order of a file that is sorted by its target, equal numbers would tell it.
    shuffled = np.random.default_rng(0).permutation(len(frame))
    frame, targets, labels = frame[shuffled], targets[shuffled], labels[shuffled]
    may_err = classes and _rare(labels) >= _MANY_RARE
    most_left = max(_LEFT, 1 / _rare(labels)) if may_err else _LEFT
    leaks = {}
    for column in columns:
        left = _left(column, frame.get_column(column.name), targets, labels, classes)
        if left <= most_left:
            leaks[column.name] = 1 - left
    return leaks


def _left(
    column: Column,
    values: pl.Series,
    targets: NDArray[np.float64],
    labels: NDArray[np.int64],
    classes: bool,
) -> float:
    """The share of what there is to predict that is left by a column."""
    if isinstance(column, CategoricalColumn):
        codes = column.read(values)
        if len(labels) < _FEW_ROWS:
            return 0.0 if classes and _tells_classes(codes, labels) else 1.0
        return _left_by_categories(codes, labels, classes)
    numbers = column.read(values).to_numpy()  # null becomes NaN
    if not classes and _are_equal(numbers, targets):
        return 0.0
    if len(labels) < _FEW_ROWS:
        return 0.0 if classes and _tells_classes(numbers, labels) else 1.0
    ordered = labels[np.argsort(numbers, kind="stable")]
    return _left_by_runs(ordered) if classes else _left_by_neighbours(ordered)


def _are_equal(numbers: Numbers, targets: NDArray[np.float64]) -> bool:
    """Whether numbers are those of the target, where they are not missing."""
    present = ~np.isnan(numbers)
    if present.mean() <= 0.5 or not np.array_equal(numbers[present], targets[present]):
        return False
    return len(np.unique(numbers[present])) >= _FEW_NUMBERS


def _tells_classes(cells: Numbers | Codes, labels: NDArray[np.int64]) -> bool:
    """Whether there is one value for each class, in more rows than it could be by chance."""
    groups = np.unique(cells, return_inverse=True)[1]
    pairs = np.unique(np.stack([groups, labels]), axis=1).shape[1]
    classes = int(labels.max()) + 1
    is_one_each = pairs == classes == groups.max() + 1
    return is_one_each and _log_orders(labels) - math.lgamma(classes + 1) > _CHANCE


def _left_by_categories(codes: Codes, labels: NDArray[np.int64], classes: bool) -> float:
    names, groups = np.unique(codes, return_inverse=True)
    if len(names) > len(groups) / 5:
        return 1.0  # categories of a row or two would predict anything
    if not classes:
        means = np.bincount(groups, weights=labels.astype(np.float64)) / np.bincount(groups)
        return _share(np.square(labels - means[groups]).sum(), labels)
    pairs, counts = np.unique(np.stack([groups, labels]), axis=1, return_counts=True)
    best = np.zeros(len(names), dtype=np.int64)
    np.maximum.at(best, pairs[0], counts)
    wrong = int(len(labels) - best.sum())
    # A class for each category, and for each row that is wrong.
    names_of_classes = len(names) * math.log(labels.max() + 1)
    as_good = names_of_classes + wrong * math.log(len(labels) * (labels.max() + 1))
    return wrong / _rare(labels) if _log_orders(labels) - as_good > _CHANCE else 1.0


def _left_by_runs(labels: NDArray[np.int64]) -> float:
    """Two runs more than classes need are about one row at the wrong place."""
    runs = 1 + int(np.count_nonzero(np.diff(labels)))
    classes = len(np.unique(labels))
    # A class for the first run, then another each time, and the rows where they begin.
    as_good = math.log(classes) + (runs - 1) * math.log(max(classes - 1, 1))
    as_good += _log_choices(len(labels) - 1, runs - 1)
    if _log_orders(labels) - as_good < _CHANCE:
        return 1.0
    return max(0, runs - 2 * classes) / 2 / _rare(labels)


def _left_by_neighbours(ranks: NDArray[np.int64]) -> float:
    before, after = np.roll(ranks, 1), np.roll(ranks, -1)
    before[0], after[-1] = after[0], before[-1]
    # What varies about a curve varies 3/2 as much about the mean of two neighbours.
    return _share(np.square(ranks - (before + after) / 2).sum() / 1.5, ranks)


def _share(left: float, ranks: NDArray[np.int64]) -> float:
    return float(left / np.square(ranks - ranks.mean()).sum())


def _rare(labels: NDArray[np.int64]) -> int:
    """Rows that are not of the most frequent class: what is wrong without any column."""
    return int(len(labels) - np.bincount(labels).max())


def _log_orders(labels: NDArray[np.int64]) -> float:
    """Logarithm of the number of orders that labels can have."""
    counts = np.bincount(labels).tolist()
    return math.lgamma(len(labels) + 1) - sum(math.lgamma(count + 1) for count in counts)


def _log_choices(of: int, chosen: int) -> float:
    """Logarithm of the number of ways to choose some of several."""
    return math.lgamma(of + 1) - math.lgamma(chosen + 1) - math.lgamma(of - chosen + 1)
