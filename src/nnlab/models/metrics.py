"""Metrics of a whole split, computed once from all its outputs."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchmetrics.functional import mean_absolute_error, mean_squared_error, r2_score

from nnlab.spec import DataSpec

Scores = NDArray[np.float64]


def compute_metrics(spec: DataSpec, outputs: Tensor, targets: Tensor) -> dict[str, float]:
    """The task's metrics over all rows of a split.

    Args:
        spec: What the data is.
        outputs: Raw network outputs, `(rows, out_features)`.
        targets: `(rows,)`: class indices, or standardised numbers for regression.

    Returns:
        For classes `accuracy` (share of rows), and `precision`, `recall`, `f1` and `auroc` as
        plain means over the classes that occur ("macro"; two classes count as two). For
        regression `rmse` and `mae` in the target's own unit, and `r2`. A metric that the rows do
        not define is left out: AUROC where only one class occurs, R² of less than two rows.
    """
    outputs, targets = outputs.detach().cpu().double(), targets.cpu()
    if spec.task == "regression":
        return _regression_metrics(outputs.squeeze(1), targets.double(), spec.target_std)
    labels = targets.numpy()
    if spec.task == "binary":
        positive = outputs.squeeze(1).sigmoid().numpy()
        # One of two classes has all the pairs that the other has.
        return _class_metrics(positive > 0.5, labels, {1: positive}, classes=2)
    scores = outputs.softmax(dim=1).numpy()
    columns = dict(enumerate(scores.T))
    return _class_metrics(scores.argmax(axis=1), labels, columns, classes=len(columns))


def probabilities(spec: DataSpec, outputs: Tensor) -> Tensor:
    """Raw outputs `(rows, out_features)` as class probabilities `(rows, classes)`."""
    if spec.task == "binary":
        positive = outputs.squeeze(1).sigmoid()
        return torch.stack([1 - positive, positive], dim=1)
    return outputs.softmax(dim=1)


def _class_metrics(
    guesses: NDArray[Any], labels: NDArray[np.int64], scores: Mapping[int, Scores], classes: int
) -> dict[str, float]:
    """All from one confusion matrix, and by numpy, whose sort is many times as fast as torch's.

    A library's functions would count anew for each metric, which for a small network takes longer
    than to train it for an epoch.

    Args:
        guesses: The predicted class of each row, `(rows,)`.
        labels: The true one, `(rows,)`.
        scores: Of the classes that AUROC is to be averaged over, their scores, `(rows,)`.
        classes: How many classes there are.
    """
    pairs = np.bincount(labels * classes + guesses, minlength=classes**2)
    confusion = pairs.reshape(classes, classes)
    right, actual, predicted = confusion.diagonal(), confusion.sum(1), confusion.sum(0)
    occurs = actual + predicted > 0
    shares = {
        "precision": right / np.maximum(predicted, 1),
        "recall": right / np.maximum(actual, 1),
        "f1": 2 * right / np.maximum(actual + predicted, 1),
    }
    metrics = {"accuracy": float(right.sum() / len(labels))}
    metrics |= {name: float(share[occurs].mean()) for name, share in shares.items()}
    each = [
        _auroc(np.ascontiguousarray(of_class), labels == k)
        for k, of_class in scores.items()
        if 0 < actual[k] < len(labels)  # one class against the rest needs both to occur
    ]
    if each:
        metrics["auroc"] = float(np.mean(each))
    return metrics


def _auroc(scores: Scores, is_positive: NDArray[np.bool_]) -> float:
    """The share of pairs in which the positive row has the higher score; of ties a half.

    This is the area under the ROC curve (Hanley and McNeil 1982, "The meaning and use of the area
    under a receiver operating characteristic curve").
    """
    negative, positive = np.sort(scores[~is_positive]), np.sort(scores[is_positive])
    lower = np.searchsorted(negative, positive, "left").sum()
    not_higher = np.searchsorted(negative, positive, "right").sum()
    return float(lower + not_higher) / 2 / len(positive) / len(negative)


def _regression_metrics(predictions: Tensor, targets: Tensor, unit: float) -> dict[str, float]:
    # From standardised numbers: R² does not change with the unit, and sums of squares of numbers
    # far from zero would lose it all.
    metrics = {
        "rmse": mean_squared_error(predictions, targets, squared=False) * unit,
        "mae": mean_absolute_error(predictions, targets) * unit,
    }
    if len(targets) > 1:
        metrics["r2"] = r2_score(predictions, targets)
    return {name: float(value) for name, value in metrics.items()}
