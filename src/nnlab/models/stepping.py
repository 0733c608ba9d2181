"""The inner loop of training: optimizer steps, and nothing between them."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from lightning.pytorch import Trainer
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from nnlab.stopwatch import stopwatch

Batch = tuple[Tensor, Tensor]


def check_state(optimizer: Optimizer) -> None:
    """Check that what an optimizer keeps of each parameter lies in memory as the parameter does.

    A fused step takes that for granted: with a state of fewer numbers, such as a checkpoint from
    elsewhere may hold, it would read and write what lies behind them.

    Raises:
        ValueError: It does not.
    """
    for group in optimizer.param_groups:
        for weights in group["params"] if group.get("fused") else ():
            for name, kept in optimizer.state[weights].items():
                if isinstance(kept, Tensor) and not _suits(kept, weights, name):
                    raise ValueError(
                        f"the optimizer's {name} must lie in memory as its parameter of shape "
                        f"{tuple(weights.shape)}, got shape {tuple(kept.shape)}, {kept.dtype}; it "
                        "is of another run, so start a new one"
                    )


def _suits(kept: Tensor, weights: Tensor, name: str) -> bool:
    if name == "step":
        return kept.numel() == 1 and kept.dtype == torch.float32
    return (
        kept.shape == weights.shape
        and kept.dtype == weights.dtype
        and kept.layout == weights.layout
        and kept.stride() == weights.stride()
    )


class Step:
    """Takes optimizer steps: forward, backward, clipping, update.

    Args:
        objective: From a batch to what is to be minimised, a scalar, and the network's outputs.
        optimizer: What steps.
        gradient_clip_val: The largest norm of a step's gradient; None for no limit.
    """

    def __init__(
        self,
        objective: Callable[[Batch], tuple[Tensor, Tensor]],
        optimizer: Optimizer,
        gradient_clip_val: float | None,
    ) -> None:
        self.objective = objective
        self.optimizer = optimizer
        self.gradient_clip_val = gradient_clip_val
        self.parameters = [w for group in optimizer.param_groups for w in group["params"]]

    def __call__(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Take one; give the loss before it, a scalar, and the outputs, without their history."""
        loss, outputs = self.objective(batch)
        for weights in self.parameters:
            weights.grad = None  # what `optimizer.zero_grad` does, after looking for profilers
        loss.backward()  # type: ignore[no-untyped-call]  # torch declares none
        stopwatch.press("backward")
        if self.gradient_clip_val is not None:
            nn.utils.clip_grad_norm_(self.parameters, self.gradient_clip_val)
        self.optimizer.step()
        return loss.detach(), outputs.detach()


def train_on(
    batches: Iterable[Batch],
    *,
    step: Step,
    scheduler: LRScheduler | None,
    keep: Callable[[Tensor, Tensor], None],
) -> dict[str, Any]:
    """Take an optimizer step for each batch.

    Args:
        batches: Inputs `(batch, *input_shape)` and targets `(batch,)`, at least one such pair.
        step: What takes them.
        scheduler: Stepped after each step of the optimizer; None for a constant rate.
        keep: Is given each batch's outputs and targets, which are overwritten at the next.

    Returns:
        `loss`, that of the last batch, `losses`, those of all, and `lrs`, their learning rates.
    """
    losses, lrs = [], []
    for batch in batches:
        lrs.append(step.optimizer.param_groups[0]["lr"])
        loss, outputs = step(batch)
        if scheduler is not None:
            scheduler.step()
        stopwatch.press("optimizer")
        keep(outputs, batch[1])
        losses.append(loss)
    return {"loss": losses[-1], "losses": losses, "lrs": lrs}


def count_steps(trainer: Trainer, steps: int) -> None:
    """Have Lightning count a block that has been trained on as so many steps.

    It counts the steps of its own optimizers alone, and where it logs something takes a block for
    one.
    """
    epoch_loop = trainer.fit_loop.epoch_loop
    progress = epoch_loop.manual_optimization.optim_step_progress
    for count in (progress.total, progress.current):
        count.ready += steps
        count.completed += steps
    epoch_loop._batches_that_stepped += steps - 1
