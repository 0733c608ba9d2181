"""What each column of a table holds, and which columns say nothing that could be learned."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import cast

import polars as pl

from nnlab.data.columns.date_formats import COMPACT, EPOCHS, has_zone
from nnlab.data.columns.date_inference import read_dates
from nnlab.data.columns.kinds import ColumnKind, count_distinct, describe
from nnlab.data.columns.number_formats import find_number_format, to_numbers, unit_of
from nnlab.data.columns.odd_cells import find_odd_cells, hold_digits, shorten
from nnlab.data.columns.said_kinds import check_names, say_kind
from nnlab.data.columns.sentinels import find_odd_days, find_sentinels
from nnlab.data.columns.spelling import LARGEST_WHOLE, boolean_text
from nnlab.data.columns.whole_numbers import (
    are_codes,
    are_years,
    find_days,
    find_epoch,
    is_id_name,
    is_time_name,
)
from nnlab.data.columns.words import different_texts, is_text
from nnlab.suggestions import setting

# With fewer rows, values that are all different are no sign of an identifier.
_FEW_ROWS = 20
_FREE_TEXT_LENGTH = 60
# Of two words in capitals and otherwise, as where two files were joined.
_MOST_SPELLINGS = 8
_ONE_VALUE = "one value, or missing"
_IDENTIFIER = "an identifier: a different number in each row"


def infer_kinds(
    frame: pl.DataFrame,
    *,
    said: Mapping[str, str],
    drop: Sequence[str],
    whole: pl.DataFrame | None = None,
    decimal: str = ".",
) -> list[ColumnKind]:
    """Find out what the columns of training rows hold.

    Args:
        frame: The features of the training rows.
        said: Kinds by column name, which have the last word: `numeric`, `categorical`,
            `boolean`, `date`, or a date's format such as `%d/%m/%Y`.
        drop: Names of columns to leave out.
        whole: All rows of the table, which tell how dates and numbers are written; None where
            these are all.
        decimal: The decimal mark of plain numbers in the file.

    Raises:
        ValueError: A name is no column's, or a kind does not suit the column's values.
    """
    check_names(frame.columns, said=said, drop=drop)
    whole = frame if whole is None else whole
    return [
        describe(values, "left out", count_distinct(values), note="as data.drop says")
        if values.name in drop
        else say_kind(values, said[values.name], whole[values.name], decimal)
        if values.name in said
        else infer_kind(values, whole[values.name], decimal)
        for values in frame
    ]


def infer_kind(values: pl.Series, whole: pl.Series | None = None, decimal: str = ".") -> ColumnKind:
    """Find out what a column holds.

    Args:
        values: Numbers, texts, booleans or dates, null where missing.
        whole: The column in all rows of the table; None where these are all.
        decimal: The decimal mark of plain numbers in the file.
    """
    whole = values if whole is None else whole
    is_plain = is_text(values) or values.dtype in (pl.Boolean, pl.Null)
    if not (is_plain or values.dtype.is_numeric() or values.dtype.is_temporal()):
        note = f"cells of the type {values.dtype} are not understood"
        return describe(values, "left out", 0, note=note)
    missing = values.null_count()
    distinct = count_distinct(values)
    if distinct == 0:
        return describe(values, "left out", distinct, note="no value at all")
    if distinct == 1 and missing == 0:
        return describe(values, "left out", distinct, note=f"always {shorten(values[0])}")
    if values.dtype.is_temporal():
        return describe(values, "date", distinct)
    if values.dtype == pl.Boolean or _are_booleans(values, distinct):
        return describe(values, "boolean", distinct, written_as="boolean")
    if values.dtype.is_numeric():
        return _infer_number(values, distinct, whole)
    return _infer_text(values, distinct, whole, decimal)


def _infer_number(values: pl.Series, distinct: int, whole: pl.Series) -> ColumnKind:
    if values.dtype.is_integer():
        return _infer_whole_number(values, distinct, whole)
    ends = cast(float, values.min()), cast(float, values.max())
    odd = find_days(whole)
    if odd and not odd.texts:
        return describe(values, "date", distinct, note=f"read as {COMPACT}", date_formats=[COMPACT])
    if moments := _infer_moments(values, distinct, whole):
        return moments
    note = odd.note if odd else _ONE_VALUE if distinct == 1 else ""
    sentinels = find_sentinels(values, ends)
    return describe(values, "numeric", distinct, note=note, odd=odd, sentinels=sentinels, ends=ends)


def _infer_whole_number(values: pl.Series, distinct: int, whole: pl.Series) -> ColumnKind:
    ends = low, high = cast(int, values.min()), cast(int, values.max())
    rows = len(values)
    odd = find_days(whole)
    if odd and not odd.texts:
        return describe(values, "date", distinct, note=f"read as {COMPACT}", date_formats=[COMPACT])
    moments = _infer_moments(values, distinct, whole)
    if moments and not is_id_name(values.name):
        return moments
    if _is_identifier(values, distinct, low, high):
        return describe(values, "left out", distinct, note=_IDENTIFIER)
    if max(-low, high) > LARGEST_WHOLE:
        note = "numbers beyond 2^53, taken as codes"
        if distinct > rows / 2 and rows >= _FEW_ROWS:
            note = "an identifier: numbers beyond 2^53, hardly two the same"
            return describe(values, "left out", distinct, note=note)
        return describe(values, "categorical", distinct, note=note)
    if are_codes(values, distinct, low, high):
        return describe(values, "categorical", distinct, note="codes")
    note = _ONE_VALUE if distinct == 1 else ""
    if _are_all_different(values, distinct) and not are_years(low, high):
        # So are the populations of towns, but an identifier looks no different.
        way_out = setting("data.drop", [values.name])
        note = f"a different number in each row; if an identifier: {way_out}"
    note = odd.note if odd else note
    sentinels = find_sentinels(values, ends)
    return describe(values, "numeric", distinct, note=note, odd=odd, sentinels=sentinels, ends=ends)


def _is_identifier(values: pl.Series, distinct: int, low: int, high: int) -> bool:
    """Whether whole numbers, one in each row, were counted up, or are called as identifiers are."""
    # Of rows that were numbered, training has a part.
    is_sequence = high - low < 1.8 * len(values) and not are_years(low, high)
    return _are_all_different(values, distinct) and (is_sequence or is_id_name(values.name))


def _are_all_different(values: pl.Series, distinct: int) -> bool:
    return distinct >= len(values) - values.null_count() and len(values) >= _FEW_ROWS


def _infer_moments(values: pl.Series, distinct: int, whole: pl.Series) -> ColumnKind | None:
    """Numbers that count from 1970 on, if the column is called so, too."""
    # The name first, which takes no time, in the widest sense.
    is_candidate = distinct > 1 and is_time_name(values.name, "%s%3f")
    pattern = find_epoch(whole) if is_candidate else None
    if pattern is None or not is_time_name(values.name, pattern):
        return None
    unit = {1: "seconds", 10**3: "milliseconds", 10**6: "microseconds", 10**9: "nanoseconds"}
    note = f"read as {pattern}: {unit[EPOCHS[pattern]]} since 1970, in UTC"
    return describe(values, "date", distinct, note=note, date_formats=[pattern])


def _infer_text(values: pl.Series, distinct: int, whole: pl.Series, decimal: str) -> ColumnKind:
    # Whether day or month comes first may show in any row.
    dates = read_dates(different_texts(whole) if whole.dtype == pl.Enum else whole)
    if dates:
        formats = list(dates)
        note = f"read as {formats[0]}" + ", in UTC" * has_zone(formats[0])
        if len(formats) > 1:
            note += f", which may be {formats[1]}"
        kind = describe(values, "date", distinct, note=note, date_formats=formats)
        kind = replace(
            kind,
            future=_future(dates[formats[0]], formats[0]),
            sentinels=find_odd_days(values, dates[formats[0]], formats[0]),
        )
        return kind if whole.dtype == pl.Enum else replace(kind, times=dates[formats[0]])
    # Most columns hold words, and to see that is quick.
    texts = different_texts(whole)
    may_count = hold_digits(texts)
    number_format = find_number_format(texts, decimal) if may_count else None
    numbers = to_numbers(texts, number_format) if number_format else None
    if number_format and numbers is not None and numbers.null_count() == 0:
        low, high = (cast(float, end) for end in (numbers.min(), numbers.max()))
        # What has a unit is a quantity, though it may have been counted up.
        are_plain = not unit_of(number_format) and (numbers == numbers.floor()).all()
        are_plain = are_plain and math.isfinite(high - low)
        if are_plain and _is_identifier(values, distinct, int(low), int(high)):
            return describe(values, "left out", distinct, note=_IDENTIFIER)
        note = f"read as {number_format}"
        return describe(values, "numeric", distinct, note=note, number_format=number_format)
    odd = find_odd_cells(whole, number_format, decimal) if may_count else None
    note = odd.note + " (data.null_values)" * odd.may_be_missing if odd else ""
    present = values.drop_nulls()
    if len(present) >= _FEW_ROWS and distinct > len(present) / 2:
        why = f"hardly two values the same; {note}" if odd else _why_not_text(present, distinct)
        return describe(values, "left out", distinct, note=why, odd=odd)
    return describe(values, "categorical", distinct, note=note, odd=odd)


def _future(times: pl.Series, pattern: str) -> datetime | None:
    """The last of times with years of two digits, where 69 is 2069, if it is yet to come."""
    last = times.max() if "%y" in pattern else None
    return last if isinstance(last, datetime) and last > datetime.now() else None


def _why_not_text(present: pl.Series, distinct: int) -> str:
    present = present.cast(pl.String)
    length = cast(float, present.str.len_chars().mean())
    with_blanks = cast(float, present.str.contains(r"\s").mean())
    example = f"such as '{shorten(present[0])}'"
    if with_blanks > 0.5 or length > _FREE_TEXT_LENGTH:
        return f"free text, {example}"
    if distinct == len(present):
        return f"an identifier: a different text in each row, {example}"
    return f"{distinct:,} different texts in {len(present):,} rows, {example}"


def _are_booleans(values: pl.Series, distinct: int) -> bool:
    """Whether two values, capitals aside, are one that says yes and one that says no."""
    if distinct > (_MOST_SPELLINGS if is_text(values) else 2):
        return False
    texts = different_texts(values).unique()
    if is_text(values) and texts.str.to_lowercase().n_unique() != 2:
        return False
    return set(boolean_text(texts)) == {"true", "false"}
