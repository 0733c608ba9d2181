"""The IDX file format, in which MNIST and its kin come.

Two zero bytes, a type code, the number of dimensions, each dimension as a big-endian 32-bit
number, then the items (http://yann.lecun.com/exdb/mnist/, "The IDX file format").
"""

import gzip
import hashlib
import math
import struct
from pathlib import Path
from typing import BinaryIO

import torch
from torch import Tensor

from nnlab.data.foreign_files import reading_gzip, refuse_web_page

_UNSIGNED_BYTE = 0x08
_MAX_BYTES = 2**30
# A deflate stream cannot expand further than this (https://zlib.net/zlib_tech.html).
_MAX_DEFLATE_RATIO = 1032


def find_idx(root: Path, name: str) -> Path | None:
    """The file `name` or `name.gz` in `root`, or None."""
    for path in (root / name, root / f"{name}.gz"):
        if path.is_file():
            return path
    return None


def read_idx(path: Path, *, ndim: int, sha256: str | None = None) -> Tensor:
    """Read an IDX file of unsigned bytes, gzipped or not, in memory bounded by 1 GiB.

    Args:
        path: The file; gzipped if it begins like a gzip file, whatever its name.
        ndim: Dimensions it must have: 3 for images, 1 for labels.
        sha256: What the decompressed bytes must hash to, in hexadecimal; None for no check.

    Returns:
        A uint8 tensor in the shape that the header states.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is not such an IDX file, or not the one that was expected.
    """
    with path.open("rb") as raw:
        is_gzip = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        if is_gzip:
            capacity = path.stat().st_size * _MAX_DEFLATE_RATIO
            with reading_gzip(path), gzip.open(raw) as file:
                content, shape = _read_content(file, path, ndim, capacity)
        else:
            content, shape = _read_content(raw, path, ndim, path.stat().st_size)
    if sha256 is not None and (found := hashlib.sha256(content).hexdigest()) != sha256:
        raise ValueError(
            f"{path} must hold the data set's own bytes (SHA-256 {sha256}), got SHA-256 {found}; "
            "fetch it again, or set data.sha256=null data.mirrors=[] if the files are your own"
        )
    header = 4 + 4 * ndim
    return torch.frombuffer(content, dtype=torch.uint8, offset=header).view(shape)


def _read_content(
    file: BinaryIO | gzip.GzipFile, path: Path, ndim: int, capacity: int
) -> tuple[bytearray, list[int]]:
    """Header and items, and the shape; never reads more than the header promises plus a byte."""
    header = file.read(4 + 4 * ndim)
    refuse_web_page(path, header, "an IDX file")
    expected = bytes([0, 0, _UNSIGNED_BYTE, ndim])
    if header[:4] != expected:
        raise ValueError(
            f"{path} must be an IDX file of unsigned bytes in {ndim} dimensions (first bytes "
            f"{expected.hex(' ')}), got {header[:4].hex(' ') or 'an empty file'}"
        )
    if len(header) < 4 + 4 * ndim:
        raise ValueError(f"{path} must begin with a whole IDX header, but it ends inside it")
    shape = list(struct.unpack(f">{ndim}I", header[4:]))
    items = math.prod(shape)
    if items == 0:
        raise ValueError(f"{path} must hold at least one item, got shape {shape}")
    if items > min(capacity, _MAX_BYTES):
        raise ValueError(
            f"{path} promises {items} bytes (shape {shape}), more than "
            + ("it can hold" if items > capacity else f"the limit of {_MAX_BYTES}")
        )
    content = bytearray(header)
    # In pieces: only what is really there takes memory, whatever the header promises.
    while (missing := len(header) + items + 1 - len(content)) > 0:
        piece = file.read(min(missing, 2**20))
        if not piece:
            break
        content += piece
    if len(content) != len(header) + items:
        found = f"only {len(content) - len(header)}" if missing > 1 else "more"
        raise ValueError(
            f"{path} must hold the {items} bytes its header promises (shape {shape}), "
            f"but it holds {found}"
        )
    return content, shape
