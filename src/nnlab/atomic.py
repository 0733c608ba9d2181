"""Writing files so that they are whole or not there."""

import contextlib
import errno
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


# Characters of a file's name, each of up to four of the 255 bytes that most file systems take.
_LONGEST = 56
# A full disk, a file larger than is allowed, or a quota.
_NO_ROOM = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)


@contextlib.contextmanager
def replacing(path: Path, *, keep: Path | None = None) -> Iterator[BinaryIO]:
    """A file to write to, which takes its place once it is whole.

    It is written beside its place, so that the last step is a rename within one file system, and
    forced to the disk before, as its folder is afterwards where the system can. Whatever happens,
    there is the old file or the new one; with `keep` the old one may be there alone.

    Args:
        path: The file, in a folder that is there; of a symbolic link what it points to.
        keep: Where the old file stays, in the same folder; None to lose it.

    Raises:
        OSError: The file cannot be written; the message says so for a person to read.
        ValueError: It is a device or a pipe, which a file must not replace.
    """
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise ValueError(f"{path} must be a file, but it is a device or a pipe; name a file")
    path = Path(os.path.realpath(path)) if path.is_symlink() else path
    # Of a long name the end, or this one would be longer than a file system takes.
    beside = path.with_name(f".{path.name[-_LONGEST:]}.{os.getpid()}")
    is_whole = False
    try:
        with io.BufferedWriter(_Named(beside, "wb")) as file:
            yield file
            is_whole = True
            file.flush()
            os.fsync(file.fileno())
        if keep is not None and path.exists():
            path.replace(keep)
        beside.replace(path)
        _force_to_disk(path.parent)
    except OSError as error:
        # Who writes may read as well, and what fails then has another name, or none.
        is_of_writing = error.errno and (is_whole or error.filename == beside)
        # What polars raises has no number but that in its text.
        if not is_of_writing and not any(f"(os error {code})" in str(error) for code in _NO_ROOM):
            raise
        raise OSError(
            f"{path} must be written, but cannot be ({error.strerror or error}); what was there "
            "before is whole: make room for it, or let it be written there"
        ) from error
    finally:
        with contextlib.suppress(OSError):  # it is told of above
            beside.unlink(missing_ok=True)


class _Named(io.FileIO):
    """A file that is named by its errors of writing, which have no name of their own."""

    def write(self, data: "ReadableBuffer", /) -> int:
        """Write some bytes."""
        try:
            return super().write(data) or 0  # it is None of pipes alone
        except OSError as error:
            error.filename = self.name
            raise


def _force_to_disk(folder: Path) -> None:
    """Make the names in a folder outlast a loss of power, where the system can.

    Windows opens no folder, and some file systems of networks cannot do it for one.
    """
    with contextlib.suppress(OSError):
        entry = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(entry)
        finally:
            os.close(entry)
