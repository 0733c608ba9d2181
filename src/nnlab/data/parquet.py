"""Parquet files as the same kinds of columns that a CSV file gives."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import cast

import polars as pl

from nnlab.data.columns.spelling import spelled_numbers, without_numbers
from nnlab.data.columns.words import BLANKS
from nnlab.data.names import as_seen, refuse_patterns
from nnlab.data.storage import Storage, TableParts

# About what a cell takes in memory, and how much is read at a time of a table on disk.
_BYTES, _CHUNK = 8, 2**27


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


def read_parquet(path: Path, missing: Sequence[str], storage: Storage) -> pl.DataFrame:
    """Numbers as Int64 and Float64, all else as text, null where missing.

    Lists, structures and bytes stay what they are, for `refuse_nested` where they matter.

    Args:
        path: The file.
        missing: Spellings of a missing value; of numbers, those that are numbers.
        storage: Where the table is kept.

    Raises:
        ValueError: It is damaged.
    """
    width = _BYTES * len(_scan(path).collect_schema())
    rows = _count_rows(_scan(path))
    parts = TableParts(storage)
    for frame, _ in parquet_chunks(
        path, rows if rows * width <= storage.limit else max(_CHUNK // width, 1), missing
    ):
        parts.add(frame.with_columns(pl.selectors.string().str.strip_chars(BLANKS)))
    return parts.join({})


def parquet_chunks(
    path: Path, rows: int, missing: Sequence[str]
) -> Iterator[tuple[pl.DataFrame, float]]:
    """What `read_parquet` gives, at most `rows` rows at a time, and the share read with them.

    Texts keep the blanks around them.
    """
    table = _scan(path)
    wide = _wide_columns(table)
    count = _count_rows(table)
    for start in range(0, max(count, 1), max(rows, 1)):
        frame = _plain(table.slice(start, rows).collect(), missing, wide)
        yield frame, min((start + rows) / max(count, 1), 1.0)


def _count_rows(table: pl.LazyFrame) -> int:
    return cast(int, table.select(pl.len()).collect().item())


def _wide_columns(table: pl.LazyFrame) -> set[str]:
    """The columns with integers beyond 64 bits, in any row."""
    may_be = table.select(pl.selectors.by_dtype(pl.UInt64, pl.Int128))
    ranges = may_be.select(pl.all().min().name.prefix("<"), pl.all().max().name.prefix(">"))
    limits = ranges.collect().row(0, named=True) if may_be.collect_schema() else {}
    return {
        name[1:]
        for name, value in limits.items()
        if value is not None and not -(2**63) <= value < 2**63
    }


def _plain(frame: pl.DataFrame, missing: Sequence[str], wide: Collection[str]) -> pl.DataFrame:
    spelled = spelled_numbers(missing)
    columns = []
    for values in frame:
        if is_nested(values):
            columns.append(values)
            continue
        plain = _plain_column(values, is_wide=values.name in wide)
        if plain.dtype == pl.String:
            is_missing = plain.str.strip_chars(BLANKS).is_in(missing)
            plain = plain.set(is_missing.fill_null(False), None)
        else:
            plain = without_numbers(plain, spelled)
        columns.append(plain)
    return pl.DataFrame(columns)


def _plain_column(values: pl.Series, *, is_wide: bool) -> pl.Series:
    if values.dtype == pl.Duration:
        return values.dt.total_microseconds().cast(pl.Float64) / 1e6
    if values.dtype.is_integer():
        return values.cast(pl.String if is_wide else pl.Int64)
    if values.dtype == pl.Float32:
        # As it is written: 0.1, not 0.10000000149.
        values = values.cast(pl.String).cast(pl.Float64)
    if values.dtype.is_numeric():
        return values.cast(pl.Float64).fill_nan(None)
    return values.cast(pl.String)


def _scan(path: Path) -> pl.LazyFrame:
    try:
        table = pl.scan_parquet(path)
        names = table.collect_schema().names()
    except pl.exceptions.PolarsError as error:
        reason = str(error).strip().splitlines()[0]
        raise ValueError(
            f"{path} cannot be read as a Parquet file: {reason}; fetch it again"
        ) from error
    refuse_patterns(names, str(path))
    if blank := [number for number, name in enumerate(names, 1) if not as_seen(name)]:
        raise ValueError(f"{path}: column {blank[0]} has no name; name every column")
    return table


def is_nested(values: pl.Series) -> bool:
    """Whether cells are lists, structures or bytes, which say nothing to a network."""
    return values.dtype.is_nested() or values.dtype == pl.Binary


def refuse_nested(frame: pl.DataFrame, path: Path, way_out: str = "") -> None:
    """Refuse columns that matter but are neither numbers nor text.

    Raises:
        ValueError: There is one.
    """
    for values in filter(is_nested, frame):
        raise ValueError(
            f"column '{values.name}' of {path} must hold numbers or text, got {values.dtype}; "
            f"spread it over columns{way_out}"
        )
