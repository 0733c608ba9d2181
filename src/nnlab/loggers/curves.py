"""TensorBoard curves against steps and against epochs."""

import contextlib
import math
import re
import threading
import time
from collections.abc import Container, Iterator, Mapping
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.utilities import rank_zero_only
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData
from torch.utils.tensorboard.summary import custom_scalars, hparams

from nnlab.loggers.event_files import event_files, kept_events

# A person who looks at curves does not look more often.
_HAND_OVER_EVERY_S = 1.0
# So many events are handed over without a wait for the thread that writes them.
_MAX_QUEUE = 10_000
# The tag under which TensorBoard keeps what the Custom Scalars tab shows.
_CHARTS = "custom_scalars__config__"


class CurvesLogger(TensorBoardLogger):
    """A TensorBoard logger that draws each epoch's metrics twice, and training beside validation.

    `val/loss` has optimizer steps on its horizontal axis, `epoch/val/loss` has epochs, beginning
    with 1. The tab Custom Scalars has `epoch/train/loss` and `epoch/val/loss` in one chart.

    Args:
        save_dir: The run directory; the event files lie directly in it.
    """

    def __init__(self, *, save_dir: Path) -> None:
        # default_hp_metric would fill the HParams tab with a metric of -1.
        super().__init__(
            save_dir, name="", version="", default_hp_metric=False, max_queue=_MAX_QUEUE
        )
        threading.excepthook = _report_others
        # Of each event the axis, the step, the moment, and what is to be drawn there.
        self._points: list[tuple[str, int | None, float, dict[str, float]]] = []
        self._latest: dict[tuple[str, int | None], dict[str, float]] = {}
        self._handed_over_at = -math.inf
        # The metrics of epochs so far, and whether there are charts of what stands side by side.
        self._of_epochs: dict[str, None] = {}
        self._has_charts = False

    @rank_zero_only
    def go_on(self, *, steps: int, epochs: int) -> None:
        """Leave in the curves what a run has behind it that goes on from its checkpoint.

        The points that a stopped process drew after it are drawn again. To purge them by a step,
        as TensorBoard can, would purge the curves against epochs by it too. So all are purged, and
        those that stay are written again.

        Args:
            steps: Optimizer steps behind the checkpoint; those of the curves begin with 0.
            epochs: Epochs behind it.

        Raises:
            OSError: The curves cannot be read or written.
        """
        before = event_files(Path(self.save_dir))
        if not before:
            return

        def is_kept(tag: str, step: int) -> bool:
            if tag.startswith("_hparams_/"):  # which the end of the run writes
                return False
            if tag == _CHARTS:
                return True
            return step <= epochs if tag.startswith("epoch/") else step < steps

        with self._telling_of_failures():
            if self._experiment:
                self._experiment.close()
                self._experiment = None
            events = kept_events(before, is_kept)
            tags = (value.tag for event in events for value in event.summary.value)
            self._has_charts = _CHARTS in tags
            self._kwargs["purge_step"] = 0  # of the SummaryWriter, which Lightning makes now
            writer = self.experiment._get_file_writer()
            for event in events:
                writer.add_event(event, walltime=event.wall_time)
            self.experiment.flush()
            for path in before:
                path.unlink()

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Write metrics at a step; with `epoch` among them also at the epoch."""
        by_step = {name: float(value) for name, value in metrics.items() if name != "epoch"}
        self._keep("", by_step, step)
        if "epoch" in metrics:
            # Lightning tells the epoch of what it logs at each step, too, under such names.
            of_epoch = {name: by_step[name] for name in by_step if not name.endswith("_step")}
            self._keep("epoch/", of_epoch, int(metrics["epoch"]) + 1)
            self._of_epochs |= dict.fromkeys(of_epoch)
        if time.monotonic() - self._handed_over_at >= _HAND_OVER_EVERY_S:
            self._hand_over()

    @rank_zero_only
    def log_settings(
        self,
        settings: Mapping[str, Any],
        metrics: Mapping[str, float],
        step: int,
        *,
        shown: Container[str],
    ) -> None:
        """Fill the HParams tab with a run's settings and its final metrics, and close the file.

        `log_hyperparams` does so too, but the tab shows the settings that come first in the
        alphabet, if nothing tells it which are of interest.

        Args:
            settings: By name; others than numbers become text.
            metrics: By the name they are shown under.
            step: The step at which the metrics are drawn.
            shown: The settings that the tab shows first.
        """
        self.log_metrics(metrics, step)
        plain = {
            # To torch a boolean is a number: 0.0000.
            name: str(value).lower()
            if isinstance(value, bool)
            else value
            if isinstance(value, (int, float, str))
            else str(value)
            for name, value in settings.items()
        }
        # Of which torch declares no types.
        experiment, *session = hparams(plain, dict(metrics))  # type: ignore[no-untyped-call]
        plugin = experiment.value[0].metadata.plugin_data
        content = HParamsPluginData.FromString(plugin.content)
        for setting in content.experiment.hparam_infos:
            setting.differs = setting.name in shown
        plugin.content = content.SerializeToString()
        with self._telling_of_failures():
            for summary in (experiment, *session):
                self.experiment._get_file_writer().add_summary(summary, step)
        self.finalize("logged")

    def _keep(self, axis: str, metrics: Mapping[str, float], step: int | None) -> None:
        """Keep points, those of one step together: an event takes longer than small networks do."""
        values = self._latest.get((axis, step))
        if values is None or values.keys() & metrics.keys():  # as of two validations in an epoch
            values = self._latest[axis, step] = {}
            self._points.append((axis, step, time.time(), values))
        values |= metrics

    def _hand_over(self) -> None:
        """Give the points so far to the thread that writes them.

        With each epoch's alone it would wake for each, and take Python's lock from a network whose
        epochs last milliseconds.
        """
        self._handed_over_at = time.monotonic()
        if not self._points:
            return
        with self._telling_of_failures():
            writer = self.experiment._get_file_writer()
            # In the order of their steps: of others TensorBoard takes the former for undone.
            for axis, step, moment, values in sorted(self._points, key=lambda point: point[1] or 0):
                points = [Summary.Value(tag=axis + tag, simple_value=values[tag]) for tag in values]
                writer.add_summary(Summary(value=points), step, walltime=moment)
            if not self._has_charts:
                self._chart_side_by_side()
        self._points.clear()
        self._latest.clear()

    def _chart_side_by_side(self) -> None:
        """Put a metric of training and validation into one chart: where they part, it overfits."""
        logged = [name.partition("/") for name in self._of_epochs]
        charts = {
            # TensorBoard takes what it is to look for as regular expressions.
            name: ["Multiline", [f"^epoch/{part}/{re.escape(name)}$" for part in ("train", "val")]]
            for split, _, name in logged
            if split == "train" and f"val/{name}" in self._of_epochs
        }
        if charts:
            # As of hparams, torch declares no types.
            layout = custom_scalars({"training and validation": charts})  # type: ignore[no-untyped-call]
            self.experiment._get_file_writer().add_summary(layout, 0)
            self._has_charts = True

    @rank_zero_only
    def save(self) -> None:
        """Flush the events; Lightning would add an `hparams.yaml`, but `.hydra/` has it all."""
        self._hand_over()
        with self._telling_of_failures():
            self.experiment.flush()

    @rank_zero_only
    def finalize(self, status: str) -> None:
        """Flush the events; close their file, unless the result of a training is to follow.

        A second file of the same second could be read before the first, and be purged with it.
        """
        self.save()
        if status != "success":
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
    """Print what ends a thread, unless that is a failure to write curves, which is raised."""
    writes_curves = type(failure.thread).__module__.startswith("tensorboard.")
    if not (writes_curves and isinstance(failure.exc_value, OSError)):
        threading.__excepthook__(failure)
