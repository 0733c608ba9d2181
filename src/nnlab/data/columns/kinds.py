"""What each column of a table holds, and which columns say nothing that could be learned."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal, cast

import polars as pl

from nnlab.data.columns.dates import find_formats, read_dates
from nnlab.data.columns.number_formats import find_number_format, to_numbers
from nnlab.data.columns.odd_cells import OddCells, find_odd_cells, hold_digits, shorten
from nnlab.data.columns.spelling import LARGEST_WHOLE, boolean_text
from nnlab.data.columns.whole_numbers import DAY, are_codes, are_years, find_days, is_id_name
from nnlab.data.columns.words import different_texts, is_text
from nnlab.suggestions import column_kind, did_you_mean, few, setting

Kind = Literal["numeric", "categorical", "boolean", "date", "left out"]

# With fewer rows, values that are all different are no sign of an identifier.
_FEW_ROWS = 20
_FREE_TEXT_LENGTH = 60
_ONE_VALUE = "one value, or missing"
# Above this many rows, distinct values are counted approximately, to about one in a hundred,
# unless more than this share of them seem to differ: identifiers differ in each row.
_EXACT_COUNT, _NEARLY_ALL = 200_000, 0.9


@dataclass(frozen=True, kw_only=True)
class ColumnKind:
    """What a column holds.

    Attributes:
        name: The column's name.
        kind: Its kind.
        missing: Share of rows without a value.
        distinct: How many different values there are.
        note: Why it is left out, or what is worth knowing of it; may be empty.
        date_format: How dates are written, where they are text.
        other_date_format: How they could be meant as well; None where that is plain.
        future: The last of dates with years of two digits, if it is yet to come.
        number_format: How numbers are written, where they are text (`number_formats`).
        written_as: How categories are written: `text`, `number` or `boolean`.
        odd: The cells that keep it from being one of numbers or dates; None where it is none.
        times: Of dates that were many different texts, what these are in all rows of the table:
            to read them again would take longer than all else that is learned.
    """

    name: str
    kind: Kind
    missing: float
    distinct: int
    note: str = ""
    date_format: str | None = None
    other_date_format: str | None = None
    future: datetime | None = None
    number_format: str | None = None
    written_as: str = "text"
    odd: OddCells | None = None
    times: pl.Series | None = field(default=None, repr=False, compare=False)

    @property
    def is_used(self) -> bool:
        """Whether the network sees it."""
        return self.kind != "left out"


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
        _facts(values, "left out", count_distinct(values), note="as data.drop says")
        if values.name in drop
        else _say(values, said[values.name], whole[values.name], decimal)
        if values.name in said
        else infer_kind(values, whole[values.name], decimal)
        for values in frame
    ]


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
        return _facts(values, "left out", 0, note=note)
    missing = values.null_count()
    distinct = count_distinct(values)
    if distinct == 0:
        return _facts(values, "left out", distinct, note="no value at all")
    if distinct == 1 and missing == 0:
        return _facts(values, "left out", distinct, note=f"always {shorten(values[0])}")
    if values.dtype.is_temporal():
        return _facts(values, "date", distinct)
    if values.dtype == pl.Boolean or (distinct == 2 and _are_booleans(values)):
        return _facts(values, "boolean", distinct, written_as="boolean")
    if values.dtype.is_numeric():
        return _infer_number(values, distinct, whole)
    return _infer_text(values, distinct, whole, decimal)


def count_distinct(values: pl.Series) -> int:
    """How many different values there are, missing ones aside.

    In large tables approximate, unless they may be identifiers. Of lists and structures 0: nobody
    compares them.
    """
    if values.dtype.is_nested():
        return 0
    if values.dtype == pl.Enum:
        return len(different_texts(values))
    present = values.drop_nulls()
    if len(present) > _EXACT_COUNT:
        distinct = cast(int, present.approx_n_unique())
        # To count fractions would take time, and they identify nothing.
        if values.dtype.is_float() or distinct < _NEARLY_ALL * len(present):
            return min(distinct, len(present))
    return present.n_unique()


def _facts(
    values: pl.Series,
    kind: Kind,
    distinct: int,
    *,
    note: str = "",
    date_formats: Sequence[str] = (),
    number_format: str | None = None,
    written_as: str = "text",
    odd: OddCells | None = None,
) -> ColumnKind:
    return ColumnKind(
        name=values.name,
        kind=kind,
        missing=values.null_count() / max(len(values), 1),
        distinct=distinct,
        note=note,
        date_format=next(iter(date_formats), None),
        other_date_format=next(iter(date_formats[1:]), None),
        number_format=number_format,
        written_as=written_as,
        odd=odd,
    )


def _say(values: pl.Series, kind: str, whole: pl.Series, decimal: str) -> ColumnKind:
    """A column of the kind that a person says it is."""
    distinct = count_distinct(values)
    if values.null_count() == len(values):
        return _facts(values, "left out", distinct, note="no value at all")
    if kind == "numeric":
        pattern = find_number_format(whole, decimal) if is_text(whole) else None
        note = f"read as {pattern}" if pattern else ""
        return _facts(values, "numeric", distinct, note=note, number_format=pattern)
    if kind == "categorical":
        return _facts(values, "categorical", distinct, written_as=_written_as(values))
    if kind == "boolean":
        wrong = ~boolean_text(values).is_in(["true", "false"])  # null where missing
        if wrong.any():
            raise ValueError(
                f"data.columns.{values.name}=boolean needs values such as true and false, "
                f"got '{values.filter(wrong)[0]}'"
            )
        return _facts(values, "boolean", distinct, written_as="boolean")
    if kind == "date" and values.dtype.is_temporal():
        return _facts(values, "date", distinct)
    if "%" in kind:
        return _facts(values, "date", distinct, date_formats=[kind])
    # Whether day or month comes first may show in any row.
    formats = find_formats(whole if is_text(whole) else whole.cast(pl.String))
    if not formats:
        raise ValueError(
            f"data.columns.{values.name}=date needs dates in a usual format, got "
            f"'{values.drop_nulls()[0]}'; {_how_dates_are_said(values)}"
        )
    return _facts(values, "date", distinct, date_formats=formats)


def _how_dates_are_said(values: pl.Series) -> str:
    """The way out for a column of dates in no usual format."""
    if not values.dtype.is_numeric():
        return f"say how they are written, such as {column_kind(values.name, '%Y-%m-%d')}"
    low, high = (int(cast(float, end)) for end in (values.min(), values.max()))
    as_dates = column_kind(values.name, "%Y" if are_years(low, high) else "%Y%m%d")
    years = "for years" if are_years(low, high) else "if they are written so"
    return f"set {as_dates} {years}, or leave it out to take them as numbers"


def _infer_number(values: pl.Series, distinct: int, whole: pl.Series) -> ColumnKind:
    if values.dtype.is_integer():
        return _infer_whole_number(values, distinct, whole)
    return _facts(values, "numeric", distinct, note=_ONE_VALUE if distinct == 1 else "")


def _infer_whole_number(values: pl.Series, distinct: int, whole: pl.Series) -> ColumnKind:
    low, high = (int(cast(float, end)) for end in (values.min(), values.max()))
    rows = len(values)
    odd = find_days(whole)
    if odd and not odd.texts:
        return _facts(values, "date", distinct, note=f"read as {DAY}", date_formats=[DAY])
    all_different = distinct >= rows - values.null_count() and rows >= _FEW_ROWS
    # Of rows that were numbered, training has a part.
    is_sequence = high - low < 1.8 * rows and not are_years(low, high)
    if all_different and (is_sequence or is_id_name(values.name)):
        note = "an identifier: a different number in each row"
        return _facts(values, "left out", distinct, note=note)
    if max(-low, high) > LARGEST_WHOLE:
        note = "numbers beyond 2^53, taken as codes"
        if distinct > rows / 2 and rows >= _FEW_ROWS:
            note = "an identifier: numbers beyond 2^53, hardly two the same"
            return _facts(values, "left out", distinct, note=note)
        return _facts(values, "categorical", distinct, note=note, written_as="number")
    if are_codes(values, distinct, low, high):
        return _facts(values, "categorical", distinct, note="codes", written_as="number")
    note = _ONE_VALUE if distinct == 1 else ""
    if all_different and not are_years(low, high):
        # So are the populations of towns, but an identifier looks no different.
        way_out = setting("data.drop", [values.name])
        note = f"a different number in each row; if an identifier: {way_out}"
    return _facts(values, "numeric", distinct, note=odd.note if odd else note, odd=odd)


def _infer_text(values: pl.Series, distinct: int, whole: pl.Series, decimal: str) -> ColumnKind:
    # Whether day or month comes first may show in any row.
    dates = read_dates(different_texts(whole) if whole.dtype == pl.Enum else whole)
    if dates:
        formats = list(dates)
        note = f"read as {formats[0]}"
        if len(formats) > 1:
            note += f", which may be {formats[1]}"
        kind = _facts(values, "date", distinct, note=note, date_formats=formats)
        kind = replace(kind, future=_future(dates[formats[0]], formats[0]))
        return kind if whole.dtype == pl.Enum else replace(kind, times=dates[formats[0]])
    # Most columns hold words, and to see that is quick.
    texts = different_texts(whole)
    may_count = hold_digits(texts)
    number_format = find_number_format(texts, decimal) if may_count else None
    if number_format and to_numbers(texts, number_format).null_count() == 0:
        note = f"read as {number_format}"
        return _facts(values, "numeric", distinct, note=note, number_format=number_format)
    odd = find_odd_cells(whole, number_format, decimal) if may_count else None
    note = odd.note + " (data.null_values)" * odd.may_be_missing if odd else ""
    present = values.drop_nulls()
    if len(present) >= _FEW_ROWS and distinct > len(present) / 2:
        why = f"hardly two values the same; {note}" if odd else _why_not_text(present, distinct)
        return _facts(values, "left out", distinct, note=why, odd=odd)
    written_as = _written_as(values)
    return _facts(values, "categorical", distinct, note=note, written_as=written_as, odd=odd)


def _future(times: pl.Series, pattern: str) -> datetime | None:
    """The last of times with years of two digits, where 69 is 2069, if it is yet to come."""
    last = times.max() if "%y" in pattern else None
    return last if isinstance(last, datetime) and last > datetime.now() else None


def _why_not_text(present: pl.Series, distinct: int) -> str:
    present = present.cast(pl.String)
    length = cast(float, present.str.len_chars().mean())
    with_blanks = cast(float, present.str.contains(r"\s").mean())
    if with_blanks > 0.5 or length > _FREE_TEXT_LENGTH:
        return "free text"
    if distinct == len(present):
        return "an identifier: a different text in each row"
    return f"{distinct:,} different texts in {len(present):,} rows"


def _written_as(values: pl.Series) -> str:
    return "number" if values.dtype.is_numeric() else "text"


def _are_booleans(values: pl.Series) -> bool:
    """Whether two values are one that says yes and one that says no."""
    return set(boolean_text(different_texts(values).unique())) == {"true", "false"}
