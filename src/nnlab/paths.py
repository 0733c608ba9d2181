"""Files that a person named, the folder of nnlab's own, and how paths are shown."""

import os
from pathlib import Path


def require_file(path: Path) -> Path:
    """The path of a table again.

    Raises:
        FileNotFoundError: There is no such file.
    """
    if path.is_dir():
        raise FileNotFoundError(f"a CSV or Parquet file was expected, but {path} is a folder")
    if path.exists() and not path.is_file():
        raise FileNotFoundError(
            f"a CSV or Parquet file was expected, which is read more than once, but {path} is a "
            "pipe or a device; write it to a file first"
        )
    if not path.is_file():
        raise FileNotFoundError(
            f"a CSV or Parquet file was expected, but there is no file {path}; relative paths "
            "start at the current folder"
        )
    return path


def cache_folder() -> Path:
    """The folder of the user's own in which nnlab may make files and folders."""
    return Path(os.environ.get("NNLAB_DATA") or "~/.cache/nnlab").expanduser()


def is_in_cache(path: Path) -> bool:
    """Whether a path lies in `cache_folder`, or is that."""
    return path.expanduser().resolve().is_relative_to(cache_folder().resolve())


def relative(path: Path) -> Path:
    """A path as short as it can be typed from the current folder."""
    short = Path(os.path.relpath(path))
    return path if short.parts[:1] == ("..",) else short
