"""Metrics of a whole split, computed once from all its outputs."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torchmetrics.functional import mean_absolute_error, mean_squared_error, r2_score

from nnlab.spec import DataSpec

Array = Any
"""Numpy's on the CPU, torch's on a GPU, both of which have the operations that are used here."""


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
    stays = spec.task != "regression" and _stays_on_gpu(outputs)
    outputs = outputs.detach()
    if not stays:
        outputs, targets = outputs.cpu(), targets.cpu()
    if spec.task == "regression":
        outputs, targets = outputs.double(), targets.double()
        return _regression_metrics(outputs.squeeze(1), targets, spec.target_std)
    array: Callable[[Tensor], Array] = Tensor.detach if stays else Tensor.numpy
    labels = array(targets)
    if spec.task == "binary":
        positive = array(outputs.squeeze(1).double().sigmoid())
        # One of two classes has all the pairs that the other has.
        return _class_metrics(positive > 0.5, labels, {1: positive}, classes=2)
    guesses = array(outputs.argmax(dim=1))
    # Class by class, which is also how the softmax is computed in a fraction of the time.
    scores = dict(enumerate(array(outputs.T.contiguous().double().softmax(dim=0))))
    return _class_metrics(guesses, labels, scores, classes=len(scores))


def _stays_on_gpu(outputs: Tensor) -> bool:
    """Whether outputs are counted on their GPU; one of Apple's has no numbers of 64 bits."""
    return outputs.is_cuda


def probabilities(spec: DataSpec, outputs: Tensor) -> Tensor:
    """Raw outputs `(rows, out_features)` as class probabilities `(rows, classes)`."""
    if spec.task == "binary":
        positive = outputs.squeeze(1).sigmoid()
        return torch.stack([1 - positive, positive], dim=1)
    return outputs.softmax(dim=1)


def _class_metrics(
    guesses: Array, labels: Array, scores: Mapping[int, Array], classes: int
) -> dict[str, float]:
    """All from one confusion matrix.

    A library's functions would count anew for each metric, which for a small network takes longer
    than to train it for an epoch.

    Args:
        guesses: The predicted class of each row, `(rows,)`.
        labels: The true one, `(rows,)`.
        scores: Of the classes that AUROC is to be averaged over, their scores, `(rows,)`.
        classes: How many classes there are.
    """
    xp: Any = torch if isinstance(labels, Tensor) else np
    pairs = xp.bincount(labels * classes + guesses, minlength=classes**2)
    confusion = (pairs.cpu().numpy() if xp is torch else pairs).reshape(classes, classes)
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
        _auroc(of_class, labels == k)
        for k, of_class in scores.items()
        if 0 < actual[k] < len(labels)  # one class against the rest needs both to occur
    ]
    if each:
        metrics["auroc"] = float(np.mean(each))
    return metrics


def _auroc(scores: Array, is_positive: Array) -> float:
    """The share of pairs in which the positive row has the higher score; of ties a half.

    This is the area under the ROC curve (Hanley and McNeil 1982, "The meaning and use of the area
    under a receiver operating characteristic curve").
    """
    xp: Any = torch if isinstance(scores, Tensor) else np
    # On a CPU numpy's sort is many times as fast as torch's.
    sort = torch.msort if xp is torch else np.sort
    every, positive = sort(scores), sort(scores[is_positive])
    positives, negatives = len(positive), len(every) - len(positive)
    lower = xp.searchsorted(every, positive, side="left").sum()
    not_higher = xp.searchsorted(every, positive, side="right").sum()
    # Among the positive ones themselves, both together are one for each two, in either order.
    return float(lower + not_higher - positives**2) / 2 / positives / negatives


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
