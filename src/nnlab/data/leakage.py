"""Columns that give the target away."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from nnlab.data.columns import CategoricalColumn, Codes, Column

_FEW_ROWS = 50
# Of what the target varies, this share is left at most by a column that gives it away.
_LEFT = 0.005


def find_leaks(
    frame: pl.DataFrame, columns: Sequence[Column], targets: NDArray[np.float64], *, classes: bool
) -> dict[str, float]:
    """The columns that predict the target nearly perfectly, each on its own.

    A category predicts its most frequent class, or the mean rank of its targets. Of a column of
    numbers, in their order, classes must come in a few runs, or the rank of each target be
    nearly halfway between those before and after it.

    Args:
        frame: Training rows.
        columns: The columns that are used.
        targets: Indices of classes, or numbers, `(rows,)`.
        classes: Whether the targets are classes.

    Returns:
        By column name, the share in (0.995, 1] of what there is to predict that it predicts: the
        rows that are not of the most frequent class, or the variance of the targets' ranks.
    """
    labels = np.unique(targets, return_inverse=True)[1]
    if len(frame) < _FEW_ROWS or labels.max() == 0:
        return {}
    # In the order of a file that is sorted by its target, equal numbers would tell it.
    shuffled = np.random.default_rng(0).permutation(len(frame))
    frame, labels = frame[shuffled], labels[shuffled]
    leaks = {}
    for column in columns:
        values = frame[column.name]
        if isinstance(column, CategoricalColumn):
            left = _left_by_categories(column.read(values), labels, classes)
        else:
            order = np.argsort(column.read(values), kind="stable")
            left = _left_by_runs(labels[order]) if classes else _left_by_neighbours(labels[order])
        if left < _LEFT:
            leaks[column.name] = 1 - left
    return leaks


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
    return float((len(labels) - best.sum()) / _rare(labels))


def _left_by_runs(labels: NDArray[np.int64]) -> float:
    """Two runs more than classes need are about one row at the wrong place."""
    runs = 1 + np.count_nonzero(np.diff(labels))
    needed = 2 * len(np.unique(labels))
    return max(0, int(runs) - needed) / 2 / _rare(labels)


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
