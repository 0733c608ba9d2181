"""Texts of numbers with decimal commas, read as the columns that were learned of such a file."""

import re
from collections.abc import Sequence

import polars as pl

from nnlab.data.columns.cell_error import CellError
from nnlab.data.columns.learned import CategoricalColumn, Column, NumericColumn
from nnlab.data.columns.number_grammar import POINT_THOUSANDS, from_decimal_comma
from nnlab.data.columns.odd_cells import missing_words
from nnlab.data.columns.spelling import number_text
from nnlab.data.columns.words import is_text
from nnlab.suggestions import setting


def with_points(frame: pl.DataFrame, columns: Sequence[Column]) -> pl.DataFrame:
    """A table whose texts of plain numbers have decimal commas, with these as others write them.

    Those of numeric columns become numbers, those of categories numbers with a point; other texts
    of categories stay as they are.

    Raises:
        CellError: A text of a numeric column is no such number.
    """
    texts = {values.name: values for values in frame if is_text(values)}
    return frame.with_columns(
        _with_point(texts[column.name].cast(pl.String), column)
        for column in columns
        if column.name in texts and is_of_numbers(column)
    )


def is_of_numbers(column: Column) -> bool:
    """Whether the texts of a column are plain numbers, or some of them are."""
    if isinstance(column, CategoricalColumn):
        return column.written_as == "number"
    return not column.is_date and column.number_format is None


def _with_point(cells: pl.Series, column: Column) -> pl.Series:
    numbers = from_decimal_comma(cells)
    odd = (numbers.is_null() & cells.is_not_null()).arg_true()
    if isinstance(column, NumericColumn) and len(odd):
        row = int(odd[0])
        error = CellError(
            f"column '{cells.name}' must hold numbers with a decimal comma, got '{cells[row]}'",
            row,
            words=missing_words(cells[odd]),
            count=len(odd),
        )
        if re.fullmatch(r"[+-]?\d*\.\d+", cells[row]):
            error.way_out = f"set {setting('data.decimal', '.')} if the point is a decimal mark"
            if re.fullmatch(POINT_THOUSANDS, cells[row]):
                error.way_out += ", or take it out if it marks thousands"
        raise error
    if not isinstance(column, CategoricalColumn):
        return numbers
    # Whole numbers are as they are written: a float cannot hold each.
    is_whole = cells.str.strip_chars().cast(pl.Int64, strict=False).is_not_null()
    exact = number_text(cells).zip_with(is_whole, number_text(numbers))
    return exact.zip_with(numbers.is_not_null(), cells)
