"""New rows of a table for a trained network: what it learned of their columns, applied again."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from nnlab.data.columns.date_formats import has_zone
from nnlab.data.columns.dates import to_seconds
from nnlab.data.columns.decimal_commas import is_of_numbers, with_points
from nnlab.data.columns.encoder import RowEncoder
from nnlab.data.columns.learned import (
    CategoricalColumn,
    Column,
    NumericColumn,
    read_rows,
)
from nnlab.data.columns.plain_data import from_plain, is_of
from nnlab.data.columns.spelling import spelled_numbers, without_numbers
from nnlab.data.columns.words import BLANKS
from nnlab.data.names import plain_name
from nnlab.data.parquet import is_nested


class TableReader:
    """Rows of tables as raw numbers and codes.

    Args:
        preprocessing: What a `TabularDataModule` put into the checkpoint.

    Raises:
        LookupError: Something is not there.
        TypeError: Something is of another type than it puts there.
    """

    def __init__(self, preprocessing: Mapping[str, Any]) -> None:
        self.columns = from_plain(preprocessing["columns"])
        self.numeric = [c for c in self.columns if isinstance(c, NumericColumn)]
        self.categorical = [c for c in self.columns if isinstance(c, CategoricalColumn)]
        self.target: str = preprocessing["target"]
        self.left_out: list[str] = preprocessing["left_out"]
        self.missing: list[str] = preprocessing["missing"]
        self.decimal: str = preprocessing["decimal"]
        texts = (self.left_out, self.missing)
        if not all(is_of(each, list[str]) for each in texts) or self.decimal not in (".", ","):
            raise TypeError("names or spellings are no texts")
        self.encoder: nn.Module = RowEncoder(self.columns)

    @property
    def column_names(self) -> list[str]:
        """The columns that are needed, in the order of an array's columns."""
        return [column.name for column in self.columns]

    def to_frame(self, rows: Any) -> pl.DataFrame:
        """Rows as a polars data frame.

        Args:
            rows: A polars or pandas data frame, or a table of pyarrow's, with the columns by name,
                in any order and among others, or an array `(rows, columns)` with them in the
                order of `column_names`.

        Raises:
            ValueError: They are none of these.
        """
        if isinstance(rows, pl.DataFrame):
            return rows
        if isinstance(rows, pl.LazyFrame):
            return rows.collect()
        if hasattr(rows, "columns") and hasattr(rows, "iloc"):
            if len(set(map(str, rows.columns))) < len(rows.columns):
                raise ValueError("every column of a data frame must have a name of its own")
            # Without pyarrow, and with the dtypes that pandas itself gives to mixed columns.
            return pl.DataFrame(
                {str(name): _from_pandas(rows[name]) for name in rows.columns}, strict=False
            )
        if hasattr(rows, "iloc"):
            raise ValueError(
                "rows must be a data frame, got a series of pandas; of one row take "
                "frame.iloc[[0]], of one column frame[['name']]"
            )
        if hasattr(rows, "__arrow_c_stream__") or hasattr(rows, "__arrow_c_array__"):
            rows = _from_arrow(rows)
            if isinstance(rows, pl.DataFrame):
                return rows
        values = np.asarray(rows)
        if values.ndim != 2 or values.shape[1] != len(self.columns):
            raise ValueError(
                f"rows must be a data frame, or an array of the shape (rows, {len(self.columns)}), "
                f"for the columns {', '.join(self.column_names)}, got "
                f"{f'the shape {values.shape}' if values.ndim else type(rows).__name__}"
            )
        return pl.DataFrame(
            {
                name: _without_nan(_from_array(values[:, i]))
                for i, name in enumerate(self.column_names)
            }
        )

    def prepare(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The columns that are needed, names and text as training read them from a file.

        Without blanks around them, null where missing is spelled out; numbers with the decimal
        mark of the training file.

        Raises:
            ValueError: A column is there twice, or of a type that no table has.
        """
        there = {plain_name(name): name for name in frame.columns}
        counts = Counter(map(plain_name, frame.columns))
        if twice := next((name for name in self.column_names if counts[name] > 1), None):
            raise ValueError(f"more than one column is called '{twice}'; leave the others out")
        used = frame.select(
            frame.get_column(there[name]).alias(name) for name in self.column_names if name in there
        )
        for values in used:
            self._refuse_unreadable(values)
        dates = [column.name for column in self.numeric if column.is_date]
        used = used.with_columns(
            pl.selectors.by_dtype(pl.Categorical, pl.Enum).cast(pl.String),
            *(
                to_seconds(values, None)
                for values in used.select(pl.selectors.duration())
                if values.name not in dates
            ),
        )
        used = used.with_columns(pl.selectors.string().str.strip_chars(BLANKS))
        used = used.with_columns(
            pl.when(pl.selectors.string().is_in(self.missing))
            .then(None)
            .otherwise(pl.selectors.string())
            .name.keep()
        )
        if self.decimal == ",":
            used = with_points(used, self.columns)
        spelled = spelled_numbers(self.missing, self.decimal)
        numbers = {column.name for column in self.columns if _may_be_numbers(column)}
        return used.with_columns(
            without_numbers(values, spelled)
            for values in used
            if values.dtype.is_numeric() or (values.dtype == pl.String and values.name in numbers)
        )

    def read(self, prepared: pl.DataFrame) -> tuple[Tensor, ...]:
        """The encoder's arguments, of rows that are prepared.

        Raises:
            ValueError: A column is not there.
            CellError: A cell is not what it was in training.
        """
        numbers, codes = read_rows(prepared, self.columns)
        return torch.from_numpy(numbers), torch.from_numpy(codes)

    def _refuse_unreadable(self, values: pl.Series) -> None:
        """Refuse cells of a type that is no table's, and times of which nobody knows the zone."""
        if is_nested(values) or values.dtype == pl.Object:
            raise ValueError(
                f"column '{values.name}' must hold numbers, text or dates, got {values.dtype}"
            )
        if not isinstance(values.dtype, pl.Datetime):
            return
        (column,) = (column for column in self.columns if column.name == values.name)
        written = column.date_format if isinstance(column, NumericColumn) else None
        if written is None or has_zone(written) == (values.dtype.time_zone is not None):
            return
        rule = "times with their zone"
        way_out = "add it, such as with dt.tz_localize in pandas"
        if not has_zone(written):
            rule = "dates or times without a zone"
            way_out = (
                "turn them to the zone of training and take it off, such as with dt.tz_convert and "
                "dt.tz_localize(None) in pandas"
            )
        raise ValueError(
            f"column '{values.name}' must hold {rule}, as in training, got {values.dtype}; "
            f"{way_out}"
        )

    def unseen(self, prepared: pl.DataFrame) -> dict[str, pl.Series]:
        """By column, the categories of prepared rows that training had not, or only once."""
        found = {}
        for column in self.categorical:
            text = column.text(prepared[column.name]).drop_nulls()
            found[column.name] = text.filter(~text.is_in(column.categories))
        return {name: cells for name, cells in found.items() if len(cells) > 0}


def _may_be_numbers(column: Column) -> bool:
    """Whether some texts of a column may be plain numbers."""
    is_boolean = isinstance(column, CategoricalColumn) and column.written_as == "boolean"
    return is_boolean or is_of_numbers(column)


def _from_arrow(rows: Any) -> pl.DataFrame | pl.Series:
    try:
        return pl.from_arrow(rows)
    except pl.exceptions.DuplicateError as error:
        raise ValueError("every column of a table must have a name of its own") from error


def _from_array(values: NDArray[Any]) -> pl.Series:
    # As for pandas; and of timedeltas in nanoseconds a list has whole numbers.
    if values.dtype == np.float32 or values.dtype.kind == "m":
        return pl.Series(values)
    cells = values.tolist()
    if values.dtype == np.object_:  # as of a data frame with columns of several types
        cells = [None if _is_missing(cell) else cell for cell in cells]
    return pl.Series(cells, strict=False)


def _is_missing(cell: object) -> bool:
    """Whether a cell is NaN, the NaT or the NA of pandas: of the first two, none is like itself."""
    is_same = cell == cell
    is_odd = isinstance(is_same, (bool, np.bool_)) and not is_same
    return is_odd or type(cell).__name__ == "NAType"


def _without_nan(values: pl.Series) -> pl.Series:
    """NaN in an array of text arrives as text."""
    return values.set(values == "nan", None) if values.dtype == pl.String else values


def _from_pandas(values: Any) -> list[Any] | pl.Series:
    if values.dtype == np.float32:  # a list would make of 0.1 what float64 makes of it
        return pl.Series(values.to_numpy(), nan_to_null=True)
    missing = values.isna().tolist()
    return [None if gone else cell for cell, gone in zip(values.tolist(), missing, strict=True)]
