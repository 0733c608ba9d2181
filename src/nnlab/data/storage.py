"""Where a table lies: in memory, or on disk and mapped into it.

What is mapped is used as if it were in memory; the system reads the parts that are used, and drops
them again where memory is short.
"""

import contextlib
import logging
import mmap
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import IO, cast
from weakref import WeakValueDictionary

import polars as pl
import torch
from rich import filesize
from torch import Tensor

from nnlab.data.memory import memory_bytes
from nnlab.errors import first_line
from nnlab.paths import is_in_cache

_log = logging.getLogger(__name__)

# A table and the inputs made of it are in memory together for a while, and learning takes copies.
_SHARE = 0.25
# Of a table on disk, each file has about so many bytes: its columns are put together in memory.
_FILE_BYTES = 2**26


class Storage:
    """Keeps tables and inputs in memory, or on disk if they are too large for it.

    Files have no name in their folder, so the system removes them when the process ends, however
    it ends.

    Args:
        memory_map: Whether to keep them on disk; None for those that take more than a quarter of
            the memory that the process may have.
        scratch: The folder of the files; one in the cache is made if it is needed.
    """

    def __init__(self, *, memory_map: bool | None, scratch: Path) -> None:
        self.scratch = scratch
        self.limit = _SHARE * memory_bytes() if memory_map is None else 0.0
        if memory_map is False:
            self.limit = float("inf")

    def inputs(self, rows: Sequence[int], width: int) -> list[Tensor]:
        """Room for inputs, float32 `(rows, width)`, of each of several parts of a table.

        Raises:
            OSError: There is no room on the disk.
        """
        sizes = [4 * count * width for count in rows]
        if not sum(sizes) or sum(sizes) <= self.limit:
            return [torch.empty(count, width) for count in rows]
        self.tell("the inputs go")
        return [
            self._map_new(size).view(count, width) if size else torch.empty(count, width)
            for count, size in zip(rows, sizes, strict=True)
        ]

    def table(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The same table, on disk.

        Raises:
            OSError: There is no room on the disk.
            ValueError: What it takes is not installed.
        """
        try:
            import pyarrow as pa
        except ImportError as error:
            raise ValueError(
                "a table that is too large for memory needs the package pyarrow: pip install "
                "'nnlab[large]'; or try data.memory_map=false"
            ) from error
        with self._new_file(frame.estimated_size()) as file:
            # One piece a column, or reading would go from piece to piece.
            frame.rechunk().write_ipc(
                file, compression="uncompressed", compat_level=pl.CompatLevel.newest()
            )
            file.flush()
            content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        table = pa.ipc.open_file(pa.BufferReader(pa.py_buffer(content))).read_all()
        return cast(pl.DataFrame, pl.from_arrow(table, rechunk=False))

    def fits(self, frame: pl.DataFrame) -> bool:
        """Whether a table is kept in memory."""
        return frame.estimated_size() <= self.limit

    def filter(self, frame: pl.DataFrame, keep: pl.Series) -> pl.DataFrame:
        """The rows of a table that are to be kept; on disk if it is too large for memory."""
        if self.fits(frame):
            return frame.filter(keep)
        parts = TableParts(self)
        at_a_time = max(1, int(_FILE_BYTES / (frame.estimated_size() / len(frame))))
        for start in range(0, len(frame), at_a_time):
            rows = slice(start, start + at_a_time)
            parts.add(frame[rows].filter(keep[rows]))
        return parts.join({})

    def tell(self, what: str) -> None:
        """Say that something goes to disk, and why."""
        why = f": more than {filesize.decimal(int(self.limit))}" if self.limit else ""
        _log.info("%s to disk while the run lasts, into %s%s", what, self.scratch, why)

    def _map_new(self, size: int) -> Tensor:
        """A file of so many bytes as a tensor."""
        with self._new_file(size) as file:
            # Now, because a disk that is full later would end the process without a word.
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, size)
            else:
                file.truncate(size)
            content = mmap.mmap(file.fileno(), size)
        if hasattr(content, "madvise"):
            # Linux would read some MiB around each place; `read_ahead` says what it shall read.
            content.madvise(mmap.MADV_RANDOM)
        mapped = torch.frombuffer(content, dtype=torch.float32)
        _files[mapped.data_ptr()] = content
        return mapped

    @contextlib.contextmanager
    def _new_file(self, size: float) -> Iterator[IO[bytes]]:
        try:
            if is_in_cache(self.scratch):  # a config from elsewhere makes no folder anywhere else
                self.scratch.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.scratch) as file:
                yield file
        except OSError as error:
            reason = error.strerror or first_line(error)  # polars gives no number
            raise OSError(
                f"data.scratch must be a folder with room for {filesize.decimal(int(size))} more, "
                f"got {self.scratch} ({reason}); name another with data.scratch=FOLDER"
            ) from error


# Of inputs, by the address at which they begin.
_files: WeakValueDictionary[int, mmap.mmap] = WeakValueDictionary()


def read_ahead(rows: Tensor) -> None:
    """Have the system read neighbouring rows of inputs at once; page by page it takes far longer.

    Args:
        rows: Any tensor; of one that is not on disk nothing is read.
    """
    content = _files.get(rows.untyped_storage().data_ptr()) if rows.device.type == "cpu" else None
    if content is not None and hasattr(content, "madvise"):
        start = int(rows.storage_offset()) * rows.itemsize
        page = start - start % mmap.PAGESIZE
        content.madvise(mmap.MADV_WILLNEED, page, start - page + int(rows.nbytes))


class TableParts:
    """The parts of a table, one below the other; on disk once they are too large for memory.

    Args:
        storage: Where they are kept.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._in_memory: list[pl.DataFrame] = []
        self._on_disk: list[pl.DataFrame] = []
        self._bytes = 0.0

    def add(self, frame: pl.DataFrame) -> None:
        """Add rows below those so far, with the same columns."""
        self._in_memory.append(frame)
        self._bytes += frame.estimated_size()
        if self._bytes > (_FILE_BYTES if self._on_disk else self._storage.limit):
            if not self._on_disk:
                self._storage.tell("the table goes")
            self._move()

    def join(self, types: Mapping[str, pl.DataType]) -> pl.DataFrame:
        """All rows.

        Args:
            types: Those of the columns in which parts may differ.
        """
        if self._on_disk:
            self._move()
        parts = (
            part
            if all(part.schema[name] == dtype for name, dtype in types.items())
            else self._cast(part, types)
            for part in self._on_disk or self._in_memory
        )
        return pl.concat(parts)

    def _cast(self, part: pl.DataFrame, types: Mapping[str, pl.DataType]) -> pl.DataFrame:
        # Declared for a dict alone, which it need not be.
        alike = part.cast(types)  # type: ignore[arg-type]
        return self._storage.table(alike) if self._on_disk else alike

    def _move(self) -> None:
        """Move to disk what is in memory."""
        frames, self._in_memory, self._bytes = self._in_memory, [], 0.0
        for _, alike in groupby(frames, key=lambda frame: frame.schema):
            batch: list[pl.DataFrame] = []
            for frame in alike:
                batch.append(frame)
                if sum(frame.estimated_size() for frame in batch) > _FILE_BYTES:
                    self._on_disk.append(self._storage.table(pl.concat(batch)))
                    batch = []
            if batch:
                self._on_disk.append(self._storage.table(pl.concat(batch)))
