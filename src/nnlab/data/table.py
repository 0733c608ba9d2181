"""Reading a table from a CSV file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from nnlab.rules import did_you_mean

# Spellings of a missing value; an empty cell is one, too.
_MISSING = ["", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None", "?"]
# The square of a standardised number must be finite, and so must a difference of two.
_LARGEST = 1e150


@dataclass(frozen=True, kw_only=True)
class CsvOptions:
    separator: str | None = None
    encoding: str | None = None
    decimal: str | None = None
    quote: str | None = None
    null_values: Sequence[str] | None = None
    header: bool | None = None
    column_names: Sequence[str] | None = None
    skip_lines: int | None = None
    comment: str | None = None


def read_table(path: Path, options: CsvOptions | None = None) -> pl.DataFrame:
    """Read a CSV file with a header line.

    Args:
        path: The file.

    Returns:
        Columns of numbers, and of strings for all else; null where a value is missing.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It cannot be read as a CSV file, or a number is infinite or beyond 1e150.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f"data.path must be a CSV file, but there is no file {path}; "
            "relative paths start at the current folder"
        )
    try:
        frame = pl.read_csv(path, infer_schema_length=None, null_values=_MISSING)
    except (pl.exceptions.PolarsError, UnicodeDecodeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ValueError(f"{path} cannot be read as a CSV file: {reason}") from error
    frame = frame.with_columns(
        pl.selectors.float().fill_nan(None),
        pl.selectors.boolean().cast(pl.String),
    )
    for values in frame.select(pl.selectors.float()):
        too_large = (values.abs() > _LARGEST).arg_true()
        if len(too_large):
            row = int(too_large[0])
            raise ValueError(
                f"column '{values.name}' of {path.name} must hold finite numbers up to "
                f"{_LARGEST:g}, got {values[row]} in data row {row + 1}; mend or empty the cell"
            )
    return frame


def require_column(
    frame: pl.DataFrame, name: str, path: Path, setting: str = "target"
) -> pl.Series:
    """The target column.

    Raises:
        ValueError: The table has no such column; the message offers the closest.
    """
    if name not in frame.columns:
        raise ValueError(
            f"{setting} must be a column of {path.name}, got {setting}='{name}'"
            f"{did_you_mean(name, frame.columns)} (its columns: {few(frame.columns)})"
        )
    return frame[name]


def few(names: Sequence[str]) -> str:
    """Names for a message that must stay readable."""
    return ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
