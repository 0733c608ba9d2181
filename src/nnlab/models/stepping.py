"""The inner loop of training: optimizer steps, and nothing between them."""

from collections.abc import Callable, Iterable
from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from nnlab.stopwatch import stopwatch

Batch = tuple[Tensor, Tensor]


def train_on(
    batches: Iterable[Batch],
    *,
    objective: Callable[[Batch], Tensor],
    optimizer: Optimizer,
    scheduler: LRScheduler | None,
    gradient_clip_val: float | None,
) -> dict[str, Any]:
    """Take an optimizer step for each batch.

    Args:
        batches: Inputs `(batch, *input_shape)` and targets `(batch,)`, at least one such pair.
        objective: From a batch to what is to be minimised, a scalar.
        optimizer: What steps.
        scheduler: Stepped after each step of the optimizer; None for a constant rate.
        gradient_clip_val: The largest norm of a step's gradient; None for no limit.

    Returns:
        `loss`, that of the last batch, `losses`, those of all, and `lrs`, their learning rates.
    """
    parameters = [weights for group in optimizer.param_groups for weights in group["params"]]
    losses, lrs = [], []
    for batch in batches:
        lrs.append(optimizer.param_groups[0]["lr"])
        loss = objective(batch)
        for weights in parameters:
            weights.grad = None  # what `optimizer.zero_grad` does, after looking for profilers
        loss.backward()  # type: ignore[no-untyped-call]
        stopwatch.press("backward")
        if gradient_clip_val is not None:
            nn.utils.clip_grad_norm_(parameters, gradient_clip_val)
        optimizer.step()
        if scheduler is not None:
            scheduler.step()
        stopwatch.press("optimizer")
        losses.append(loss.detach())
    return {"loss": losses[-1], "losses": losses, "lrs": lrs}
