"""Early stopping that outlives the process."""

from lightning.pytorch import LightningModule, Trainer, callbacks


class EarlyStopping(callbacks.EarlyStopping):
    """Lightning's `EarlyStopping`, of a run that stays stopped when it is resumed.

    Lightning saves that a run has stopped, but trains another epoch of it all the same, so a run
    that was killed between its last epoch and its last word would end otherwise.
    """

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Stop before the first epoch if a checkpoint says so."""
        if self.stopped_epoch > 0 or self.wait_count >= max(self.patience, 1):
            trainer.should_stop = True
