"""When a run's checkpoints are written: held in memory, and on the disk in time."""

import math
import shlex
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lightning.pytorch.plugins.io import TorchCheckpointIO
from torch import Tensor

from nnlab.checkpoints import previous, read_checkpoint, require_plain, write_checkpoint
from nnlab.rules import check
from nnlab.stopwatch import stopwatch
from nnlab.suggestions import command


class CheckpointFiles(TorchCheckpointIO):
    """How Lightning's Trainer writes and reads checkpoints: by `nnlab.checkpoints`, in time.

    An epoch may last milliseconds, less than a file takes to be safe on a disk. So the run's own
    best and last checkpoints are held in memory, each in place of the one before, until they are
    written together. Others, of callbacks that a person adds, are written at once.

    The last checkpoint holds the best one as well, so that training can go on where that is lost.

    Args:
        checkpoint_every_s: Seconds, >= 0; about the work that a killed process loses, unless an
            epoch lasts longer.
        settings: What the last checkpoint is to tell of its run, as plain data.
        folder: The run's.

    Attributes:
        checkpoint_every_s: As above.
    """

    def __init__(
        self, *, checkpoint_every_s: float, settings: dict[str, Any], folder: Path
    ) -> None:
        check(checkpoint_every_s=checkpoint_every_s)
        super().__init__()
        self.checkpoint_every_s = checkpoint_every_s
        self._settings = settings
        self._folder = folder
        self._written_at = self._asked_at = -math.inf
        self._checked: set[Path] = set()
        self._folders: set[Path] = set()
        self._held: dict[Path, dict[str, Any]] = {}
        self._best: dict[str, Any] | None = None

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: object = None
    ) -> None:
        """Take a checkpoint as it is now; there are no storage options."""
        path = Path(path)
        if not _is_own(path):
            self._write_one(checkpoint, path)
            return
        if path not in self._checked:  # once, before more work depends on it
            require_plain(checkpoint)
            self._checked.add(path)
        self._held[path] = _snapshot(checkpoint)
        if _is_last(path):  # the best is given to others, whom the settings do not concern
            own = {"settings": self._settings, "time": asdict(stopwatch.spent())}
            self._held[path] |= {**own, "best": self._best}
        else:
            self._best = self._held[path]

    def is_due(self) -> bool:
        """Whether the next time to write would be too late; to be asked at each epoch."""
        now = time.monotonic()
        epoch_s, self._asked_at = now - self._asked_at, now
        return bool(self._held) and now + epoch_s - self._written_at >= self.checkpoint_every_s

    def write(self) -> None:
        """Write what is held.

        Raises:
            OSError: It cannot be written; the checkpoints that are there stay as they are.
        """
        # The last epoch's checkpoint knows which was the best, so that one must be there first.
        for path in sorted(self._held, key=_is_last):
            self._write_one(self._held[path], path)
            del self._held[path]
        self._written_at = time.monotonic()

    def _write_one(self, checkpoint: dict[str, Any], path: Path) -> None:
        # Of a tensor on a GPU the file would say so, and open only where there is one.
        checkpoint = _with_tensors(checkpoint, Tensor.cpu)
        try:
            # Once, so that a folder that somebody removes is noticed.
            if path.parent not in self._folders:
                path.parent.mkdir(parents=not _is_own(path), exist_ok=True)
                self._folders.add(path.parent)
            # Training can go on from the one before, should a disk spoil the last.
            keep = previous(path) if _is_last(path) else None
            write_checkpoint(checkpoint, path, keep=keep)
        except OSError as error:
            if not path.parent.is_dir():
                raise FileNotFoundError(
                    f"{path.parent} must stay where it is while the run goes on, but it is gone; "
                    "start the run again"
                ) from error
            way_out = ""
            if _is_own(path):
                resume = shlex.quote(f"resume={path.parents[1]}")
                way_out = f", and go on with {command('train')} {resume}"
            raise OSError(f"{error}{way_out}") from error

    def remove_checkpoint(self, path: str | Path) -> None:
        """Remove a checkpoint that is no longer among a callback's best, held or written.

        Raises:
            ValueError: It is no checkpoint's file in the run's folder, or in one that this process
                has written such files into; a checkpoint that a run is resumed from can name
                anything, and Lightning would remove a folder with all that is in it.
        """
        path = Path(path)
        is_within = path.parent.resolve().is_relative_to(self._folder.resolve())
        is_here = is_within or path.parent in self._folders
        if path.suffix != ".ckpt" or ".." in path.parts or not is_here:
            raise ValueError(
                f"a checkpoint must name a .ckpt file of its run to be removed, got {path}; it "
                "does not come from nnlab, so do not resume it"
            )
        self._held.pop(path, None)
        path.unlink(missing_ok=True)

    def load_checkpoint(
        self, path: str | Path, map_location: object = None, weights_only: bool | None = True
    ) -> dict[str, Any]:
        """Read a checkpoint on the CPU; never more than tensors and plain data."""
        checkpoint = read_checkpoint(Path(path))
        self._best = checkpoint.pop("best", None)
        return checkpoint


def _is_own(path: Path) -> bool:
    """Whether it is one of the two that every run has."""
    return path.parent.name == "checkpoints" and path.name in ("best.ckpt", "last.ckpt")


def _is_last(path: Path) -> bool:
    return path.stem == "last"


def _snapshot(checkpoint: dict[str, Any]) -> dict[str, Any]:
    """A copy that training does not change."""
    copy: dict[str, Any] = _with_tensors(checkpoint, lambda tensor: tensor.detach().clone())
    return copy


def _with_tensors(value: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """The same with each tensor changed, and so what holds them copied."""
    if isinstance(value, Tensor):
        return change(value)
    if isinstance(value, dict):
        return {key: _with_tensors(entry, change) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_with_tensors(entry, change) for entry in value)
    return value
