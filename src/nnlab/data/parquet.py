"""Parquet files as the same kinds of columns that a CSV file gives."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl


def is_parquet(path: Path) -> bool:
    """Whether a file begins as a Parquet file.

    Raises:
        ValueError: Its name says so, but it does not.
    """
    if not path.is_file():
        return False
    with path.open("rb") as file:
        begins_so = file.read(4) == b"PAR1"
    if path.suffix.lower() in (".parquet", ".pq") and not begins_so:
        raise ValueError(
            f"{path} must be a Parquet file, as its name says, but does not begin as one; fetch it "
            "again, or rename it if it is a CSV file"
        )
    return begins_so


def read_parquet(path: Path, missing: list[str]) -> pl.DataFrame:
    """Numbers as Int64 and Float64, all else as text, null where missing.

    Args:
        path: The file.
        missing: Spellings of a missing value in columns of text.

    Raises:
        ValueError: It is damaged, or holds lists, structures or bytes.
    """
    frame = _scan(path).collect()
    columns = []
    for values in frame:
        if values.dtype.is_integer() and values.dtype != pl.UInt64:
            columns.append(values.cast(pl.Int64))
        elif values.dtype.is_numeric() and values.dtype != pl.UInt64:
            columns.append(values.cast(pl.Float64).fill_nan(None))
        else:
            text = values.cast(pl.String)
            columns.append(text.set(text.is_in(missing), None))
    return pl.DataFrame(columns)


def parquet_chunks(path: Path, rows: int) -> Iterator[pl.DataFrame]:
    """All cells as text, at most `rows` rows at a time, a missing one as an empty string."""
    table = _scan(path)
    count = table.select(pl.len()).collect().item()
    for start in range(0, max(count, 1), rows):
        chunk = table.slice(start, rows).with_columns(pl.all().cast(pl.String).fill_null(""))
        yield chunk.collect()


def _scan(path: Path) -> pl.LazyFrame:
    try:
        table = pl.scan_parquet(path)
        schema = table.collect_schema()
    except pl.exceptions.PolarsError as error:
        reason = str(error).strip().splitlines()[0]
        raise ValueError(
            f"{path} cannot be read as a Parquet file: {reason}; fetch it again"
        ) from error
    for name, kind in schema.items():
        if kind.is_nested() or kind == pl.Binary:
            raise ValueError(
                f"column '{name}' of {path} must hold numbers or text, got {kind}; leave it out or "
                "spread it over columns"
            )
    return table
