"""Writing checkpoints whole, and reading them without running anything that is in them."""

import hashlib
import io
import math
import pickle
import struct
import warnings
import zipfile
from pathlib import Path
from typing import Any, TypeGuard

import torch
from torch import Tensor

from nnlab.atomic import replacing

# A checkpoint is a zip archive, and an archive may end in a comment: it holds the SHA-256 of all
# bytes before it. torch reads such a file like any other.
_MARK = b"sha256:"
_COMMENT_BYTES = len(_MARK) + 64
_ARCHIVE = b"PK\x03\x04"
_NEEDED = ("epoch", "hyper_parameters", "state_dict")
_TENSORS = ("state_dict", "optimizer_states")


def previous(path: Path) -> Path:
    """Where the file that was at `path` before stays."""
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
    content = buffer.getbuffer()  # no copy
    # The last two bytes of an archive without a comment are the comment's length.
    content[-2:] = _COMMENT_BYTES.to_bytes(2, "little")
    comment = _MARK + hashlib.sha256(content).hexdigest().encode()
    with replacing(path, keep=keep) as file:
        file.write(content)
        file.write(comment)


def require_plain(checkpoint: dict[str, Any]) -> None:
    """Refuse what could be written, but not be read again.

    Args:
        checkpoint: As Lightning makes it, with what callbacks and a person's own network add.

    Raises:
        ValueError: A part of it is more than tensors and plain data.
    """
    parts = {name: checkpoint[name] for name in checkpoint if name not in _TENSORS}
    for name, state in parts.pop("callbacks", {}).items():
        parts[f"the callback {name}"] = state
    for name, part in parts.items():
        buffer = io.BytesIO()
        try:
            torch.save(part, buffer)
            buffer.seek(0)
            torch.load(buffer, weights_only=True)
        except (pickle.PickleError, AttributeError, TypeError) as error:
            raise ValueError(
                f"a checkpoint must be tensors and plain data, or no run could go on from it, but "
                f"the state of {name} is more: make it numbers, text, lists, dicts and tensors "
                f"({part!r:.200})"
            ) from error


def best_checkpoint(run_dir: Path) -> Path:
    """Where a run keeps its best network, which is what is tested, predicts and is exported."""
    return run_dir / "checkpoints" / "best.ckpt"


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
        if not (path.parents[1] / ".hydra").is_dir():
            raise FileNotFoundError(f"there is no run directory or checkpoint file {path}")
        raise FileNotFoundError(
            f"there is no checkpoint {path}; the run was stopped before its first one, or the file "
            "was removed"
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
    """Whether it has what a network is rebuilt from."""
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

    What is no archive is refused as well: in torch's format before 2020, a few bytes can ask for
    any amount of memory.
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
