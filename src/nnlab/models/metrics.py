"""Metrics of a whole split, computed once from all its outputs."""

import torch
from torch import Tensor
from torchmetrics.functional import mean_absolute_error, mean_squared_error, r2_score
from torchmetrics.functional.classification import (
    binary_auroc,
    multiclass_accuracy,
    multiclass_f1_score,
    multiclass_precision,
    multiclass_recall,
)

from nnlab.spec import DataSpec


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
    return _class_metrics(probabilities(spec, outputs), targets)


def probabilities(spec: DataSpec, outputs: Tensor) -> Tensor:
    """Raw outputs `(rows, out_features)` as class probabilities `(rows, classes)`."""
    if spec.task == "binary":
        positive = outputs.squeeze(1).sigmoid()
        return torch.stack([1 - positive, positive], dim=1)
    return outputs.softmax(dim=1)


def _class_metrics(probabilities: Tensor, targets: Tensor) -> dict[str, float]:
    classes = probabilities.shape[1]
    predictions = probabilities.argmax(dim=1)
    metrics = {
        "accuracy": multiclass_accuracy(predictions, targets, classes, average="micro"),
        "precision": multiclass_precision(predictions, targets, classes, average="macro"),
        "recall": multiclass_recall(predictions, targets, classes, average="macro"),
        "f1": multiclass_f1_score(predictions, targets, classes, average="macro"),
    }
    # One class against the rest needs both to occur; torchmetrics warns and counts 0 otherwise.
    occurring = torch.unique(targets)
    if len(occurring) > 1:
        each = [
            binary_auroc(probabilities[:, label], (targets == label).long()) for label in occurring
        ]
        metrics["auroc"] = torch.stack(each).mean()
    return {name: float(value) for name, value in metrics.items()}


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
