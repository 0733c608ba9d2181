"""Checkpoints that belong to a run directory, wherever it lies."""

import math
import time
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import Tensor

from nnlab.checkpoint_files import CheckpointFiles
from nnlab.environment import environment
from nnlab.signals import end_at_next_signal
from nnlab.stopwatch import stopwatch

# What an epoch of milliseconds has done is soon done again.
_TAKE_EVERY_S = 1.0


class RunCheckpoint(ModelCheckpoint):
    """Lightning's `ModelCheckpoint`, whose memory of the best survives a move.

    Lightning forgets which checkpoint was the best when a run is resumed in another folder than
    it began in, and would then write a worse one over it. What is saved is written by
    `CheckpointFiles`, at the latest when training ends, in whatever way.

    Args:
        filename: Name of the file in the run's `checkpoints` folder, without `.ckpt`; each
            checkpoint is written over the one before.
        monitor: The metric whose best epoch is kept; None keeps the last epoch.
        mode: `min` or `max`, what is best.
    """

    def __init__(self, *, filename: str, monitor: str | None, mode: str) -> None:
        super().__init__(
            filename=filename,
            monitor=monitor,
            mode=mode,
            enable_version_counter=False,
            # The best network is for use; training goes on from the last, at an epoch's beginning.
            save_weights_only=monitor is not None,
            save_on_train_epoch_end=None if monitor else True,
        )
        self._taken_at = -math.inf

    @cached_property
    def state_key(self) -> str:
        """Which callback a checkpoint's state is of; Lightning asks at each hook."""
        return super().state_key

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write what the epoch before has left, if it is time; by now all have saved."""
        stopwatch.press("loop")
        files = _files(trainer) if self.monitor is None else None  # one of the two will do
        if files and files.is_due():
            _write(trainer, files)
        stopwatch.press("checkpoints")

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write what is held in memory."""
        stopwatch.press("loop")
        super().on_train_end(trainer, pl_module)
        if files := _files(trainer):
            _write(trainer, files)
        stopwatch.press("checkpoints")

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        """Write what is held in memory; who cannot wait for it can end the process at once."""
        end_at_next_signal()
        super().on_exception(trainer, pl_module, exception)
        if files := _files(trainer):
            files.write()

    def on_save_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Add what the result depends on beside the settings."""
        checkpoint["environment"] = environment(str(trainer.strategy.root_device))

    def _monitor_candidates(self, trainer: Trainer) -> dict[str, Tensor]:
        """What a file name or a comparison may need; Lightning copies every metric for it."""
        candidates = {
            "epoch": torch.tensor(trainer.current_epoch),
            "step": torch.tensor(trainer.global_step),
        }
        metrics = trainer.callback_metrics  # put together anew at each look
        if self.monitor in metrics:
            candidates[self.monitor] = metrics[self.monitor]
        return candidates

    def _save_checkpoint(self, trainer: Trainer, filepath: str) -> None:
        """Save the best always, and the last where a second has passed or no other epoch comes."""
        is_final = trainer.should_stop or trainer.current_epoch + 1 == trainer.max_epochs
        waited = time.monotonic() - self._taken_at
        if self.monitor or is_final or waited >= _least_wait(trainer):
            stopwatch.press("loop")
            super()._save_checkpoint(trainer, filepath)
            stopwatch.press("checkpoints")
            self._taken_at = time.monotonic()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up the state of a checkpoint, its paths led to where the run is now."""
        here = {
            "dirpath": self.dirpath,
            "best_k_models": {
                self._here(path): score for path, score in state_dict["best_k_models"].items()
            },
        }
        for key in ("best_model_path", "kth_best_model_path", "last_model_path"):
            here[key] = self._here(state_dict[key])
        super().load_state_dict({**state_dict, **here})

    def _here(self, path: str) -> str:
        return str(Path(self.dirpath or "") / Path(path).name) if path else ""


def _least_wait(trainer: Trainer) -> float:
    files = _files(trainer)
    return min(files.checkpoint_every_s, _TAKE_EVERY_S) if files else 0.0


def _write(trainer: Trainer, files: CheckpointFiles) -> None:
    """Write the curves, then checkpoints: a run that goes on does not draw earlier points again."""
    for logger in trainer.loggers:
        logger.save()
    files.write()


def _files(trainer: Trainer) -> CheckpointFiles | None:
    files = trainer.strategy.checkpoint_io
    return files if isinstance(files, CheckpointFiles) else None
