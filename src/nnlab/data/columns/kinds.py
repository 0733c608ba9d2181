"""What the columns of a table can hold."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, cast

import polars as pl

from nnlab.data.columns.odd_cells import OddCells
from nnlab.data.columns.sentinels import Sentinels
from nnlab.data.columns.words import different_texts

Kind = Literal["numeric", "categorical", "boolean", "date", "left out"]

# Above this many rows, distinct values are counted approximately, to about one in a hundred,
# unless more than this share of them seem to differ, as identifiers do, or they are few: of two,
# such as 64 and 95, it may see but one.
_EXACT_COUNT, _NEARLY_ALL, _FEW = 200_000, 0.9, 1000


@dataclass(frozen=True, kw_only=True)
class ColumnKind:
    """What a column holds.

    Attributes:
        name: The column's name.
        kind: Its kind.
        missing: Share of rows without a value.
        distinct: How many different values there are.
        note: Why it is left out, or what is worth knowing of it; may be empty.
        date_format: How dates are written, where they are text or numbers.
        other_date_format: How they could be meant as well; None where that is plain.
        future: The last of dates with years of two digits, if it is yet to come.
        number_format: How numbers are written, where they are text (`number_formats`).
        written_as: How categories are written: `text`, `number` or `boolean`.
        odd: The cells that keep it from being one of numbers or dates; None where it is none.
        sentinels: Numbers or days that may stand for a missing value, if there are any.
        ends: The least and the largest of numbers, where they are known.
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
    sentinels: Sentinels | None = None
    ends: tuple[float, float] | None = None
    times: pl.Series | None = field(default=None, repr=False, compare=False)

    @property
    def is_used(self) -> bool:
        """Whether the network sees it."""
        return self.kind != "left out"


def describe(
    values: pl.Series,
    kind: Kind,
    distinct: int,
    *,
    date_formats: Sequence[str] = (),
    note: str = "",
    number_format: str | None = None,
    written_as: str | None = None,
    odd: OddCells | None = None,
    sentinels: Sentinels | None = None,
    ends: tuple[float, float] | None = None,
) -> ColumnKind:
    """What was found out of a column; the rest its values show.

    Args:
        values: The column.
        kind: Its kind.
        distinct: How many different values there are.
        date_formats: The ways in which dates may be written, the likeliest first.
        note: Why it is left out, or what is worth knowing of it.
        number_format: How numbers are written, where they are text.
        written_as: How categories are written; None for what the type says, numbers or text.
        odd: The cells that keep it from being one of numbers or dates.
        sentinels: Numbers or days that may stand for a missing value.
        ends: The least and the largest of numbers.
    """
    return ColumnKind(
        name=values.name,
        kind=kind,
        missing=values.null_count() / max(len(values), 1),
        distinct=distinct,
        note=note,
        date_format=next(iter(date_formats), None),
        other_date_format=next(iter(date_formats[1:]), None),
        number_format=number_format,
        written_as=written_as or ("number" if values.dtype.is_numeric() else "text"),
        odd=odd,
        sentinels=sentinels,
        ends=ends,
    )


def count_distinct(values: pl.Series) -> int:
    """How many different values there are, missing ones aside.

    In large tables approximate, unless they are few or may be identifiers. Of lists and structures
    0: nobody compares them.
    """
    if values.dtype.is_nested():
        return 0
    if values.dtype == pl.Enum:
        return len(different_texts(values))
    rows = len(values) - values.null_count()
    if rows > _EXACT_COUNT:
        distinct = cast(int, values.approx_n_unique()) - (rows < len(values))
        # Fractions identify nothing, however many they are.
        is_identifier = not values.dtype.is_float() and distinct >= _NEARLY_ALL * rows
        if distinct > _FEW and not is_identifier:
            return min(distinct, rows)
    return values.drop_nulls().n_unique()
