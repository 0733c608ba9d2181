"""Parquet files as the same kinds of columns that a CSV file gives."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import polars as pl

from nnlab.data.columns.spelling import spelled_numbers, without_numbers
from nnlab.data.columns.words import BLANKS
from nnlab.data.names import as_seen, plain_name, refuse_patterns
from nnlab.data.storage import Storage, TableParts
from nnlab.errors import first_line

# About what a cell takes in memory, and how much is read at a time of a table on disk.
_BYTES, _CHUNK = 8, 2**27
# The header of a CSV file may begin so, too.
_MAGIC = b"PAR1"


def is_parquet(path: Path) -> bool:
    """Whether a file begins and ends as a Parquet file, or begins as one and has its name.

    Raises:
        ValueError: Its name says so, but it does not.
    """
    if not path.is_file():
        return False
    is_named_so = path.suffix.lower() in (".parquet", ".pq")
    with path.open("rb") as file:
        begins_so = file.read(len(_MAGIC)) == _MAGIC
        file.seek(-min(len(_MAGIC), path.stat().st_size), os.SEEK_END)
        ends_so = file.read() == _MAGIC
    if is_named_so and not begins_so:
        raise ValueError(
            f"{path} must be a Parquet file, as its name says, but does not begin as one; fetch it "
            "again, or rename it if it is a CSV file"
        )
    return begins_so and (ends_so or is_named_so)


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
    rows = _count_rows(_scan(path), path)
    parts = TableParts(storage)
    at_a_time = rows if rows * width <= storage.limit else max(_CHUNK // width, 1)
    for cells, _ in parquet_chunks(path, at_a_time):
        frame = plain_cells(cells, missing)
        parts.add(frame.with_columns(pl.selectors.string().str.strip_chars(BLANKS)))
    return parts.join({})


def parquet_chunks(path: Path, rows: int) -> Iterator[tuple[pl.DataFrame, float]]:
    """A file at most `rows` rows at a time, and the share of all that is read with them.

    Cells are as they are to be written into a CSV file: decimals exact, and all else as
    `read_parquet` gives it, but with spellings of a missing value and the blanks around texts.

    Raises:
        ValueError: It is damaged.
    """
    table = _scan(path)
    wide = _wide_columns(table, path)
    count = _count_rows(table, path)
    for start in range(0, max(count, 1), max(rows, 1)):
        frame = _collect(table.slice(start, rows), path)
        cells = pl.DataFrame([_as_written(v, is_wide=v.name in wide) for v in frame])
        yield cells, min((start + rows) / max(count, 1), 1.0)


def plain_cells(cells: pl.DataFrame, missing: Sequence[str]) -> pl.DataFrame:
    """What `read_parquet` gives of a chunk, but texts keep the blanks around them."""
    spelled = spelled_numbers(missing)
    return pl.DataFrame([_plain_column(values, missing, spelled) for values in cells])


def _count_rows(table: pl.LazyFrame, path: Path) -> int:
    return cast(int, _collect(table.select(pl.len()), path).item())


def _wide_columns(table: pl.LazyFrame, path: Path) -> set[str]:
    """The columns with integers beyond 64 bits, in any row."""
    whole = [name for name, dtype in table.collect_schema().items() if _may_be_wide(dtype)]
    columns = pl.selectors.by_name(whole)  # to `pl.col` one called * is all of them
    ends = [columns.min().name.prefix("<"), columns.max().name.prefix(">")]
    limits = _collect(table.select(ends), path).row(0, named=True) if whole else {}
    return {
        name[1:]
        for name, value in limits.items()
        if value is not None and not -(2**63) <= value < 2**63
    }


def _may_be_wide(dtype: pl.DataType) -> bool:
    return dtype in (pl.UInt64, pl.Int128) or _is_whole_decimal(dtype)


def _is_whole_decimal(dtype: pl.DataType) -> bool:
    """Whether it is what databases make of whole numbers."""
    return isinstance(dtype, pl.Decimal) and dtype.scale == 0


def _as_written(values: pl.Series, *, is_wide: bool) -> pl.Series:
    if is_nested(values):
        return values
    if values.dtype == pl.Duration:
        return values.dt.total_microseconds().cast(pl.Float64) / 1e6
    if values.dtype.is_integer() or _is_whole_decimal(values.dtype):
        return values.cast(pl.String if is_wide else pl.Int64)
    if values.dtype in (pl.Float16, pl.Float32):
        # As it is written: 0.1, not 0.10000000149.
        values = values.cast(pl.String).cast(pl.Float64)
    if values.dtype.is_float():
        return values.fill_nan(None)
    return values if values.dtype.is_decimal() else values.cast(pl.String)


def _plain_column(values: pl.Series, missing: Sequence[str], spelled: pl.Series) -> pl.Series:
    if is_nested(values):
        return values
    if values.dtype == pl.String:
        is_missing = values.str.strip_chars(BLANKS).is_in(missing)
        return values.set(is_missing.fill_null(False), None)
    return without_numbers(
        values.cast(pl.Float64) if values.dtype.is_decimal() else values, spelled
    )


def _scan(path: Path) -> pl.LazyFrame:
    table = pl.scan_parquet(path, glob=False)  # brackets in a name are no pattern
    with _refusing(path):
        names = table.collect_schema().names()
    refuse_patterns(names, str(path))
    if blank := [number for number, name in enumerate(names, 1) if not as_seen(name)]:
        raise ValueError(f"{path}: column {blank[0]} has no name; name every column")
    plain = list(map(plain_name, names))
    if twice := [name for name, count in Counter(map(as_seen, plain)).items() if count > 1]:
        raise ValueError(f"{path}: two columns are called '{twice[0]}'; rename one of them")
    return table.rename(dict(zip(names, plain, strict=True)))


def _collect(table: pl.LazyFrame, path: Path) -> pl.DataFrame:
    with _refusing(path):
        return table.collect()


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    """Turn what polars raises into an error that names the file."""
    try:
        yield
    except pl.exceptions.DuplicateError as error:
        raise ValueError(
            f"{path} must have a name of its own for each column, but {first_line(error)}; rename "
            "one of them"
        ) from error
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise ValueError(
            f"{path} cannot be read as a Parquet file: {first_line(error)}; fetch it again, or "
            "write it as CSV"
        ) from error


def is_nested(values: pl.Series) -> bool:
    """Whether cells are lists, structures, bytes or of a type of others' own."""
    return (
        values.dtype.is_nested()
        or values.dtype == pl.Binary
        or isinstance(values.dtype, pl.BaseExtension)
    )


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
