"""Loss functions: raw outputs and targets to one number.

Outputs are `(batch, out_features)`. Targets are `(batch,)`: class indices (int64) for classes,
standardised numbers (float) for regression. Every loss is a mean over the batch, so its size does
not depend on the batch size, or with `reduction="none"` the loss of each row, `(batch,)`.
"""

from collections.abc import Callable, Sequence

import torch.nn.functional as F
from torch import Tensor

from nnlab.rules import LOSSES
from nnlab.spec import Task

Loss = Callable[[Tensor, Tensor, float, str], Tensor]
"""`(outputs, targets, label_smoothing, reduction)` to a scalar or a loss for each row."""


def resolve_class_weights(
    task: Task, class_weights: str | Sequence[float] | None, class_counts: Sequence[int]
) -> list[float] | None:
    """What each class's rows count in the loss.

    Args:
        task: The task.
        class_weights: A number > 0 for each class; `balanced` for rows / (classes * rows of the
            class), of the classes that have rows, which gives all of them the same say (King &
            Zeng 2001, "Logistic Regression in Rare Events Data"; as in scikit-learn); None for
            all rows alike.
        class_counts: Training rows of each class.

    Raises:
        ValueError: There are no classes, or not as many weights as classes.
    """
    if class_weights is None:
        return None
    if task == "regression":
        raise ValueError(
            "class_weights must be null for regression, which has no classes, "
            f"got class_weights={class_weights}"
        )
    if class_weights == "balanced":
        present = max(sum(count > 0 for count in class_counts), 1)
        # A class without training rows has nothing to be weighted.
        return [sum(class_counts) / (present * count) if count else 1.0 for count in class_counts]
    if len(class_weights) != len(class_counts):
        raise ValueError(
            f"class_weights must have a number for each of the {len(class_counts)} classes, got "
            f"class_weights={class_weights}"
        )
    return [float(weight) for weight in class_weights]


def resolve_loss(task: Task, loss: str) -> Loss:
    """The loss function of a task.

    Args:
        task: The task.
        loss: One of the task's names in `nnlab.rules.LOSSES`, or `auto` for the first of them.

    Returns:
        The function. Its label smoothing is the share in [0, 1) of a class's target that goes to
        all classes evenly (Szegedy et al. 2016, "Rethinking the Inception Architecture",
        section 7); the losses of regression have no labels and take no notice of it.

    Raises:
        ValueError: The loss does not suit the task.
    """
    names = LOSSES[task]
    name = names[0] if loss == "auto" else loss
    if name not in names:
        raise ValueError(
            f"loss must suit the task, {task}: one of {', '.join(names)}, got loss={loss}"
        )
    return _FUNCTIONS[task, name]


def _smoothed(targets: Tensor, label_smoothing: float, classes: int) -> Tensor:
    """Targets of 0 and 1 with a share given to all classes evenly."""
    if label_smoothing == 0:
        return targets
    return targets * (1 - label_smoothing) + label_smoothing / classes


def _binary_cross_entropy(
    outputs: Tensor, targets: Tensor, label_smoothing: float, reduction: str
) -> Tensor:
    smooth = _smoothed(targets.to(outputs.dtype), label_smoothing, classes=2)
    return F.binary_cross_entropy_with_logits(outputs.squeeze(1), smooth, reduction=reduction)


def _binary_mse(outputs: Tensor, targets: Tensor, label_smoothing: float, reduction: str) -> Tensor:
    smooth = _smoothed(targets.to(outputs.dtype), label_smoothing, classes=2)
    return F.mse_loss(outputs.squeeze(1).sigmoid(), smooth, reduction=reduction)


def _cross_entropy(
    outputs: Tensor, targets: Tensor, label_smoothing: float, reduction: str
) -> Tensor:
    return F.cross_entropy(outputs, targets, label_smoothing=label_smoothing, reduction=reduction)


def _multiclass_mse(
    outputs: Tensor, targets: Tensor, label_smoothing: float, reduction: str
) -> Tensor:
    classes = outputs.shape[1]
    one_hot = F.one_hot(targets, classes).to(outputs.dtype)
    smooth = _smoothed(one_hot, label_smoothing, classes)
    losses = F.mse_loss(outputs.softmax(dim=1), smooth, reduction=reduction)
    return losses if reduction == "mean" else losses.mean(dim=1)


def _mse(outputs: Tensor, targets: Tensor, _: float, reduction: str) -> Tensor:
    return F.mse_loss(outputs.squeeze(1), targets, reduction=reduction)


def _mae(outputs: Tensor, targets: Tensor, _: float, reduction: str) -> Tensor:
    return F.l1_loss(outputs.squeeze(1), targets, reduction=reduction)


def _huber(outputs: Tensor, targets: Tensor, _: float, reduction: str) -> Tensor:
    # Quadratic up to one standard deviation of the target, linear beyond.
    return F.huber_loss(outputs.squeeze(1), targets, delta=1.0, reduction=reduction)


_FUNCTIONS: dict[tuple[str, str], Loss] = {
    ("binary", "binary_cross_entropy"): _binary_cross_entropy,
    ("binary", "mse"): _binary_mse,
    ("multiclass", "cross_entropy"): _cross_entropy,
    ("multiclass", "mse"): _multiclass_mse,
    ("regression", "mse"): _mse,
    ("regression", "mae"): _mae,
    ("regression", "huber"): _huber,
}
