"""What the numbers of a CSV file show of its decimal mark, where the user states none."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from nnlab.data.columns.number_grammar import (
    CERTAIN_POINT_THOUSANDS,
    COMMA_THOUSANDS,
    POINT_THOUSANDS,
    POINTS_AND_COMMA,
    WITH_COMMA,
    from_decimal_comma,
)
from nnlab.data.columns.words import BLANKS, different_texts, is_text
from nnlab.data.csv.dialect import Dialect, find_dialect
from nnlab.data.csv.options import CsvOptions
from nnlab.suggestions import setting

# Fewer different numbers of a kind may be typed by hand, or stand for a missing value.
_FEW = 5


def refuse_decimal_commas(frame: pl.DataFrame, path: Path) -> None:
    """Refuse a column of numbers such as 3,5 or 1.234,5, in which the whole file may be written.

    Commas before groups of three digits might as well mark thousands: those stay text.

    Raises:
        ValueError: There is one.
    """
    keep = f"or {setting('data.decimal', '.')} if other columns have decimal points"
    for values in filter(is_text, frame):
        first = values[values.is_not_null().arg_max() or 0]
        if first is None or not re.match(f"{WITH_COMMA}|{POINTS_AND_COMMA}", first):
            continue  # most columns of text hold words
        texts = different_texts(values)
        column = f"column '{values.name}' of {path} holds numbers"
        others = texts.filter(~texts.str.contains(COMMA_THOUSANDS))
        if texts.str.contains(WITH_COMMA).all() and others.str.contains(",", literal=True).any():
            raise ValueError(
                f"{column} with a decimal comma; set {setting('data.decimal', ',')} if all are "
                f"written so, {keep}"
            )
        odd = texts.filter(texts.str.contains(CERTAIN_POINT_THOUSANDS))
        if len(odd) and texts.str.contains(POINTS_AND_COMMA).all():
            is_read = from_decimal_comma(texts)
            way_out = f"set {setting('data.decimal', ',')} if all are written so, "
            if is_read.null_count():
                way_out = f"take these out, as in {odd[0].replace('.', '')}, "
            raise ValueError(
                f"{column} such as '{odd[0]}', with points for thousands; {way_out}{keep}"
            )


def refuse_comma_thousands(
    cells: Sequence[pl.Series], frame: pl.DataFrame, path: Path, options: CsvOptions
) -> None:
    """Refuse numbers such as 1,250 where nothing shows that the comma marks thousands.

    Semicolons separate cells where it is a decimal mark. A number with a point, or with two
    commas, shows the contrary.

    Args:
        cells: Columns of text in which commas were taken for marks of thousands, at least one.
        frame: The whole table.
        path: Its file.
        options: What the user states about it.

    Raises:
        ValueError: There are such numbers and none of these, and semicolons.
    """
    if options.decimal is not None:
        return
    if find_dialect(path, options, is_told=False).marks.separator != ord(";"):
        return
    texts = [different_texts(values) for values in cells]
    is_shown = any(text.str.contains(r"\d\.\d|,\d{3},").any() for text in texts)
    if is_shown or frame.select(pl.selectors.float()).width:
        return
    example = texts[0].filter(texts[0].str.contains(",", literal=True))[0]
    raise ValueError(
        f"column '{cells[0].name}' of {path} holds numbers such as '{example}', which semicolons "
        f"between cells leave open: set {setting('data.decimal', ',')} if the comma is a decimal "
        f"mark, {setting('data.decimal', '.')} if it marks thousands"
    )


def may_be_thousands(values: pl.Series) -> bool:
    """Whether numbers, read with a decimal point, may have been thousands such as 1.000.

    These have three decimals, none is below 1, and none of 1000 or more has a fraction.
    """
    # By numpy: polars divides by multiplying, which is off by a bit for one number in seven.
    size = np.abs(values.drop_nulls().to_numpy())
    is_whole = size == np.floor(size)
    small = np.minimum(size, 1000)  # three decimals of 1e308 would be infinite
    is_grouped = (size > 1) & (size < 1000) & (np.round(small * 1000) / 1000 == size)
    return bool((is_whole | is_grouped).all())


def refuse_certain_point_thousands(
    cells: pl.DataFrame, dialect: Dialect, *, is_learned: bool = False
) -> None:
    """Refuse numbers in which a point marks thousands, as 950 beside 1.040 and 2.483 shows.

    No program writes many decimals so: with three of them throughout, 950 has them, too, and where
    zeros at the end are left out, 1.04 is written so.

    Args:
        cells: Columns of numbers as text.
        dialect: How their file is written.
        is_learned: Whether training has settled how their numbers are written.

    Raises:
        ValueError: There are such numbers.
    """
    for values in cells:
        texts = values.str.strip_chars(BLANKS).unique(maintain_order=True)
        is_pointed = texts.str.contains(".", literal=True)
        pointed, whole = texts.filter(is_pointed), texts.filter(~is_pointed)
        are_thousands = (
            min(len(pointed), len(whole)) >= _FEW
            and pointed.str.contains(POINT_THOUSANDS).all()
            and pointed.str.ends_with("0").any()
            and whole.str.contains(r"^[+-]?[1-9]\d{0,2}$").any()
            and not whole.str.contains(r"\d{4}").any()
        )
        if are_thousands:
            shown = f"'{pointed.filter(pointed.str.ends_with('0'))[0]}' beside '{whole[0]}'"
            raise ValueError(
                f"column '{values.name}' of {dialect.source.path} holds numbers such as {shown}, "
                f"as if the point marked thousands: "
                f"{_ways_out_of_point(str(pointed[0]), is_learned)}"
            )


def _ways_out_of_point(cell: str, is_learned: bool) -> str:
    """What can be done about a number with a point that is a decimal mark, or one of thousands."""
    thousands = f"set {setting('data.decimal', ',')} if it marks thousands"
    if is_learned:
        thousands = f"take it out, as in {cell.replace('.', '')}, if it marks thousands"
    return f"set {setting('data.decimal', '.')} if the point is a decimal mark, {thousands}"


def refuse_point_thousands(
    cells: pl.DataFrame, dialect: Dialect, *, is_learned: bool = False
) -> None:
    """Refuse numbers such as 1.000 where nothing shows that the point is a decimal mark.

    Semicolons separate cells where a comma is the decimal mark, and there a point marks
    thousands. One number with other than three decimals, or below 1, shows the contrary.

    Args:
        cells: Columns of numbers as text.
        dialect: How their file is written.
        is_learned: Whether training has settled how their numbers are written.

    Raises:
        ValueError: There are such numbers and no other with a point, and semicolons.
    """
    if dialect.marks.separator != ord(";"):
        return
    example = None
    for values in cells:
        texts = values.str.strip_chars(BLANKS).unique(maintain_order=True)
        is_number = texts.cast(pl.Float64, strict=False).is_finite()
        pointed = texts.filter(is_number & texts.str.contains(".", literal=True))
        if not pointed.str.contains(POINT_THOUSANDS).all():
            return
        if example is None and len(pointed):
            example = (values.name, pointed[0])
    if example is not None:
        name, cell = example
        raise ValueError(
            f"column '{name}' of {dialect.source.path} holds numbers such as '{cell}', which "
            f"semicolons between cells leave open: {_ways_out_of_point(cell, is_learned)}"
        )
