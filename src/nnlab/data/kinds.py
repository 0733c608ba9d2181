"""What each column of a table holds, and which columns say nothing that could be learned."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, cast

import polars as pl

from nnlab.data.dates import find_formats
from nnlab.data.spelling import LARGEST_WHOLE, boolean_text
from nnlab.data.words import by_word, different_texts, is_text
from nnlab.suggestions import column_kind, did_you_mean, few

Kind = Literal["numeric", "categorical", "boolean", "date", "left out"]

FEW_WORDS = 5
"""So many different words among numbers may be spellings of a missing value."""

# With fewer rows, values that are all different are no sign of an identifier.
_FEW_ROWS = 20
_FREE_TEXT_LENGTH = 60
_ID_NAME = re.compile(r"(?i:(^|[_\W])(id|uuid|guid|key|index|idx|rownames?|row)$)|[a-z](Id|ID)$")
# Above this many rows, distinct values are counted approximately, to about one in a hundred.
_EXACT_COUNT = 200_000


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
        written_as: How categories are written: `text`, `number` or `boolean`.
        words: The few words that keep a column from being one of numbers, and may mean that a
            value is missing; none where they are many.
    """

    name: str
    kind: Kind
    missing: float
    distinct: int
    note: str = ""
    date_format: str | None = None
    written_as: str = "text"
    words: Sequence[str] = ()

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
) -> list[ColumnKind]:
    """Find out what the columns of training rows hold.

    Args:
        frame: The features of the training rows.
        said: Kinds by column name, which have the last word: `numeric`, `categorical`,
            `boolean`, `date`, or a date's format such as `%d/%m/%Y`.
        drop: Names of columns to leave out.
        whole: All rows of the table, which tell how dates are written; None where these are all.

    Raises:
        ValueError: A name is no column's, or a kind does not suit the column's values.
    """
    check_names(frame.columns, said=said, drop=drop)
    return [
        _facts(values, "left out", count_distinct(values), note="as data.drop says")
        if values.name in drop
        else _say(values, said[values.name])
        if values.name in said
        else infer_kind(values, values if whole is None else whole[values.name])
        for values in frame
    ]


def check_names(columns: Sequence[str], *, said: Iterable[str], drop: Iterable[str]) -> None:
    """Refuse settings that name no column.

    Raises:
        ValueError: A name is no column's; the message offers the closest.
    """
    known = set(columns)
    for setting, names in (("data.columns", said), ("data.drop", drop)):
        for name in names:
            if name not in known:
                raise ValueError(
                    f"{setting} must name features of the table, got '{name}'"
                    f"{did_you_mean(name, columns)} (they are: {few(columns)})"
                )


def infer_kind(values: pl.Series, whole: pl.Series | None = None) -> ColumnKind:
    """Find out what a column holds.

    Args:
        values: Numbers, texts, booleans or dates, null where missing.
        whole: The column in all rows of the table; None where these are all.
    """
    is_plain = is_text(values) or values.dtype in (pl.Boolean, pl.Null)
    if not (is_plain or values.dtype.is_numeric() or values.dtype.is_temporal()):
        note = f"cells of the type {values.dtype} are not understood"
        return _facts(values, "left out", 0, note=note)
    missing = values.null_count()
    distinct = count_distinct(values)
    if distinct == 0:
        return _facts(values, "left out", distinct, note="no value at all")
    if distinct == 1 and missing == 0:
        return _facts(values, "left out", distinct, note=f"always {_shorten(values[0])}")
    if values.dtype.is_temporal():
        return _facts(values, "date", distinct)
    if values.dtype == pl.Boolean or (distinct == 2 and _are_booleans(values)):
        return _facts(values, "boolean", distinct, written_as="boolean")
    if values.dtype.is_numeric():
        return _infer_number(values, distinct)
    return _infer_text(values, distinct, values if whole is None else whole)


def count_distinct(values: pl.Series) -> int:
    """How many different values there are, missing ones aside; approximate in large tables.

    Of lists and structures 0: nobody compares them.
    """
    if values.dtype.is_nested():
        return 0
    if values.dtype == pl.Enum:
        return len(different_texts(values))
    present = values.drop_nulls()
    if len(present) <= _EXACT_COUNT:
        return present.n_unique()
    return min(cast(int, present.approx_n_unique()), len(present))


def _facts(
    values: pl.Series,
    kind: Kind,
    distinct: int,
    *,
    note: str = "",
    date_format: str | None = None,
    written_as: str = "text",
) -> ColumnKind:
    return ColumnKind(
        name=values.name,
        kind=kind,
        missing=values.null_count() / max(len(values), 1),
        distinct=distinct,
        note=note,
        date_format=date_format,
        written_as=written_as,
    )


def _say(values: pl.Series, kind: str) -> ColumnKind:
    """A column of the kind that a person says it is."""
    distinct = count_distinct(values)
    if values.null_count() == len(values):
        return _facts(values, "left out", distinct, note="no value at all")
    if kind == "numeric":
        return _facts(values, "numeric", distinct)
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
        return _facts(values, "date", distinct, date_format=kind)
    formats = find_formats(values) if is_text(values) else []
    if not formats:
        raise ValueError(
            f"data.columns.{values.name}=date needs dates in a usual format, got "
            f"'{values.drop_nulls()[0]}'; say how they are written, such as "
            + column_kind(values.name, "%Y-%m-%d")
        )
    return _facts(values, "date", distinct, date_format=formats[0])


def _infer_number(values: pl.Series, distinct: int) -> ColumnKind:
    rows = len(values)
    if values.dtype.is_integer():
        all_different = distinct >= rows - values.null_count() and rows >= _FEW_ROWS
        low, high = int(values.min()), int(values.max())  # type: ignore[arg-type]
        # Of rows that were numbered, training has a part.
        is_sequence = high - low < 1.8 * rows and not _are_years(low, high)
        if all_different and (is_sequence or _is_id_name(values.name)):
            return _facts(
                values, "left out", distinct, note="an identifier: a different number in each row"
            )
        if max(-low, high) > LARGEST_WHOLE:
            note = "numbers beyond 2^53, taken as codes"
            if distinct > rows / 2 and rows >= _FEW_ROWS:
                note = "an identifier: numbers beyond 2^53, hardly two the same"
                return _facts(values, "left out", distinct, note=note)
            return _facts(values, "categorical", distinct, note=note, written_as="number")
        if _are_codes(values, distinct, low, high):
            return _facts(values, "categorical", distinct, note="codes", written_as="number")
    if distinct == 1:
        return _facts(values, "numeric", distinct, note="one value, or missing")
    return _facts(values, "numeric", distinct)


def _are_codes(values: pl.Series, distinct: int, low: int, high: int) -> bool:
    """Whether few whole numbers look like names: equally long, and not evenly spaced.

    Area codes such as 408, 415 and 510 do; grades from 1 to 10, counts, years and doses do not.
    """
    if not (2 <= distinct <= 20 and distinct * 10 <= len(values)):
        return False
    if low < 100 or len(str(low)) != len(str(high)) or _are_years(low, high):
        return False
    gaps = values.drop_nulls().unique().sort().diff().drop_nulls()
    # What people choose is round: doses are multiples of something, names are not.
    is_round = math.gcd(*gaps) >= 5
    return not is_round and gaps.n_unique() > 1 and high - low >= 2 * distinct


def _are_years(low: int, high: int) -> bool:
    return low >= 1500 and high <= 2200


def _infer_text(values: pl.Series, distinct: int, whole: pl.Series) -> ColumnKind:
    present = values.drop_nulls()
    formats = find_formats(values)
    if formats:
        # Whether day or month comes first may show in any row.
        formats = find_formats(whole)
    if formats:
        note = f"read as {formats[0]}"
        if len(formats) > 1:
            note += f", not {formats[1]}: {column_kind(values.name, formats[1])} says otherwise"
        return _facts(values, "date", distinct, note=note, date_format=formats[0])
    near = _near_numbers(present)
    if len(present) >= _FEW_ROWS and distinct > len(present) / 2:
        found = _facts(values, "left out", distinct, note=_why_not_text(present, distinct, near))
    else:
        found = _facts(values, "categorical", distinct, note=near, written_as=_written_as(values))
    return replace(found, words=_few_words(whole)) if near else found


def _few_words(values: pl.Series) -> list[str]:
    """The words among numbers, if they are few and no numbers with a unit or the like."""
    words = different_texts(values).cast(pl.String).unique(maintain_order=True)
    words = words.filter(_is_word(words))
    has_digits = words.str.contains(r"^[^#]*\d").any()
    return words.to_list() if len(words) <= FEW_WORDS and not has_digits else []


def _why_not_text(present: pl.Series, distinct: int, near: str) -> str:
    if near:
        return f"hardly two values the same; {near}"
    present = present.cast(pl.String)
    lengths = present.str.len_chars().mean()
    if present.str.contains(r"\s").mean() > 0.5 or lengths > _FREE_TEXT_LENGTH:  # type: ignore[operator]
        return "free text"
    if distinct == len(present):
        return "an identifier: a different text in each row"
    return f"{distinct:,} different texts in {len(present):,} rows"


def _near_numbers(present: pl.Series) -> str:
    """What keeps a column of text from being one of numbers, where most of its cells are."""
    words = present.filter(by_word(present, _is_word))
    if len(words) > len(present) / 2:
        return ""
    if words.is_empty():
        is_padded = different_texts(present).str.contains(r"^\s*[+-]?0\d").any()
        return f"numbers {'with leading zeros' if is_padded else 'here, text elsewhere'}, as text"
    cells = (
        "1 cell is not a number:"
        if len(words) == 1
        else f"{len(words):,} cells are not numbers, such as"
    )
    return f"{cells} '{_shorten(words[0])}'"


def _is_word(texts: pl.Series) -> pl.Series:
    return texts.str.strip_chars().cast(pl.Float64, strict=False).is_null()


def _written_as(values: pl.Series) -> str:
    return "number" if values.dtype.is_numeric() else "text"


def _are_booleans(values: pl.Series) -> bool:
    return bool(boolean_text(values.drop_nulls().unique()).is_in(["true", "false"]).all())


def _is_id_name(name: str) -> bool:
    return bool(_ID_NAME.search(name))


def _shorten(value: object) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= 30 else f"{text[:27]}..."
