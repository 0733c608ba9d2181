"""Columns that give the target away."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from nnlab.data.columns import CategoricalColumn, Column

_FEW_ROWS = 50
_MOST_GROUPS = 256
# Of what the target varies, this share is left at most by a column that gives it away.
_LEFT = 0.005


def find_leaks(
    frame: pl.DataFrame, columns: Sequence[Column], targets: NDArray[np.float64], *, classes: bool
) -> dict[str, float]:
    """The columns that predict the target nearly perfectly, each on its own.

    Rows are grouped by the column's category, or by up to 256 quantiles of its numbers, and each
    group predicts its most frequent class, or the mean rank of its targets.

    Args:
        frame: Training rows.
        columns: The columns that are used.
        targets: Indices of classes, or numbers, `(rows,)`.
        classes: Whether the targets are classes.

    Returns:
        By column name, the share in (0.995, 1] of what there is to predict that it predicts: the
        rows that are not of the most frequent class, or the variance of the targets' ranks.
    """
    if len(frame) < _FEW_ROWS:
        return {}
    labels = np.unique(targets, return_inverse=True)[1]
    leaks = {}
    for column in columns:
        groups = _group(column, frame[column.name])
        # Groups of a row or two would predict anything.
        if groups.max() + 1 > len(groups) / 5:
            continue
        left = _left_by_classes(groups, labels) if classes else _left_by_ranks(groups, labels)
        if left < _LEFT:
            leaks[column.name] = 1 - left
    return leaks


def _group(column: Column, values: pl.Series) -> NDArray[np.int64]:
    """The group of each row, numbered from 0."""
    if isinstance(column, CategoricalColumn):
        return np.unique(column.read(values), return_inverse=True)[1]
    numbers = np.nan_to_num(column.read(values), nan=np.inf)
    rank = np.unique(numbers, return_inverse=True)[1]
    most = min(_MOST_GROUPS, len(rank) // 10)
    if rank.max() < most:
        return rank
    edges = np.unique(np.quantile(rank, np.arange(1, most) / most))
    return np.unique(np.searchsorted(edges, rank, side="right"), return_inverse=True)[1]


def _left_by_classes(groups: NDArray[np.int64], labels: NDArray[np.int64]) -> float:
    pairs, counts = np.unique(np.stack([groups, labels]), axis=1, return_counts=True)
    best = np.zeros(groups.max() + 1, dtype=np.int64)
    np.maximum.at(best, pairs[0], counts)
    wrong_without = len(labels) - np.bincount(labels).max()
    return float((len(labels) - best.sum()) / max(wrong_without, 1))


def _left_by_ranks(groups: NDArray[np.int64], ranks: NDArray[np.int64]) -> float:
    means = np.bincount(groups, weights=ranks) / np.bincount(groups)
    return float(np.square(ranks - means[groups]).sum() / np.square(ranks - ranks.mean()).sum())
