"""Metrics of a whole split, computed once from all its outputs."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torchmetrics.functional import mean_absolute_error, mean_squared_error

from nnlab.spec import DataSpec

# Outputs of fewer numbers are counted on the CPU sooner than on a GPU.
_WORTH_A_GPU = 2**14

# What is sorted on a GPU at a time, of which some copies are made there.
_SCORES_AT_ONCE = 2**24

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
    labels, guesses = array(targets), array(predicted_classes(spec, outputs))
    if spec.task == "binary":
        positive = array(outputs.squeeze(1).double().sigmoid())
        # One of two classes has all the pairs that the other has.
        return _class_metrics(guesses, labels, positive[None], [1], classes=2)
    # Class by class, which is also how the softmax is computed in a fraction of the time.
    scores = array(outputs.T.contiguous().double().softmax(dim=0))
    return _class_metrics(guesses, labels, scores, list(range(len(scores))), classes=len(scores))


def _stays_on_gpu(outputs: Tensor) -> bool:
    """Whether outputs are counted on their GPU, which is slow to begin.

    One of Apple's has no numbers of 64 bits.
    """
    return outputs.is_cuda and outputs.numel() >= _WORTH_A_GPU


def predicted_classes(spec: DataSpec, outputs: Tensor) -> Tensor:
    """The index of the likeliest class of raw outputs `(rows, out_features)`, `(rows,)`, int64.

    Of two that are as likely, the first.
    """
    if spec.task == "binary":  # by its probability: of the least outputs that is one half
        return (outputs.squeeze(1).sigmoid() > 0.5).long()
    return outputs.argmax(dim=1)


def probabilities(spec: DataSpec, outputs: Tensor) -> Tensor:
    """Raw outputs `(rows, out_features)` as class probabilities `(rows, classes)`."""
    if spec.task == "binary":
        positive = outputs.squeeze(1).sigmoid()
        return torch.stack([1 - positive, positive], dim=1)
    return outputs.softmax(dim=1)


def _class_metrics(
    guesses: Array, labels: Array, scores: Array, scored: list[int], *, classes: int
) -> dict[str, float]:
    """All from the counts of each class.

    A library's functions would count anew for each metric, which for a small network takes longer
    than to train it for an epoch.

    Args:
        guesses: The predicted class of each row, `(rows,)`.
        labels: The true one, `(rows,)`.
        scores: Of the classes that AUROC is to be averaged over, `(scored, rows)`.
        scored: Which classes those are.
        classes: How many classes there are.
    """
    xp: Any = torch if isinstance(labels, Tensor) else np
    groups = (labels[labels == guesses], labels, guesses)
    counts = xp.stack([xp.bincount(group, minlength=classes) for group in groups])
    right, actual, predicted = counts.cpu().numpy() if xp is torch else counts
    occurs = actual + predicted > 0
    shares = {
        "precision": right / np.maximum(predicted, 1),
        "recall": right / np.maximum(actual, 1),
        "f1": 2 * right / np.maximum(actual + predicted, 1),
    }
    metrics = {"accuracy": float(right.sum() / len(labels))}
    metrics |= {name: float(share[occurs].mean()) for name, share in shares.items()}
    contests = actual[scored] * (len(labels) - actual[scored])
    is_defined = contests > 0  # one class against the rest needs both to occur
    if is_defined.any():
        wins = _count_wins(scores, labels, scored)
        metrics["auroc"] = float((wins[is_defined] / contests[is_defined]).mean())
    return metrics


def _count_wins(scores: Array, labels: Array, scored: list[int]) -> Array:
    """Of each class, the pairs of a row of it and another's in which the first scores higher.

    Ties count half. As a share of all pairs it is the area under the ROC curve (Hanley and McNeil
    1982, "The meaning and use of the area under a receiver operating characteristic curve").

    Args:
        scores: `(scored, rows)`.
        labels: The true class of each row, `(rows,)`.
        scored: Which classes have scores.
    """
    if isinstance(scores, Tensor):
        return _count_wins_on_gpu(scores, labels, scored)
    twice = []
    for k, of_class in zip(scored, scores, strict=True):
        # On a CPU numpy's sort is many times as fast as torch's.
        every, positive = np.sort(of_class), np.sort(of_class[labels == k])
        lower = np.searchsorted(every, positive, side="left").sum()
        not_higher = np.searchsorted(every, positive, side="right").sum()
        # Among the class's own rows both together are one for each two, in whichever order.
        twice.append(lower + not_higher - len(positive) ** 2)
    return np.array(twice) / 2


def _count_wins_on_gpu(scores: Tensor, labels: Tensor, scored: list[int]) -> Array:
    """What `_count_wins` gives, in few operations: a GPU is slow to be told each.

    So of many classes at once, and of all their rows: to pick those of a class takes waiting.
    """
    together = max(1, _SCORES_AT_ONCE // len(labels))
    classes = torch.tensor(scored, device=scores.device)
    twice = []
    for ks, of_classes in zip(
        torch.split(classes, together), torch.split(scores, together), strict=True
    ):
        is_positive = labels == ks[:, None]
        every = of_classes.sort(dim=1).values
        lower = torch.searchsorted(every, of_classes, side="left")
        not_higher = torch.searchsorted(every, of_classes, side="right")
        of_positive = (lower + not_higher) * is_positive
        twice.append(of_positive.sum(dim=1) - is_positive.sum(dim=1) ** 2)
    return torch.cat(twice).cpu().numpy() / 2


def _regression_metrics(predictions: Tensor, targets: Tensor, unit: float) -> dict[str, float]:
    # From standardised numbers: R² does not change with the unit, and sums of squares of numbers
    # far from zero would lose it all.
    metrics = {
        "rmse": mean_squared_error(predictions, targets, squared=False) * unit,
        "mae": mean_absolute_error(predictions, targets) * unit,
    }
    # Not by torchmetrics' `r2_score`, which takes 0 or 1 for it where the targets vary but little.
    if (targets != targets[0]).any():
        of_mean = (targets - targets.mean()).square().sum()
        metrics["r2"] = 1 - (predictions - targets).square().sum() / of_mean
    return {name: float(value) for name, value in metrics.items()}
