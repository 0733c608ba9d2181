"""The types of a CSV file's columns: the narrowest that all their cells fit."""

import contextlib
import logging
import math
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, cast

import polars as pl

from nnlab.data.columns.number_grammar import LONG, as_number, from_decimal_comma
from nnlab.data.columns.spelling import spelled_numbers, without_numbers
from nnlab.data.csv.dialect import Dialect
from nnlab.data.csv.layout import record_ends
from nnlab.data.csv.options import CsvOptions, missing_values
from nnlab.data.csv.records import Records
from nnlab.errors import first_line

_log = logging.getLogger(__name__)
Kind = Literal["integer", "float", "text"]
_NUMBERS: tuple[Kind, ...] = ("integer", "float")
_INTEGER_LIMIT = 2.0**63
# To find types takes several times as long as to read by them.
_FIRST_BYTES = 2**18


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """Records as `ColumnTypes.read` gives them, and the types that they were read by."""

    frame: pl.DataFrame
    kinds: dict[str, Kind]


class ColumnTypes:
    """The types that all cells so far fit; reads records by them.

    Numbers are what polars reads as such, but those with leading zeros and integers beyond 64
    bits keep their column text, as does every other cell that is not a number.

    Args:
        dialect: How the file is written.
        options: The decimal mark and the spellings of a missing value.
        text: Columns that are text, whatever they hold.

    Attributes:
        kinds: Each column's type so far; it only ever widens.
    """

    def __init__(self, dialect: Dialect, options: CsvOptions, text: Collection[str]) -> None:
        self._dialect = dialect
        self._missing = missing_values(options)
        # Polars compares every cell with every spelling that it is given, so it gets those that
        # it would read as numbers, and others when a column of numbers holds them.
        self._given = [spelling for spelling in self._missing if as_number(spelling) is not None]
        self._decimal_comma = options.decimal == ","
        self._missing_numbers = spelled_numbers(self._missing, options.decimal or ".")
        self.kinds: dict[str, Kind] = {
            name: "text" if name in text else "integer" for name in dialect.names
        }

    def read(self, records: Records) -> pl.DataFrame:
        """Read records by the types so far, widened where a cell does not fit.

        Cells of text are what stands in the file without blanks around it, also where that spells
        a missing value.

        Raises:
            ValueError: A record is wider or narrower than the header; the message names its line.
        """
        names = self._dialect.names
        # Said where all kinds of columns are: most of these are dates and codes.
        self._keep_text((names[index] for index in records.padded), reason="")
        with _refusing(records):
            frame = self._fit(records.trimmed)
            _check_height(frame, records)
        return self._without_missing(frame)

    def attempt(self, records: Records) -> Attempt | None:
        """What `read` gives if the types so far fit, else None; threads may try at once."""
        kinds = dict(self.kinds)
        if any(kinds[self._dialect.names[index]] != "text" for index in records.padded):
            return None
        try:
            frame = self._parse(records.trimmed, kinds)
        except pl.exceptions.PolarsError:
            return None
        floats = frame.select(pl.selectors.float()).get_columns()
        if len(frame) != records.count or any(map(_may_hold_long_integers, floats)):
            return None
        return Attempt(frame=self._without_missing(frame), kinds=kinds)

    def _fit(self, text: bytes) -> pl.DataFrame:
        try:
            frame = self._parse(text, self.kinds)
        except pl.exceptions.ComputeError:
            frame = self._widen(text)
        return self._parse(text, self.kinds) if self._keep_long_integers(text, frame) else frame

    def _widen(self, text: bytes) -> pl.DataFrame:
        """Read records by types that fit; of most, those of the first records fit all."""
        ends = record_ends(text[:_FIRST_BYTES], self._dialect.marks)
        if len(ends):
            self._infer(text[: ends[-1] + 1])
            with contextlib.suppress(pl.exceptions.ComputeError):
                return self._parse(text, self.kinds)
        self._infer(text)
        return self._parse(text, self.kinds)

    def _infer(self, text: bytes) -> None:
        """Widen the types so that the records fit."""
        all_text: dict[str, Kind] = dict.fromkeys(self.kinds, "text")
        unfit = [name for name, kind in self.kinds.items() if kind != "text"]
        cells = _read(text, self._dialect, dict.fromkeys(self.kinds, pl.String))
        found: set[str] = set()
        for name in unfit:
            values = cells[name]
            found.update(values.filter(values.is_in(self._missing)).to_list())
        self._given += [
            spelling
            for spelling in self._missing
            if spelling in found and spelling not in self._given
        ]
        cells = cells.with_columns(self._null_where_missing(cells))
        numbers = cells
        for kind in _NUMBERS:
            # A column of integers may turn out one of floats, never the reverse.
            trial = [name for name in unfit if self.kinds[name] in ("integer", kind)]
            numbers = self._parse(text, {**all_text, **dict.fromkeys(trial, kind)}, lenient=True)
            for name in trial:
                if numbers[name].null_count() == cells[name].null_count():
                    self.kinds[name] = kind
                    unfit.remove(name)
        for name in unfit:
            self.kinds[name] = "text"  # the table of columns says why

    def _keep_long_integers(self, text: bytes, frame: pl.DataFrame) -> bool:
        """Whether a column of floats holds integers beyond 64 bits; from now on it is text."""
        names = [
            values.name
            for values in frame.select(pl.selectors.float())
            if _may_hold_long_integers(values)
        ]
        if not names:
            return False
        cells = self._parse(text, dict.fromkeys(self.kinds, "text"))
        cells = cells.select(map(cells.get_column, names))
        is_long = pl.all().str.contains(LONG) & pl.all().cast(pl.Int64, strict=False).is_null()
        found = [values.name for values in cells.select(is_long) if values.any()]
        self._keep_text(found, "it holds integers beyond 64 bits")
        return bool(found)

    def _keep_text(self, names: Iterable[str], reason: str) -> None:
        for name in names:
            if self.kinds[name] != "text" and reason:
                file = self._dialect.source.path.name
                _log.info("%s: column '%s' is read as text: %s", file, name, reason)
            self.kinds[name] = "text"

    def _parse(self, text: bytes, kinds: dict[str, Kind], *, lenient: bool = False) -> pl.DataFrame:
        """Read by kinds; with `lenient`, null where a cell does not fit."""
        float_type = pl.String if self._decimal_comma else pl.Float64
        types = {"integer": pl.Int64, "float": float_type, "text": pl.String}
        schema = {name: types[kind] for name, kind in kinds.items()}
        given = self._given or None
        frame = _read(text, self._dialect, schema, null_values=given, ignore_errors=lenient)
        if not self._decimal_comma:
            return frame
        floats = frame.select(v for v in frame if kinds[v.name] == "float")
        floats = floats.with_columns(self._null_where_missing(floats))
        frame = frame.with_columns(floats.get_columns())
        numbers = frame.with_columns(map(from_decimal_comma, floats))
        if not lenient and numbers.null_count().rows() != frame.null_count().rows():
            raise pl.exceptions.ComputeError("a cell is no number with a decimal comma")
        return numbers

    def _without_missing(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Null also where numbers are NaN, or stand for a missing value but are written otherwise.

        Pandas writes -999 as -999.0 once another number of its column is missing.
        """
        frame = _without_nan(frame)
        if self._missing_numbers.is_empty():
            return frame
        numbers = frame.select(pl.selectors.numeric())
        return frame.with_columns(without_numbers(v, self._missing_numbers) for v in numbers)

    def _null_where_missing(self, frame: pl.DataFrame) -> Iterator[pl.Series]:
        """The columns of text, null where they spell a missing value."""
        for values in frame.select(pl.selectors.string()):
            is_missing = values.is_in(self._missing)
            if is_missing.any():
                yield values.set(is_missing, None)


def read_text(records: Records, dialect: Dialect) -> pl.DataFrame:
    """The cells of records as they stand in the file, an empty one as an empty string.

    Raises:
        ValueError: A record is wider or narrower than the header; the message names its line.
    """
    with _refusing(records):
        frame = _read(records.text, dialect, dict.fromkeys(dialect.names, pl.String))
        _check_height(frame, records)
    return frame.with_columns(pl.all().fill_null(""))


def _read(text: bytes, dialect: Dialect, schema: dict[str, Any], **options: Any) -> pl.DataFrame:
    marks = dialect.marks
    return pl.read_csv(
        text,
        has_header=False,
        schema=schema,
        separator=chr(marks.separator),
        quote_char=None if marks.quote is None else chr(marks.quote),
        **options,
    )


@contextlib.contextmanager
def _refusing(records: Records) -> Iterator[None]:
    """Turn what polars refuses into an error that names the line."""
    try:
        yield
    except pl.exceptions.PolarsError as error:
        records.block.check_widths()
        place = records.block.place
        raise ValueError(
            f"{place.path}, line {place.line} or below: polars reads something else "
            f"({first_line(error)}); set data.quote=none if quotes are part of the text"
        ) from error


def _check_height(frame: pl.DataFrame, records: Records) -> None:
    if frame.height != records.count:
        raise pl.exceptions.ShapeError(f"{frame.height} rows where {records.count} were found")


def _may_hold_long_integers(values: pl.Series) -> bool:
    """Whether a number is as large as integers beyond 64 bits are."""
    low, high = values.min(), values.max()
    if low is None or high is None:
        return False
    return max(abs(cast(float, low)), abs(cast(float, high))) >= _INTEGER_LIMIT


def _without_nan(frame: pl.DataFrame) -> pl.DataFrame:
    floats = frame.select(pl.selectors.float())
    # A finite sum has no NaN in it, and is found in a tenth of the time.
    return frame.with_columns(v.fill_nan(None) for v in floats if not math.isfinite(v.sum()))
