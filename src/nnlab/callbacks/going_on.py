"""What a run that is resumed has left behind: its curves, and the results of a shorter run."""

from pathlib import Path

from lightning.pytorch import Callback, LightningModule, Trainer

from nnlab.checkpoints import previous
from nnlab.loggers import CurvesLogger


class GoingOn(Callback):
    """Has a run go on where it was, once all that a checkpoint holds is taken over.

    Curves go on; results are put aside until there are new ones, because the best checkpoint that
    they tell of may be written over.

    Args:
        steps: Optimizer steps behind the run.
        epochs: Epochs behind it.
        results: The file of its results.
    """

    def __init__(self, *, steps: int, epochs: int, results: Path) -> None:
        self._behind = {"steps": steps, "epochs": epochs}
        self._results = results
        self._is_done = False

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Before the first epoch that is drawn."""
        self._go_on(trainer)

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Where no epoch was left, and only the result is."""
        self._go_on(trainer)

    def _go_on(self, trainer: Trainer) -> None:
        if self._is_done:
            return
        self._is_done = True
        for logger in trainer.loggers:
            if isinstance(logger, CurvesLogger):
                logger.go_on(**self._behind)
        if trainer.is_global_zero and self._results.exists():
            self._results.replace(previous(self._results))
