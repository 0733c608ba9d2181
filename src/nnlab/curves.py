"""TensorBoard curves against steps and against epochs."""

import contextlib
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.utilities import rank_zero_only
from tensorboard.compat.proto.summary_pb2 import Summary


class CurvesLogger(TensorBoardLogger):
    """A TensorBoard logger that draws each epoch's metrics twice.

    `val/loss` has optimizer steps on its horizontal axis, `epoch/val/loss` has epochs, beginning
    with 1.

    Args:
        save_dir: The run directory; the event files lie directly in it.
    """

    def __init__(self, *, save_dir: Path) -> None:
        # default_hp_metric would fill the HParams tab with a metric of -1.
        super().__init__(save_dir, name="", version="", default_hp_metric=False)
        threading.excepthook = _report_others

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Write metrics at a step; with `epoch` among them also at the epoch."""
        by_step = {name: value for name, value in metrics.items() if name != "epoch"}
        self._write(by_step, step)
        if "epoch" in metrics:
            epoch = int(metrics["epoch"]) + 1
            self._write({f"epoch/{name}": v for name, v in by_step.items()}, epoch)

    def _write(self, metrics: Mapping[str, float], step: int | None) -> None:
        """Write metrics as one event: one for each takes longer than a small network's steps."""
        values = [
            Summary.Value(tag=name, simple_value=float(value)) for name, value in metrics.items()
        ]
        with self._telling_of_failures():
            self.experiment._get_file_writer().add_summary(Summary(value=values), step)

    @rank_zero_only
    def save(self) -> None:
        """Flush the events; Lightning would add an `hparams.yaml`, but `.hydra/` has it all."""
        with self._telling_of_failures():
            self.experiment.flush()

    @rank_zero_only
    def finalize(self, status: str) -> None:
        """Flush and close the file of events."""
        with self._telling_of_failures():
            super().finalize(status)

    @contextlib.contextmanager
    def _telling_of_failures(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OSError(
                f"TensorBoard's curves must be written to {self.save_dir}, but cannot be "
                f"({error.strerror or error}); what was saved before is whole"
            ) from error


def _report_others(failure: threading.ExceptHookArgs) -> None:
    """Print what ends a thread, unless it is a failure to write curves, which `_write` raises."""
    writes_curves = type(failure.thread).__module__.startswith("tensorboard.")
    if not (writes_curves and isinstance(failure.exc_value, OSError)):
        threading.__excepthook__(failure)
