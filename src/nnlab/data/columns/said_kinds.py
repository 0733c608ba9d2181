"""The kinds of columns that a person says, and the columns that are to be left out."""

from collections.abc import Iterable, Sequence
from typing import cast

import polars as pl

from nnlab.data.columns.date_inference import find_formats
from nnlab.data.columns.kinds import ColumnKind, count_distinct, describe
from nnlab.data.columns.number_formats import find_number_format
from nnlab.data.columns.spelling import boolean_text
from nnlab.data.columns.whole_numbers import are_years, find_epoch
from nnlab.data.columns.words import is_text
from nnlab.suggestions import column_kind, did_you_mean, few, setting


def check_names(columns: Sequence[str], *, said: Iterable[str], drop: Iterable[str]) -> None:
    """Refuse settings that name no column.

    Raises:
        ValueError: A name is no column's; the message offers the closest.
    """
    known = set(columns)
    for option, names in (("data.columns", list(said)), ("data.drop", list(drop))):
        for name in names:
            if name not in known:
                way_out = _with_comma(names, columns) if option == "data.drop" else ""
                raise ValueError(
                    f"{option} must name features of the table, got '{name}'"
                    f"{way_out or did_you_mean(name, columns)} (they are: {few(columns)})"
                )


def _with_comma(names: Sequence[str], columns: Sequence[str]) -> str:
    """The way out where a column's name has a comma, at which it was taken apart."""
    for column in columns:
        parts = [part.strip() for part in column.split(",")]
        for start in range(len(names)):
            end = start + len(parts)
            if len(parts) > 1 and list(names[start:end]) == parts:
                meant = [*names[:start], column, *names[end:]]
                return f"; write {setting('data.drop', meant)} for the column '{column}'"
    return ""


def say_kind(values: pl.Series, kind: str, whole: pl.Series, decimal: str) -> ColumnKind:
    """A column of the kind that a person says it is."""
    distinct = count_distinct(values)
    if values.null_count() == len(values):
        return describe(values, "left out", distinct, note="no value at all")
    if kind == "numeric":
        pattern = find_number_format(whole, decimal) if is_text(whole) else None
        note = f"read as {pattern}" if pattern else ""
        return describe(values, "numeric", distinct, note=note, number_format=pattern)
    if kind == "categorical":
        return describe(values, "categorical", distinct)
    if kind == "boolean":
        wrong = ~boolean_text(values).is_in(["true", "false"])  # null where missing
        if wrong.any():
            raise ValueError(
                f"data.columns.{values.name}=boolean needs values such as true and false, "
                f"got '{values.filter(wrong)[0]}'"
            )
        return describe(values, "boolean", distinct, written_as="boolean")
    if kind == "date" and values.dtype.is_temporal():
        return describe(values, "date", distinct)
    if "%" in kind:
        return describe(values, "date", distinct, date_formats=[kind])
    if values.dtype.is_numeric() and (pattern := find_epoch(whole)):
        return describe(values, "date", distinct, date_formats=[pattern])
    # Whether day or month comes first may show in any row.
    formats = find_formats(whole if is_text(whole) else whole.cast(pl.String))
    if not formats:
        raise ValueError(
            f"data.columns.{values.name}=date needs dates in a usual format, got "
            f"'{values.drop_nulls()[0]}'; {_how_dates_are_said(values)}"
        )
    return describe(values, "date", distinct, date_formats=formats)


def _how_dates_are_said(values: pl.Series) -> str:
    """The way out for a column of dates in no usual format."""
    if not values.dtype.is_numeric():
        return f"say how they are written, such as {column_kind(values.name, '%Y-%m-%d')}"
    low, high = (int(cast(float, end)) for end in (values.min(), values.max()))
    as_dates = column_kind(values.name, "%Y" if are_years(low, high) else "%Y%m%d")
    years = "for years" if are_years(low, high) else "if they are written so"
    return f"set {as_dates} {years}, or leave it out to take them as numbers"
