"""What has been learned of a table's columns, and how their cells become numbers and codes."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from nnlab.data.columns.cell_error import CellError
from nnlab.data.columns.date_formats import shape_of
from nnlab.data.columns.dates import to_seconds_or_iso
from nnlab.data.columns.number_formats import to_numbers
from nnlab.data.columns.number_grammar import (
    POINTS_AND_COMMA,
    WITH_COMMA,
    from_decimal_comma,
    way_out_of_comma,
)
from nnlab.data.columns.odd_cells import missing_words, shorten
from nnlab.data.columns.spelling import boolean_text, number_text
from nnlab.data.columns.words import by_word, is_text
from nnlab.suggestions import column_kind, did_you_mean

Numbers = NDArray[np.float64]
Codes = NDArray[np.int64]

OTHER, MISSING = 0, 1
"""The codes of a category that was not learned, and of a missing one; then come the learned."""


@dataclass(frozen=True, kw_only=True)
class NumericColumn:
    """A column of numbers or of dates.

    Attributes:
        name: The column's name.
        scaling: `robust`, `standard` or `quantile`.
        center: Median or mean of the training rows that have a value.
        scale: Interquartile range or standard deviation; 0 for a column that does not vary.
        knots: Ascending numbers that quantile scaling interpolates between; else empty.
        levels: The scaled value at each knot.
        has_missing: Whether training rows lack values; then an indicator stands beside them.
        date_format: How dates are written, as text or numbers; None where they are typed, or none.
        periods: The cycles of dates in seconds, each a sine and a cosine; empty for numbers.
        is_date: Whether the cells are dates or times.
        number_format: How numbers are written as text (`number_formats`); None where plainly.
        low: The lowest number of the training rows; None in checkpoints of the first versions.
        high: The highest; None likewise.
    """

    name: str
    scaling: str
    center: float
    scale: float
    knots: list[float]
    levels: list[float]
    has_missing: bool
    date_format: str | None
    periods: list[float]
    is_date: bool
    number_format: str | None = None
    low: float | None = None
    high: float | None = None

    @property
    def width(self) -> int:
        """Number of inputs it makes."""
        return 1 + 2 * len(self.periods) + self.has_missing

    def read(self, values: pl.Series) -> pl.Series:
        """Cells to Float64, null where missing.

        Raises:
            ValueError: A cell is not a finite number, or not a date; the message has its row.
        """
        if values.null_count() == len(values):
            return pl.repeat(None, len(values), dtype=pl.Float64, eager=True).alias(values.name)
        if self.is_date and values.dtype.is_float():
            values = values.fill_nan(None)
        numbers = by_word(values, self._numbers)
        unread = numbers.null_count() - values.null_count()
        if math.isfinite(numbers.sum()) and unread == 0:
            return numbers  # nor is any of them NaN or infinite; most columns need no other look
        bad = (numbers.is_null() & values.is_not_null()) | numbers.is_infinite()
        if not bad.any():
            return numbers.fill_nan(None)
        raise self._refusal(values, bad.fill_null(False).arg_true())

    def _refusal(self, values: pl.Series, rows: pl.Series) -> CellError:
        """What is wrong with cells that cannot be read, by the first of them."""
        what = f"dates such as {self.date_format}" if self.is_date else "finite numbers"
        if self.number_format:
            what = f"numbers such as {self.number_format}"
        elif not self.is_date and is_text(values):
            # Words among decimal commas are why these are text.
            are_words = by_word(values[rows], from_decimal_comma).is_null()
            rows = rows.filter(are_words) if are_words.any() else rows
        row = int(rows[0])
        error = CellError(
            f"column '{self.name}' must hold {what}, got '{shorten(values[row])}'",
            row,
            words=missing_words(values[rows]),
            count=len(rows),
            column=self,
        )
        cell = str(values[row]).strip()
        with_comma = re.fullmatch(WITH_COMMA, cell) or (
            "," in cell and re.fullmatch(POINTS_AND_COMMA, cell)
        )
        if with_comma and what == "finite numbers":
            error.way_out = way_out_of_comma(cell)
        elif 1 < len(rows) == len(values) - values.null_count():
            if "such as" in what:
                error.way_out = "write the whole column so"
            elif len(error.words) != 1:  # a single word may well be how missing values are spelled
                otherwise = column_kind(self.name, "categorical")
                error.way_out = f"mend the column, or train with {otherwise} if these are words"
                error.words = ()
        if self.date_format == "%H:%M" and re.fullmatch(r"(2[5-9]|[3-9]\d):[0-5]\d", cell):
            error.way_out = "write minutes and seconds as 00:03:23, in training, too"
        elif self.date_format and shape_of(self.date_format).fullmatch(cell):
            otherwise = column_kind(self.name, "categorical")
            error.way_out += f", or train with {otherwise} if these are no dates"
        return error

    def _numbers(self, values: pl.Series) -> pl.Series:
        """Cells as Float64, null where they are missing or cannot be read."""
        if self.is_date:
            return to_seconds_or_iso(values, self.date_format)
        if values.dtype == pl.String and self.number_format:
            return to_numbers(values, self.number_format)
        if values.dtype == pl.String:
            return values.str.strip_chars().cast(pl.Float64, strict=False)
        if not (values.dtype.is_numeric() or values.dtype == pl.Boolean):
            raise ValueError(f"column '{self.name}' must hold numbers, got {values.dtype}")
        return values.cast(pl.Float64)


@dataclass(frozen=True, kw_only=True)
class CategoricalColumn:
    """A column of categories.

    A cell becomes a code: 0 for any category that was not learned, 1 where it is missing, and
    from 2 on the learned ones in their order.

    Attributes:
        name: The column's name.
        categories: The learned ones, as text.
        written_as: `text`, `number` (`1`, `1.0` and `01` are one category) or `boolean` (so are
            `yes`, `TRUE` and `1`).
        is_embedded: Whether it is to be embedded; else it is one-hot.
        trained_codes: The codes that occur in training rows; only these have a one-hot input.
    """

    name: str
    categories: list[str]
    written_as: str
    is_embedded: bool
    trained_codes: list[int]

    @property
    def size(self) -> int:
        """Number of codes."""
        return len(self.categories) + 2

    @property
    def width(self) -> int:
        """Number of inputs it makes."""
        return 1 if self.is_embedded else len(self.trained_codes)

    def read(self, values: pl.Series) -> Codes:
        """Cells to codes `(rows,)`."""
        if isinstance(values.dtype, pl.Enum):
            codes = self._codes_of(values.dtype)
            places = values.to_physical()
            if places.null_count() > 0:
                # `fill_null` takes three times as long.
                places = places.cast(pl.UInt32).set(places.is_null(), len(codes) - 1)
            return np.asarray(codes.take(places.to_numpy()))
        text = self.text(values)
        # An enumeration's place, or null; twice as fast as looking codes up.
        places = text.cast(self._enumeration, strict=False).to_physical().cast(pl.Int64)
        codes = places.fill_null(OTHER - 2).to_numpy() + 2
        if text.null_count() > 0:
            codes[text.is_null().to_numpy()] = MISSING
        return codes

    def text(self, values: pl.Series) -> pl.Series:
        """Cells as text that is the same however a file or a data frame writes them."""
        text = category_text(values, self.written_as)
        if self.written_as == "text" and self._booleans:
            text = text.replace(self._booleans)
        # Pandas has whole numbers as floats once one is missing, and writes them so.
        if self.written_as == "text" and values.dtype.is_float():
            plain = number_text(values)
        elif self.written_as == "text" and values.dtype == pl.String and self._has_whole_numbers:
            plain = text.str.replace(r"^(-?[0-9]+)\.0$", "$1")
        else:
            return text
        return text.zip_with(text.is_in(self.categories), plain)

    @cached_property
    def _has_whole_numbers(self) -> bool:
        return any(re.fullmatch(r"-?[0-9]+", name) for name in self.categories)

    @cached_property
    def _booleans(self) -> dict[str, str]:
        """How the training file writes booleans beside other words, such as `True`.

        Where a file or a data frame has no others, they come as booleans.
        """
        found = {name.lower(): name for name in self.categories if name in ("True", "TRUE")}
        found |= {name.lower(): name for name in self.categories if name in ("False", "FALSE")}
        return {typed: name for typed, name in found.items() if typed not in self.categories}

    def _codes_of(self, words: pl.Enum) -> Codes:
        """The codes of an enumeration's texts, and behind them that of a missing one."""
        # Kept, because a large table is read in many blocks.
        for known, codes in self._known_words:
            if known == words:
                return codes
        codes = np.append(self.read(words.categories), MISSING)
        self._known_words[:] = [(words, codes)]
        return codes

    @cached_property
    def _known_words(self) -> list[tuple[pl.Enum, Codes]]:
        return []

    @cached_property
    def _enumeration(self) -> pl.Enum:
        return pl.Enum(self.categories)


Column = NumericColumn | CategoricalColumn


def category_text(values: pl.Series, written_as: str) -> pl.Series:
    """Categories as text that is the same however a file or a data frame writes them."""
    if values.dtype.is_float():
        values = values.fill_nan(None)
    if written_as == "boolean":
        return boolean_text(values)
    return number_text(values) if written_as == "number" else values.cast(pl.String)


def require_columns(frame: pl.DataFrame, columns: Sequence[Column], place: str = "there") -> None:
    """Refuse a table that lacks a column.

    Args:
        frame: The table.
        columns: What was learned.
        place: Where they must be, for the message.

    Raises:
        ValueError: One is not there.
    """
    there = set(frame.columns)
    for column in columns:
        if column.name not in there:
            raise ValueError(
                f"column '{column.name}' must be {place}, as in training, but is not"
                f"{did_you_mean(column.name, frame.columns)}"
            )


def read_rows(frame: pl.DataFrame, columns: Sequence[Column]) -> tuple[Numbers, Codes]:
    """Raw rows as `RowEncoder` takes them.

    Returns:
        Numbers `(rows, numeric columns)` and codes `(rows, categorical columns)`.

    Raises:
        ValueError: A column is not there, or a cell is not what it was in training.
    """
    require_columns(frame, columns)
    numeric = [c.read(frame[c.name]) for c in columns if isinstance(c, NumericColumn)]
    codes = [c.read(frame[c.name]) for c in columns if isinstance(c, CategoricalColumn)]
    # Column after column in memory, which is how they come and how they are worked on.
    return (
        _with_nan(numeric) if numeric else np.empty((len(frame), 0)),
        np.stack(codes).T if codes else np.empty((len(frame), 0), dtype=np.int64),
    )


def _with_nan(columns: Sequence[pl.Series]) -> Numbers:
    """Columns of numbers side by side `(rows, columns)`, NaN where missing."""
    # All at once, because column by column to numpy takes twice as long where some are missing.
    frame = pl.DataFrame(columns).select(pl.all().fill_null(np.nan))
    return frame.to_numpy(order="fortran", writable=True)
