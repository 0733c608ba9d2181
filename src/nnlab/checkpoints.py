"""Writing checkpoints whole, and reading them without running anything that is in them."""

import hashlib
import io
import math
import pickle
import shlex
import struct
import time
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeGuard

import torch
from lightning.pytorch.plugins.io import TorchCheckpointIO
from torch import Tensor

from nnlab.atomic import replacing
from nnlab.rules import check
from nnlab.stopwatch import stopwatch
from nnlab.suggestions import command

# A checkpoint is a zip archive, and an archive may end in a comment: it holds the SHA-256 of all
# bytes before it. torch reads such a file like any other.
_MARK = b"sha256:"
_COMMENT_BYTES = len(_MARK) + 64
_ARCHIVE = b"PK\x03\x04"
_NEEDED = ("epoch", "hyper_parameters", "state_dict")


def previous(path: Path) -> Path:
    """Where the checkpoint before the one at `path` stays."""
    return path.with_name(f"{path.stem}_before{path.suffix}")


def write_checkpoint(checkpoint: dict[str, Any], path: Path, *, keep: Path | None = None) -> None:
    """Write a checkpoint that carries its own digest.

    Args:
        checkpoint: Tensors and plain data.
        path: The file.
        keep: Where the file that is there now stays; None to lose it.

    Raises:
        OSError: The folder cannot be written.
    """
    buffer = io.BytesIO()
    torch.save(checkpoint, buffer)
    content = bytearray(buffer.getvalue())
    # The last two bytes of an archive without a comment are the comment's length.
    content[-2:] = _COMMENT_BYTES.to_bytes(2, "little")
    comment = _MARK + hashlib.sha256(content).hexdigest().encode()
    with replacing(path, keep=keep) as file:
        file.write(content + comment)


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Open a checkpoint, on the CPU, as tensors and plain data only.

    Args:
        path: A local file that nnlab wrote.

    Returns:
        The checkpoint's content; among it `hyper_parameters` and `state_dict`.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is not a checkpoint, is damaged, or holds more than tensors and plain data.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f"there is no checkpoint {path}; the run was stopped before its first one, or this is "
            "not a run directory"
        )
    content = path.read_bytes()
    _check_digest(path, content)
    _check_archive(path, content)
    try:
        with warnings.catch_warnings():
            # What torch would warn of is refused below.
            warnings.simplefilter("ignore")
            checkpoint = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        size = _size(checkpoint, {})
    except Exception as error:  # what is made up can fail in any way
        reason = (
            "it holds more than tensors and plain data, and opening that could run code"
            if isinstance(error, pickle.UnpicklingError)
            else "it is of another kind"
        )
        raise ValueError(f"{path} must be a checkpoint of nnlab, but {reason}") from error
    if not is_checkpoint(checkpoint):
        raise ValueError(f"{path} must be a checkpoint of nnlab, with {', '.join(_NEEDED)} in it")
    if size > len(content):
        raise ValueError(
            f"{path} must be a checkpoint of nnlab, but what its {len(content):,} bytes stand for "
            "would take far more of memory"
        )
    return checkpoint


def is_checkpoint(content: Any) -> TypeGuard[dict[str, Any]]:
    """Whether it has what a network is made of again."""
    return isinstance(content, dict) and all(key in content for key in _NEEDED)


def _check_digest(path: Path, content: bytes) -> None:
    """Refuse what is not as nnlab wrote it, before anything in it is read."""
    body, comment = content[:-_COMMENT_BYTES], content[-_COMMENT_BYTES:]
    if comment == _MARK + hashlib.sha256(body).hexdigest().encode():
        return
    if comment.startswith(_MARK):
        raise ValueError(
            f"{path} must be a checkpoint as nnlab wrote it, but its bytes have changed since: "
            "its SHA-256 is another; restore the file, or train again"
        )
    if content.startswith(_ARCHIVE):
        reason = "not as nnlab wrote it, with its SHA-256 at the end: damaged, cut short or foreign"
    elif content.startswith(b"\x80"):
        reason = "a pickle, and opening one could run code"
    else:
        reason = "damaged or of another kind"
    raise ValueError(f"{path} must be a checkpoint of nnlab, but it is {reason}")


def _check_archive(path: Path, content: bytes) -> None:
    """Refuse what becomes larger when it is opened: torch packs nothing.

    Neither is what is no archive left to torch: of its format before 2020, a few bytes can ask
    for any amount of memory.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, ValueError, struct.error):
        size = None
    if size is None or not content.startswith(_ARCHIVE):
        raise ValueError(f"{path} must be a checkpoint of nnlab, but it is of another kind")
    if size > len(content):
        raise ValueError(
            f"{path} must be a checkpoint of nnlab, but its {len(content):,} bytes would become "
            f"{size:,} when it is opened"
        )


def _size(value: Any, known: dict[int, float]) -> float:
    """The bytes of a checkpoint's content, with all that is in it twice written out.

    Less than the file, as nnlab writes it. Of plain data, which may well be shared, a tenth is
    counted; what holds itself is infinite.
    """
    if isinstance(value, Tensor):
        return value.nbytes
    if not isinstance(value, (dict, list, tuple, set)):
        return (1 + len(value) if isinstance(value, (str, bytes)) else 1) / 10
    if id(value) not in known:
        known[id(value)] = math.inf
        parts = [*value, *value.values()] if isinstance(value, dict) else value
        known[id(value)] = 0.1 + sum(_size(part, known) for part in parts)
    return known[id(value)]


class CheckpointFiles(TorchCheckpointIO):
    """How Lightning's Trainer writes and reads checkpoints: by the two functions above, in time.

    An epoch may last milliseconds, less than a file takes to be safe on a disk. So the run's own
    best and last checkpoints are held in memory, each in place of the one before, until they are
    written together. Others, of callbacks that a person adds, are written at once.

    The last checkpoint holds the best one as well, so that training can go on where that is lost.

    Args:
        checkpoint_every_s: Seconds, >= 0; about the work that a killed process loses, unless an
            epoch lasts longer.
        settings: What the last checkpoint is to tell of its run, as plain data.

    Attributes:
        checkpoint_every_s: As above.
    """

    def __init__(self, *, checkpoint_every_s: float, settings: dict[str, Any]) -> None:
        check(checkpoint_every_s=checkpoint_every_s)
        super().__init__()
        self.checkpoint_every_s = checkpoint_every_s
        self._settings = settings
        self._written_at = self._asked_at = -math.inf
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
            ValueError: It is no checkpoint's file; a checkpoint that a run is resumed from can
                name anything, and Lightning would remove a folder with all that is in it.
        """
        path = Path(path)
        if path.suffix != ".ckpt" or ".." in path.parts:
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
