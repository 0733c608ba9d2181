"""Reading a table: a CSV file, gzipped or not, or a Parquet file."""

import re
from collections.abc import Collection
from dataclasses import replace
from itertools import chain, islice, pairwise
from pathlib import Path
from threading import Semaphore
from typing import cast

import polars as pl

from nnlab.data.chunks import find_place, read_chunks
from nnlab.data.columns.number_grammar import as_number
from nnlab.data.columns.words import by_word, is_text
from nnlab.data.csv.decimals import (
    may_be_thousands,
    refuse_certain_point_thousands,
    refuse_decimal_commas,
    refuse_point_thousands,
)
from nnlab.data.csv.dialect import Dialect, find_dialect
from nnlab.data.csv.options import CsvOptions, missing_values
from nnlab.data.csv.records import Records
from nnlab.data.csv.scan import Piece, Scan
from nnlab.data.csv.texts import TextColumns
from nnlab.data.csv.types import Attempt, ColumnTypes
from nnlab.data.parquet import is_parquet, read_parquet
from nnlab.data.storage import Storage, TableParts
from nnlab.data.threads import map_in_threads
from nnlab.suggestions import closest, few, setting

_ROWS_LOOKED_AT = 65_536


def read_table(
    path: Path,
    options: CsvOptions | None = None,
    *,
    text: Collection[str] = (),
    storage: Storage | None = None,
) -> pl.DataFrame:
    """Read a table, or refuse what is not plainly one.

    Every record must have as many cells as the header. A column is numbers if all its cells are,
    else text; numbers with leading zeros and integers beyond 64 bits are text. Infinite numbers
    stay infinite.

    Args:
        path: The file; Parquet and gzip are recognised by their content.
        options: What the user states about a CSV file; None for nothing.
        text: Columns of a CSV file that are text, whatever they hold.
        storage: Where the table is kept; None for memory.

    Returns:
        Columns of Int64, Float64 and String, null where a value is missing; of a CSV file also
        Enum in the order of its texts, where these are few (`TextColumns`), of a Parquet file
        what `refuse_nested` refuses.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is not such a table, or has no rows; the message names the line.
    """
    options = CsvOptions() if options is None else options
    storage = storage or Storage(memory_map=False, scratch=path.parent)
    if is_parquet(path):
        frame = read_parquet(path, missing_values(options), storage)
        _refuse_no_rows(frame, f"{path} must hold at least one row, got none; add rows")
        return frame
    dialect = find_dialect(path, options)
    frame = _read_csv(dialect, options, text, storage)
    _refuse_no_rows(
        frame,
        f"{path}, line {dialect.rows.line}: there are no rows below the header; add rows, or set "
        "data.header=false if the first line is one",
    )
    if options.decimal is None:
        refuse_decimal_commas(frame, path)
        _refuse_point_thousands(frame, dialect, options)
    if dialect.has_header and options.header is None:
        _refuse_header_as_row(frame, dialect, options)
        _refuse_row_as_header(frame, dialect)
    return frame


def _read_csv(
    dialect: Dialect, options: CsvOptions, text: Collection[str], storage: Storage
) -> pl.DataFrame:
    """Types are taken from the first piece; where a later one does not fit, all is read again."""
    types = ColumnTypes(dialect, options, text)
    missing = missing_values(options)
    while (table := _read_pieces(dialect, types, TextColumns(missing), storage)) is None:
        pass
    return table.with_columns(
        values.cast(pl.String) for values in table if values.null_count() == len(values)
    )


def _read_pieces(
    dialect: Dialect, types: ColumnTypes, texts: TextColumns, storage: Storage
) -> pl.DataFrame | None:
    """Read all pieces; None if types widened on the way, which then fit the whole file."""
    scan = Scan(dialect)
    parts = TableParts(storage)
    last: pl.DataFrame | None = None
    fit = True
    # A check is many short operations; more threads would wait for Python's lock at each of them.
    checks = Semaphore(max(1, pl.thread_pool_size() // 2))

    def read(piece: Piece) -> tuple[Records, Attempt | None]:
        with checks:
            records = scan.check(piece)
        attempt = types.attempt(records) if records.count else None
        if attempt is not None:
            attempt = replace(attempt, frame=texts.read(attempt.frame))
        return records, attempt

    pieces = scan.pieces()
    # The types come from the first piece, so that the others can be read by them at once.
    for records, attempt in chain(map(read, islice(pieces, 1)), map_in_threads(read, pieces)):
        if not records.count:
            continue
        kinds = dict(types.kinds)
        is_read = attempt is not None and attempt.kinds == kinds
        frame = attempt.frame if attempt and is_read else texts.read(types.read(records))
        if last is not None and types.kinds != kinds:
            # Read on for the types of the rest, but keep nothing.
            fit, parts = False, TableParts(storage)
        if fit:
            parts.add(frame)
        last = frame
    scan.tell()
    if last is None:
        return pl.DataFrame(schema=dict.fromkeys(dialect.names, pl.String))
    return parts.join(texts.types(last)) if fit else None


def _refuse_no_rows(frame: pl.DataFrame, message: str) -> None:
    if frame.is_empty():
        raise ValueError(message)


def _refuse_point_thousands(frame: pl.DataFrame, dialect: Dialect, options: CsvOptions) -> None:
    """Refuse numbers such as 1.000 that are thousands, or may be and semicolons separate cells."""
    floats = frame.select(pl.selectors.float()).get_columns()
    # Of most columns the first rows tell.
    found = [v.name for v in floats if may_be_thousands(v.head(1000)) and may_be_thousands(v)]
    if not found:
        return
    # How many decimals there are shows the text alone; that of the first rows is enough.
    path = dialect.source.path
    first = next(read_chunks(path, options, rows=_ROWS_LOOKED_AT, is_told=False))
    cells = first.frame.select(map(first.frame.get_column, found))
    if len(found) == len(floats):
        refuse_point_thousands(cells, dialect)
    refuse_certain_point_thousands(cells, dialect)


def _refuse_header_as_row(frame: pl.DataFrame, dialect: Dialect, options: CsvOptions) -> None:
    """Refuse the header among the rows, as where several files were joined into one."""
    if frame.width < 2 or not all(is_text(values) for values in frame):
        return
    is_header = pl.repeat(True, len(frame), eager=True)
    for values in frame:
        is_header &= by_word(values, lambda cells: cells == cells.name).fill_null(False)
        if not is_header.any():
            return
    path, count = dialect.source.path, int(is_header.sum())
    row = find_place(path, options, cast(int, is_header.arg_max()))
    again = "once more" if count == 2 else f"{count - 1} more times"
    more = f" (and {again} below)" if count > 1 else ""
    raise ValueError(
        f"{path}, {row}: the header stands here once more, as where files were joined{more}; take "
        "such lines out, or set data.header=false if the first line is a row, too, or "
        "data.header=true if all is as it should be"
    )


def _refuse_row_as_header(frame: pl.DataFrame, dialect: Dialect) -> None:
    """Refuse a header whose cells are numbers like those below, unless they are labels.

    Labels are whole numbers throughout, or go in even steps: years, pixels, wavelengths. Two of
    them are counted up, or are years, or 0 and 1.
    """
    names = [values.name for values in frame if values.dtype.is_numeric()]
    numbers = [number for name in names if (number := as_number(name)) is not None]
    if not numbers or all(name.isdecimal() for name in dialect.names):
        return
    steps = {round(after - before, 9) for before, after in pairwise(numbers)}
    are_whole = all(number.is_integer() for number in numbers)
    are_years = steps == {-1.0} and all(1500 <= number <= 2200 for number in numbers)
    are_two_labels = are_whole and (steps == {1.0} or are_years or set(numbers) == {0, 1})
    if len(steps) == 1 and (len(numbers) > 2 or are_two_labels):
        return
    name = next(name for name in names if as_number(name) is not None)
    raise ValueError(
        f"{dialect.source.path}, line {dialect.rows.line - 1}: '{name}' heads a column of numbers, "
        "so the line looks like a row, not a header; set data.header=false if the file has none, "
        "data.header=true if this is it"
    )


def require_column(frame: pl.DataFrame, name: str, path: Path, what: str = "target") -> pl.Series:
    """The column that a setting names.

    Args:
        frame: The table.
        name: The column's name.
        path: The file, for the message.
        what: The setting.

    Raises:
        ValueError: The table has no such column; the message offers the closest.
    """
    if name not in frame.columns:
        raise ValueError(
            f"{what} must be a column of {path.name}, got {what}='{name}'"
            f"{_other_separator(frame.columns, name) or _closest_column(frame.columns, name, what)}"
            f" (its columns: {few(frame.columns)})"
        )
    return frame[name]


def _closest_column(names: list[str], wanted: str, what: str) -> str:
    """The column that may be meant, as it is to be typed where it is more than a word."""
    found = closest(wanted, names)
    if found is None:
        return ""
    name = f"data.{what.removeprefix('data.')}"
    typed = setting(name, found)
    return (
        f"; did you mean {typed}?" if typed != f"{name}={found}" else f"; did you mean '{found}'?"
    )


def _other_separator(names: list[str], wanted: str) -> str:
    """The way out if the name of a single column is several, one of which is wanted."""
    if f"'{wanted}'" in names:
        return f"; set {setting('data.quote', chr(39))} if cells are quoted so"
    for mark in re.findall(r"[^\w\"']", names[0]) if len(names) == 1 else []:
        parts = [part.strip("\"' ") for part in names[0].split(mark)]
        if wanted in parts and "" not in parts:
            return f"; set {setting('data.separator', mark)} if that separates the cells"
        if wanted in parts:
            return f"; put one separator, such as a comma, between cells in place of '{mark}'"
    return ""
