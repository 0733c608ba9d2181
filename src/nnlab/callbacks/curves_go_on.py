"""Curves that a resumed run goes on with."""

from lightning.pytorch import Callback, LightningModule, Trainer

from nnlab.loggers import CurvesLogger


class CurvesGoOn(Callback):
    """Has `CurvesLogger` go on, once all that a checkpoint holds is taken over.

    Args:
        steps: Optimizer steps behind the run.
        epochs: Epochs behind it.
    """

    def __init__(self, *, steps: int, epochs: int) -> None:
        self._behind = {"steps": steps, "epochs": epochs}
        self._is_done = False

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Before the first epoch that is drawn."""
        self._go_on(trainer)

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Where no epoch was left, and only the result is."""
        self._go_on(trainer)

    def _go_on(self, trainer: Trainer) -> None:
        loggers = [logger for logger in trainer.loggers if isinstance(logger, CurvesLogger)]
        for logger in () if self._is_done else loggers:
            logger.go_on(**self._behind)
        self._is_done = True
