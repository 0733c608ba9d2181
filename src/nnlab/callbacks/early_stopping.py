"""Early stopping that outlives the process."""

from typing import Any

from lightning.pytorch import LightningModule, Trainer, callbacks
from torch import Tensor


class EarlyStopping(callbacks.EarlyStopping):
    """Lightning's `EarlyStopping`, of a run that stays stopped when it is resumed.

    Lightning saves that a run has stopped, but trains another epoch of it all the same, so a run
    that was killed between its last epoch and its last word would end otherwise.
    """

    _has_stopped = False

    def _evaluate_stopping_criteria(self, current: Tensor) -> tuple[bool, str | None]:
        should_stop, reason = super()._evaluate_stopping_criteria(current)
        self._has_stopped |= should_stop
        return should_stop, reason

    def state_dict(self) -> dict[str, Any]:
        """Lightning's, and whether the run has stopped; an epoch that it stopped in may be 0."""
        return {**super().state_dict(), "has_stopped": self._has_stopped}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up the state of a checkpoint."""
        super().load_state_dict(state_dict)
        has_stopped = state_dict.get("has_stopped", self.stopped_epoch > 0)
        self._has_stopped = has_stopped or self.wait_count >= max(self.patience, 1)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Stop before the first epoch if a checkpoint says so."""
        if self._has_stopped:
            trainer.should_stop = True
