"""A table of any size as text, some rows at a time, each with its place in the file."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import polars as pl

from nnlab.data.columns.number_grammar import plain_numbers
from nnlab.data.columns.spelling import spelled_numbers, without_numbers
from nnlab.data.columns.words import BLANKS
from nnlab.data.csv.dialect import Dialect, find_dialect
from nnlab.data.csv.options import CsvOptions, missing_values
from nnlab.data.csv.records import Block
from nnlab.data.csv.scan import Scan
from nnlab.data.csv.types import read_text
from nnlab.data.parquet import is_parquet, parquet_chunks, plain_cells

_ROWS_SEARCHED = 65_536


class TextChunk:
    """Some rows of a table.

    Args:
        frame: The rows.
        block: The block that holds them; None where the file has no lines.
        start: The first row's index in the block, or in a file without lines.
        done: Share of the file that is read with these rows, in [0, 1]: of its bytes, or of the
            rows of a Parquet file.
        written: The rows as they are to be written into another file; None for `frame`.

    Attributes:
        frame: The cells as strings, as they stand in the file without their quotes, but with
            blanks around them; an empty cell is an empty string. Which others are missing,
            `missing_values` says. Of a Parquet file what `read_table` gives, but also with blanks.
        done: As above.
        written: As above.
    """

    def __init__(
        self,
        frame: pl.DataFrame,
        block: Block | None,
        start: int,
        done: float,
        written: pl.DataFrame | None = None,
    ) -> None:
        self.frame = frame
        self.done = done
        self.written = frame if written is None else written
        self._block = block
        self._start = start

    def line(self, row: int) -> int:
        """The number of the line in the file where a row begins; in Parquet that of the row.

        Args:
            row: Index of the row in `frame`.
        """
        index = self._start + row
        return index + 1 if self._block is None else int(self._block.line_numbers[index])

    def place(self, row: int) -> str:
        """The row's place for a message, such as `line 7`, or `row 6` of a Parquet file."""
        return f"{'row' if self._block is None else 'line'} {self.line(row)}"


def read_chunks(
    path: Path,
    options: CsvOptions | None = None,
    *,
    rows: int,
    is_told: bool = True,
    dialect: Dialect | None = None,
) -> Iterator[TextChunk]:
    """Read a table piece by piece, in memory that does not grow with the file.

    A CSV file is checked as `read_table` checks it, up to the piece that is being read.

    Args:
        path: The file, as for `read_table`.
        options: What the user states about a CSV file; None for nothing.
        rows: The most rows of a chunk, >= 1.
        is_told: Whether to say how the file is written; not where it is read again.
        dialect: How a CSV file is written, if that has been found out; None to do so.

    Returns:
        The chunks in order; a single one without rows for a table that has none.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is not such a table; the message names the line.
    """
    options = CsvOptions() if options is None else options
    if is_parquet(path):
        missing = missing_values(options)
        for index, (cells, done) in enumerate(parquet_chunks(path, rows)):
            yield TextChunk(plain_cells(cells, missing), None, index * rows, done, cells)
        return
    dialect = dialect or find_dialect(path, options, is_told=is_told)
    size, before = path.stat().st_size, 0
    scan = Scan(dialect)
    for records in scan:
        frame = read_text(records, dialect)
        for start in range(0, records.count, rows):
            part = frame[start : start + rows]
            share = (start + len(part)) / records.count
            done = (before + (scan.bytes_read - before) * share) / size
            yield TextChunk(part, records.block, start, min(done, 1.0))
        before = scan.bytes_read
    if before == 0:
        nothing = pl.DataFrame(schema=dict.fromkeys(dialect.names, pl.String))
        yield TextChunk(nothing, None, 0, 1.0)


def find_place(path: Path, options: CsvOptions, row: int) -> str:
    """Where in a file a row stands; the file is read again for it.

    Args:
        path: The file.
        options: What is stated about it.
        row: Index of the row in what `read_table` gives.

    Returns:
        Such as `line 7`, or `row 6` of a Parquet file.
    """
    for chunk in read_chunks(path, options, rows=_ROWS_SEARCHED, is_told=False):
        if row < len(chunk.frame):
            return chunk.place(row)
        row -= len(chunk.frame)
    raise ValueError(f"{path} must not change while it is read, but it has")


def count_missing(
    path: Path,
    options: CsvOptions,
    names: Sequence[str],
    missing: Sequence[str],
    *,
    numbers: Collection[str] = (),
) -> dict[str, dict[str, int]]:
    """How often each spelling of a missing value occurs; the file is read again for it.

    Args:
        path: The file.
        options: What is stated about it.
        names: The columns to look at.
        missing: The spellings.
        numbers: Those of the columns that hold numbers, which may be written otherwise.

    Returns:
        By column and spelling, the number of its cells, the most frequent first.
    """
    counts = {name: Counter[str]() for name in names}
    decimal = options.decimal or "."
    spelled = spelled_numbers(missing, decimal)
    for chunk in read_chunks(path, options, rows=_ROWS_SEARCHED, is_told=False):
        for name in names:
            values = chunk.frame.get_column(name).str.strip_chars(BLANKS)
            is_missing = values.is_in(missing)
            if name in numbers:
                cells = plain_numbers(values, decimal)
                is_missing |= cells.is_not_null() & without_numbers(cells, spelled).is_null()
            counts[name].update(values.filter(is_missing).to_list())
    return {name: dict(counter.most_common()) for name, counter in counts.items()}
