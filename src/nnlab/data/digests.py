"""SHA-256 of data, to tell whether it is still what a checkpoint was trained on."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from torch import Tensor

from nnlab.paths import require_file

# A file of up to so many pieces of so many bytes is digested whole.
_PIECES, _PIECE = 64, 2**20


def file_digest(path: Path) -> str:
    """SHA-256 of a file; of a large one, of its size and evenly spaced pieces, which is quick.

    Raises:
        FileNotFoundError: There is no such file.
    """
    total = hashlib.sha256()
    with require_file(path).open("rb") as file:
        size = file.seek(0, 2)
        total.update(size.to_bytes(8))
        for start in range(0, size, max(_PIECE, size // _PIECES)):
            file.seek(start)
            total.update(file.read(_PIECE))
    return total.hexdigest()


def tensors_digest(contents: Iterable[Tensor]) -> str:
    """SHA-256 of tensors on the CPU, one after the other."""
    total = hashlib.sha256()
    for content in contents:
        total.update(content.numpy().tobytes())
    return total.hexdigest()
