"""Checkpoints that belong to a run directory, wherever it lies."""

from pathlib import Path
from typing import Any

from lightning.pytorch.callbacks import ModelCheckpoint


class RunCheckpoint(ModelCheckpoint):
    """Lightning's `ModelCheckpoint`, whose memory of the best survives a move.

    Lightning forgets which checkpoint was the best when a run is resumed in another folder than
    it began in, and would then write a worse one over it.

    Args:
        filename: Name of the file in the run's `checkpoints` folder, without `.ckpt`; each
            checkpoint is written over the one before.
        monitor: The metric whose best epoch is kept; None keeps the last epoch.
        mode: `min` or `max`, what is best.
    """

    def __init__(self, *, filename: str, monitor: str | None, mode: str) -> None:
        super().__init__(
            filename=filename, monitor=monitor, mode=mode, enable_version_counter=False
        )

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
