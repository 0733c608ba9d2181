"""The training loss and the learning rate, step by step."""

from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor

from nnlab.rules import check
from nnlab.stopwatch import stopwatch


class StepCurves(Callback):
    """Logs `train/loss_step` (penalties included) and `lr` at every few steps.

    They are kept until the epoch ends, so that a step waits neither for the device nor for a
    file.

    Args:
        every_n_steps: Steps from one logged point to the next, >= 1.
    """

    def __init__(self, *, every_n_steps: int) -> None:
        check(every_n_steps=every_n_steps)
        self.every_n_steps = every_n_steps
        self._points: list[tuple[int, float]] = []
        self._losses: list[Tensor] = []

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Keep the learning rate that the step is about to use, and its number."""
        self._lr = trainer.optimizers[0].param_groups[0]["lr"]
        self._first = trainer.global_step

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Keep the points that are due."""
        if trainer.global_step == self._first:
            return  # gradients are still accumulated
        # A block has several; Lightning divides each by the batches that it accumulates.
        losses = outputs.get("losses") or [outputs["loss"] * trainer.accumulate_grad_batches]
        lrs = outputs.get("lrs", [self._lr])
        for step, (lr, loss) in enumerate(zip(lrs, losses, strict=True), self._first):
            if step % self.every_n_steps == 0:
                self._points.append((step, lr))
                self._losses.append(loss)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write the epoch's points."""
        stopwatch.press("loop")
        # All losses at once, so that a GPU is waited for only once.
        losses = torch.stack(self._losses).tolist() if self._losses else []
        for (step, lr), loss in zip(self._points, losses, strict=True):
            for logger in trainer.loggers:
                logger.log_metrics({"train/loss_step": loss, "lr": lr}, step=step)
        self._points.clear()
        self._losses.clear()
        stopwatch.press("logging")
