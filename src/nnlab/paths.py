"""Files that a person named."""

from pathlib import Path


def require_file(path: Path) -> Path:
    """The path of a table again.

    Raises:
        FileNotFoundError: There is no such file.
    """
    if path.is_dir():
        raise FileNotFoundError(f"a CSV or Parquet file was expected, but {path} is a folder")
    if not path.is_file():
        raise FileNotFoundError(
            f"a CSV or Parquet file was expected, but there is no file {path}; relative paths "
            "start at the current folder"
        )
    return path
