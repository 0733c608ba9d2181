"""The inner loop of training: optimizer steps, and nothing between them."""

import operator
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Adam, AdamW, Optimizer
from torch.optim.adam import adam
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


def _parameters(optimizer: Optimizer) -> list[Tensor]:
    return [weights for group in optimizer.param_groups for weights in group["params"]]


def _contents(optimizer: Optimizer) -> list[object]:
    """What it changes, whether that is frozen, and what it keeps of it."""
    contents: list[object] = []
    for weights in _parameters(optimizer):
        kept = optimizer.state.get(weights, {})
        contents += [weights, weights.requires_grad, *kept.values()]
    return contents


class _Update:
    """What an optimizer's `step` does, quicker if that is a fused Adam or AdamW.

    Theirs looks up at each step what never changes, and sorts it by device; for the weights of a
    small network that takes longer than to change them.

    Args:
        optimizer: Whose `step` it is.
        parameters: All that it changes.
    """

    def __init__(self, optimizer: Optimizer, parameters: list[Tensor]) -> None:
        self._optimizer = optimizer
        self._parameters = parameters
        self._averages: list[list[Tensor]] = []

    def __call__(self) -> None:
        group = self._optimizer.param_groups[0]
        gradients = [weights.grad for weights in self._parameters if weights.grad is not None]
        if (
            not self._averages
            or len(gradients) < len(self._parameters)
            or not isinstance(group["lr"], float)
            or self._optimizer.state[self._parameters[0]]["exp_avg"] is not self._averages[0][0]
            or self._optimizer._optimizer_step_pre_hooks
            or self._optimizer._optimizer_step_post_hooks
        ):
            self._optimizer.step()
            self._averages = self._collect()
            return
        means, squares, largest, counts = self._averages
        with torch.no_grad():
            adam(
                self._parameters,
                gradients,
                means,
                squares,
                largest,
                counts,
                fused=True,
                decoupled_weight_decay=group["decoupled_weight_decay"],
                amsgrad=group["amsgrad"],
                beta1=group["betas"][0],
                beta2=group["betas"][1],
                lr=group["lr"],
                weight_decay=group["weight_decay"],
                eps=group["eps"],
                maximize=group["maximize"],
            )

    def _collect(self) -> list[list[Tensor]]:
        """What it keeps of each parameter, in the order of `adam`; nothing if it is another."""
        optimizer = self._optimizer
        if type(optimizer) not in (Adam, AdamW) or len(optimizer.param_groups) > 1:
            return []
        group = optimizer.param_groups[0]
        kept = [optimizer.state[weights] for weights in self._parameters]
        if not group["fused"] or group["capturable"] or not all(kept):
            return []
        largest = [state["max_exp_avg_sq"] for state in kept] if group["amsgrad"] else []
        means = [[state[name] for state in kept] for name in ("exp_avg", "exp_avg_sq")]
        return [*means, largest, [state["step"] for state in kept]]


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
        self.parameters = _parameters(optimizer)
        self._update = _Update(optimizer, self.parameters)
        self._left: list[object] = []

    def leave(self) -> None:
        """Note what the optimizer has, before others may change it."""
        self._left = _contents(self.optimizer)

    def fits(self, optimizer: Optimizer) -> bool:
        """Whether all is as it was left: a callback may have put other things in its place."""
        now = _contents(optimizer)
        return (
            optimizer is self.optimizer
            and len(now) == len(self._left)
            and all(map(operator.is_, now, self._left))
        )

    def __call__(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Take one; give the loss before it, a scalar, and the outputs, without their history."""
        loss, outputs = self.objective(batch)
        for weights in self.parameters:
            weights.grad = None  # what `optimizer.zero_grad` does, after looking for profilers
        loss.backward()  # type: ignore[no-untyped-call]  # torch declares none
        stopwatch.press("backward")
        if self.gradient_clip_val is not None:
            nn.utils.clip_grad_norm_(self.parameters, self.gradient_clip_val)
        self._update()
        return loss.detach(), outputs.detach()


def train_on(
    batches: Iterable[Batch],
    *,
    step: Step,
    scheduler: LRScheduler | None,
    keep: Callable[[Tensor, Tensor], None],
    count: Callable[[], None],
) -> dict[str, Any]:
    """Take an optimizer step for each batch.

    Args:
        batches: Inputs `(batch, *input_shape)` and targets `(batch,)`, at least one such pair.
        step: What takes them.
        scheduler: Stepped after each step of the optimizer; None for a constant rate.
        keep: Is given each batch's outputs and targets, which are overwritten at the next.
        count: Called after each step.

    Returns:
        `loss`, that of the last batch, `losses`, those of all, and `lrs`, their learning rates.
    """
    losses, lrs = [], []
    for batch in batches:
        lrs.append(step.optimizer.param_groups[0]["lr"])
        loss, outputs = step(batch)
        if scheduler is not None:
            scheduler.step()
        count()
        stopwatch.press("optimizer")
        keep(outputs, batch[1])
        losses.append(loss)
    return {"loss": losses[-1], "losses": losses, "lrs": lrs}
