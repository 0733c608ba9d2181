"""Loss functions: raw outputs and targets to one number.

Outputs are `(batch, out_features)`. Targets are `(batch,)`: class indices (int64) for classes,
standardised numbers (float) for regression. Every loss is a mean over the batch, so its size does
not depend on the batch size.
"""

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor

from nnlab.rules import LOSSES
from nnlab.spec import Task

Loss = Callable[[Tensor, Tensor, float], Tensor]
"""`(outputs, targets, label_smoothing)` to a scalar."""


def resolve_loss(task: Task, loss: str, label_smoothing: float) -> Loss:
    """The loss function of a task.

    Args:
        task: The task.
        loss: One of the task's names in `nnlab.rules.LOSSES`, or `auto` for the first of them.
        label_smoothing: Share in [0, 1) of a class's target that goes to all classes evenly
            (Szegedy et al. 2016, "Rethinking the Inception Architecture", section 7).

    Returns:
        The function.

    Raises:
        ValueError: The loss does not suit the task, or labels are to be smoothed where there
            are none.
    """
    names = LOSSES[task]
    name = names[0] if loss == "auto" else loss
    if name not in names:
        raise ValueError(
            f"loss must suit the task, {task}: one of {', '.join(names)}, got loss={loss}"
        )
    if task == "regression" and label_smoothing > 0:
        raise ValueError(
            "label_smoothing must be 0 for regression, which has no classes, "
            f"got label_smoothing={label_smoothing}"
        )
    return _FUNCTIONS[task, name]


def _binary_cross_entropy(outputs: Tensor, targets: Tensor, label_smoothing: float) -> Tensor:
    smooth = targets.to(outputs.dtype) * (1 - label_smoothing) + label_smoothing / 2
    return F.binary_cross_entropy_with_logits(outputs.squeeze(1), smooth)


def _binary_mse(outputs: Tensor, targets: Tensor, label_smoothing: float) -> Tensor:
    smooth = targets.to(outputs.dtype) * (1 - label_smoothing) + label_smoothing / 2
    return F.mse_loss(outputs.squeeze(1).sigmoid(), smooth)


def _cross_entropy(outputs: Tensor, targets: Tensor, label_smoothing: float) -> Tensor:
    return F.cross_entropy(outputs, targets, label_smoothing=label_smoothing)


def _multiclass_mse(outputs: Tensor, targets: Tensor, label_smoothing: float) -> Tensor:
    classes = outputs.shape[1]
    one_hot = F.one_hot(targets, classes).to(outputs.dtype)
    smooth = one_hot * (1 - label_smoothing) + label_smoothing / classes
    return F.mse_loss(outputs.softmax(dim=1), smooth)


def _mse(outputs: Tensor, targets: Tensor, _: float) -> Tensor:
    return F.mse_loss(outputs.squeeze(1), targets)


def _mae(outputs: Tensor, targets: Tensor, _: float) -> Tensor:
    return F.l1_loss(outputs.squeeze(1), targets)


def _huber(outputs: Tensor, targets: Tensor, _: float) -> Tensor:
    # Quadratic up to one standard deviation of the target, linear beyond.
    return F.huber_loss(outputs.squeeze(1), targets, delta=1.0)


_FUNCTIONS: dict[tuple[str, str], Loss] = {
    ("binary", "binary_cross_entropy"): _binary_cross_entropy,
    ("binary", "mse"): _binary_mse,
    ("multiclass", "cross_entropy"): _cross_entropy,
    ("multiclass", "mse"): _multiclass_mse,
    ("regression", "mse"): _mse,
    ("regression", "mae"): _mae,
    ("regression", "huber"): _huber,
}
