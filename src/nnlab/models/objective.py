"""What training minimises: the loss of the outputs, and penalties on the weights."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from nnlab.models.losses import resolve_class_weights, resolve_loss
from nnlab.rules import check
from nnlab.spec import Task


class Objective(nn.Module):
    """A task's loss, with label smoothing and class weights, and L1 and L2 terms.

    A module, so that the class weights are where the network is.

    Args:
        task: `binary`, `multiclass` or `regression`.
        class_counts: Training rows of each class; empty for regression.
        loss: A loss of the task (`nnlab.rules.LOSSES`), or `auto`.
        label_smoothing: In [0, 1); regression has no labels and takes no notice of it.
        class_weights: What each class's rows count in the loss (see `resolve_class_weights`).
        l1: Times the sum of absolute weights is added, >= 0.
        l2: Times the sum of squared weights is added, >= 0.

    Raises:
        ValueError: An argument is outside its range or does not suit the task.
    """

    def __init__(
        self,
        *,
        task: Task,
        class_counts: Sequence[int],
        loss: str,
        label_smoothing: float,
        class_weights: str | Sequence[float] | None,
        l1: float,
        l2: float,
    ) -> None:
        super().__init__()
        check(
            loss=loss,
            label_smoothing=label_smoothing,
            class_weights=class_weights,
            l1=l1,
            l2=l2,
        )
        weights = resolve_class_weights(task, class_weights, class_counts)
        self.class_weights: Tensor | None
        self.register_buffer(
            "class_weights", None if weights is None else torch.tensor(weights), persistent=False
        )
        self.label_smoothing = label_smoothing
        self.l1 = l1
        self.l2 = l2
        self._loss = resolve_loss(task, loss)

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Mean loss of raw outputs `(batch, out_features)` against targets `(batch,)`."""
        if self.class_weights is None:
            return self._loss(outputs, targets, self.label_smoothing, "mean")
        weights = self.class_weights[targets]
        losses = self._loss(outputs, targets, self.label_smoothing, "none")
        return (weights * losses).sum() / weights.sum()

    @property
    def is_penalized(self) -> bool:
        """Whether there is an L1 or L2 term."""
        return self.l1 > 0 or self.l2 > 0

    def penalty(self, network: nn.Module) -> Tensor:
        """The L1 and L2 terms, a scalar: `l1 * sum |w| + l2 * sum w^2` over weight matrices."""
        weights = weight_matrices(network)
        total = torch.zeros((), device=weights[0].device)
        if self.l1 > 0:
            total = total + self.l1 * torch.stack([w.abs().sum() for w in weights]).sum()
        if self.l2 > 0:
            total = total + self.l2 * torch.stack([w.square().sum() for w in weights]).sum()
        return total


def weight_matrices(network: nn.Module) -> list[Tensor]:
    """The weights of a network that are matrices, not biases or the gains of a normalisation."""
    return [
        parameter
        for name, parameter in network.named_parameters()
        if name.endswith("weight") and parameter.ndim > 1
    ]
