"""What is kept of an epoch's batches, and the metrics that are made of it and logged."""

import math
from collections.abc import Callable

import torch
from lightning.pytorch import Trainer
from lightning.pytorch.trainer.states import TrainerFn
from torch import Tensor

from nnlab.models.outputs import EpochOutputs
from nnlab.rules import MONITORS
from nnlab.stopwatch import stopwatch


class EpochMetrics:
    """The metrics of each split, once an epoch.

    Args:
        compute: From outputs `(rows, out_features)` and targets `(rows,)` to metrics by name,
            `loss` among them.
        monitor: The metric that chooses the best epoch, such as `val/loss`.

    Attributes:
        latest: The latest of each, by the name it is logged under.
    """

    def __init__(
        self, *, compute: Callable[[Tensor, Tensor], dict[str, float]], monitor: str
    ) -> None:
        self.latest: dict[str, float] = {}
        self._compute = compute
        self._monitor = monitor
        self._kept = {split: EpochOutputs() for split in ("train", "val", "test")}

    def keep(self, split: str, outputs: Tensor, targets: Tensor) -> None:
        """Keep a batch's outputs `(batch, out_features)` and targets `(batch,)`."""
        self._kept[split].add(outputs, targets)

    def forget(self, split: str) -> None:
        """Drop what is kept of a split."""
        self._kept[split].clear()

    def log(self, split: str, trainer: Trainer, *, penalty: Tensor | None = None) -> None:
        """Compute the metrics of what is kept, and hand them to callbacks and loggers.

        Args:
            split: `train`, `val` or `test`.
            trainer: Of the run.
            penalty: The L1 and L2 terms, a scalar, to be logged as well; None for none.

        Raises:
            ValueError: The loss is not finite, the rows do not define the monitored metric, or
                there are none, because a network's own step keeps them to itself.
        """
        kept = self._kept[split]
        if kept.is_empty:
            step = {"train": "training", "val": "validation", "test": "test"}[split] + "_step"
            raise ValueError(
                f"model.{step} must hand its batches on for the metrics, got none of them; call "
                f"super().{step}(batch, batch_idx) in it, or override loss or forward instead"
            )
        outputs, targets = kept.take()
        if trainer.world_size > 1 and split == "train":
            # Each process has trained on a share of the rows; the other splits it has seen whole.
            outputs, targets = (
                trainer.strategy.all_gather(part).flatten(0, 1) for part in (outputs, targets)
            )
        metrics = self._compute(outputs, targets)
        stopwatch.press("metrics" if split == "train" else "validation")
        require_finite(split, metrics["loss"], trainer)
        if penalty is not None:
            metrics["penalty"] = float(penalty)
        named = {f"{split}/{name}": value for name, value in metrics.items()}
        self.latest |= named
        if trainer.state.fn != TrainerFn.FITTING:
            trainer.lightning_module.log_dict(named)
            return
        if split == "val":
            self._require_monitor(named)
        # `log_dict` takes longer than a small network's epoch.
        values = torch.tensor(list(named.values())).unbind()
        trainer.callback_metrics.update(zip(named, values, strict=True))
        for logger in trainer.loggers:
            logger.log_metrics({**named, "epoch": trainer.current_epoch}, trainer.global_step - 1)
        stopwatch.press("logging")

    def _require_monitor(self, named: dict[str, float]) -> None:
        if self._monitor in named:
            return
        if self._monitor in MONITORS:
            raise ValueError(
                f"monitor must be a metric that the validation rows define, got monitor="
                f"{self._monitor}, for which they are too few or too alike; take val/loss"
            )
        raise ValueError(
            "monitor must be a metric that the network computes, one of "
            f"{', '.join(named)}, got monitor={self._monitor}"
        )


def require_finite(split: str, loss: float, trainer: Trainer) -> None:
    """Stop a run whose loss is no longer a number.

    Raises:
        ValueError: It is not finite.
    """
    if not math.isfinite(loss):
        raise ValueError(
            f"{split}/loss must stay finite, got {loss} in epoch {trainer.current_epoch + 1}; "
            "lower optimizer.lr, or clip the gradients with trainer.gradient_clip_val=1"
        )
