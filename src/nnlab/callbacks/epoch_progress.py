"""How far a run is: a bar on a terminal, lines in a pipe."""

import sys
import time
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import ProgressBar
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

# A person reads no faster; a small network may run hundreds of epochs in this time.
_BAR_INTERVAL = 0.1
_LINE_INTERVAL = 5.0


class EpochProgress(ProgressBar):
    """Shows the epoch and its latest metrics.

    On a terminal one bar spans the whole run, because an epoch may last milliseconds. Elsewhere
    a line is printed for the first epoch, the last, and at most every five seconds between.
    """

    def __init__(self) -> None:
        super().__init__()
        self._enabled = True
        self._bar: Progress | None = None
        self._task = TaskID(0)
        self._shown_at = 0.0
        self._validated = -1

    def disable(self) -> None:
        """Show nothing; Lightning calls this in all processes but the first."""
        self._enabled = False

    def enable(self) -> None:
        """Show again."""
        self._enabled = True

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Open the bar, on a terminal."""
        self._shown_at = 0.0
        self._first_epoch = trainer.current_epoch
        if self._enabled and sys.stdout.isatty():
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(bar_width=20),
                TimeRemainingColumn(),
                TextColumn("{task.fields[metrics]}"),
                console=Console(),
            )
            self._task = self._bar.add_task(
                f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}",
                total=(trainer.max_epochs or 0) * trainer.num_training_batches,
                completed=int(trainer.current_epoch * trainer.num_training_batches),
                metrics="",
            )
            self._bar.start()

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Remember which epoch the validation metrics are of."""
        if not trainer.sanity_checking:
            self._validated = trainer.current_epoch

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Move the bar, ten times a second."""
        if self._bar is not None and time.monotonic() - self._shown_at > _BAR_INTERVAL:
            done = trainer.current_epoch * trainer.num_training_batches + batch_idx + 1
            epoch = trainer.current_epoch + 1
            self._move(self._bar, trainer, pl_module, done, epoch=epoch)

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Print the line of the epoch before, whose metrics are complete only now."""
        waited = time.monotonic() - self._shown_at
        is_first = trainer.current_epoch == self._first_epoch
        if self._bar is None and not is_first and waited > _LINE_INTERVAL:
            self._print_line(trainer, pl_module, trainer.current_epoch)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Fill the bar, or print the last epoch's line."""
        if self._bar is not None:
            done = trainer.current_epoch * trainer.num_training_batches
            self._move(self._bar, trainer, pl_module, done, epoch=trainer.current_epoch)
            self._close()
        elif trainer.current_epoch > self._first_epoch:
            self._print_line(trainer, pl_module, trainer.current_epoch)

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        """Give the terminal back before an error is printed."""
        self._close()

    def _move(
        self,
        bar: Progress,
        trainer: Trainer,
        pl_module: LightningModule,
        done: float,
        *,
        epoch: int,
    ) -> None:
        self._shown_at = time.monotonic()
        bar.update(
            self._task,
            completed=done,
            description=f"epoch {epoch}/{trainer.max_epochs}",
            metrics=self._metrics(trainer, pl_module),
        )

    def _print_line(self, trainer: Trainer, pl_module: LightningModule, epoch: int) -> None:
        if self._enabled:
            self._shown_at = time.monotonic()
            metrics = self._metrics(trainer, pl_module)
            print(f"epoch {epoch}/{trainer.max_epochs}  {metrics}", flush=True)

    def _metrics(self, trainer: Trainer, pl_module: LightningModule) -> str:
        """The losses and the first metric that tells how good the network is.

        They are of the last epoch that has ended; where that was not validated, the validation
        metrics are of one before, and are left out.
        """
        latest: dict[str, float] = getattr(pl_module, "latest_metrics", {})
        names = ["train/loss"]
        if self._validated == trainer.current_epoch - 1:
            names += ["val/loss", "val/accuracy", "val/rmse"]
        return "  ".join(f"{name} {latest[name]:.4g}" for name in names if name in latest)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
