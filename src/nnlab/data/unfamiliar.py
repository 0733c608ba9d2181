"""What rows to predict have that training rows had not, so that a network can only guess."""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import compress
from typing import Any

import polars as pl
import torch
from torch import Tensor

from nnlab.data.columns.learned import MISSING, Column, NumericColumn
from nnlab.data.columns.number_formats import hold_one_number_twice, unit_of, without_unit
from nnlab.data.columns.odd_cells import shorten
from nnlab.data.table_rows import TableReader

# Rows that are looked at together.
_ROWS = 50_000
# A little beyond the range of training is what new rows often are: this share of its width.
_MARGIN = 0.5
# Where all of training are of the same order, a number below this share of the smallest may be
# kilometres in place of metres, a share in place of percent, or 1.040 for a thousand and forty.
_SMALL, _ORDER = 0.1, 1000
# Fewer may all be far out by chance.
_FEW_TARGETS = 10


def unfamiliar_sentences(
    reader: TableReader, frame: pl.DataFrame, place: Callable[[int], str]
) -> Iterator[str]:
    """What to tell a person of a table's rows, all of which the reader can read.

    Args:
        reader: What reads them.
        frame: The rows.
        place: Where a row stands, for a message, by its index.
    """

    def place_below(start: int) -> Callable[[int], str]:
        return lambda row: place(start + row)

    unfamiliar = Unfamiliar(reader)
    for start in range(0, len(frame), _ROWS):
        prepared = reader.prepare(frame[start : start + _ROWS])
        unfamiliar.add(prepared, reader.read(prepared), place_below(start))
    yield from unfamiliar.sentences()


def unfamiliar_target(targets: Tensor, preprocessing: Mapping[str, Any]) -> Iterator[str]:
    """What to tell a person of the targets of rows that are not from the file of training.

    Args:
        targets: As `scale_targets` gives them, `(rows,)`.
        preprocessing: What was learned; that of the first version has no ends of the target.
    """
    low, high = preprocessing.get("target_low"), preprocessing.get("target_high")
    if low is None or high is None or len(targets) < _FEW_TARGETS:
        return
    numbers = targets.double() * preprocessing["target_std"] + preprocessing["target_mean"]
    (count,) = _Familiar([(low, high)], [True]).count_far(numbers.unsqueeze(1))
    if count * 2 > len(targets):
        yield (
            f"target '{preprocessing['target']}': {count:,} of {len(targets):,} numbers lie far "
            "outside those of training; are they in another unit?"
        )


def _unseen(reader: TableReader, name: str, count: int, example: str) -> str:
    cells = "1 cell" if count == 1 else f"{count:,} cells"
    (column,) = (column for column in reader.categorical if column.name == name)
    known = [other for other in column.categories if other.casefold() == example.casefold()]
    hint = f" (but '{shorten(known[0])}')" if known else ""
    padded = [c for c in column.categories if c.isdecimal() and c.lstrip("0") == example]
    if len(padded) == 1:
        hint = f" (but '{shorten(padded[0])}': leading zeros are a part of it)"
    return (
        f"column '{name}': {cells} of a category that training did not have (or only once), such "
        f"as '{shorten(example)}'{hint}"
    )


class Unfamiliar:
    """Counts, chunk after chunk, unseen categories, missing cells, and rows without any value.

    Numbers without the unit that they were written with in training are noted, too: where a file or
    a data frame has them as numbers, nothing shows that they are in that unit.

    Args:
        reader: What reads the rows.
    """

    def __init__(self, reader: TableReader) -> None:
        self._reader = reader
        self._rows = 0
        self._unseen: Counter[str] = Counter()
        self._examples: dict[str, str] = {}
        self._missing: Counter[str] = Counter()
        self._far: Counter[str] = Counter()
        ends = [(column.low, column.high) for column in reader.numeric]
        self._familiar = _Familiar(ends, [not column.is_date for column in reader.numeric])
        self._blank = 0
        self._first_blank = ""
        self._are_numbers: set[str] = set()  # columns, in some rows, as in the next
        self._beyond_one: set[str] = set()

    def add(
        self, prepared: pl.DataFrame, raw: Sequence[Tensor], place: Callable[[int], str]
    ) -> None:
        """Look at some more rows.

        Args:
            prepared: The rows, as the reader prepares them.
            raw: What it has made of them for the encoder.
            place: Where a row stands, for a message, by its index.
        """
        numbers, codes = raw
        for name, cells in self._reader.unseen(prepared).items():
            self._unseen[name] += len(cells)
            self._examples.setdefault(name, cells[0])
        self._are_numbers.update(prepared.select(pl.selectors.numeric()).columns)
        # In the order of the reader's columns of both kinds.
        missing = torch.cat([numbers.isnan(), codes == MISSING], dim=1)
        counts = missing.sum(dim=0).tolist()
        self._missing.update(dict(zip(self._names, counts, strict=True)))
        counts_far = self._familiar.count_far(numbers)
        for column, far in zip(self._reader.numeric, counts_far, strict=True):
            self._far[column.name] += far
        are_beyond = (numbers.abs() > 1).any(dim=0).tolist()
        self._beyond_one.update(compress((c.name for c in self._reader.numeric), are_beyond))
        blank = missing.all(dim=1).nonzero().flatten().tolist()
        if blank and not self._blank:
            self._first_blank = place(blank[0])
        self._blank += len(blank)
        self._rows += len(numbers)

    def sentences(self) -> Iterator[str]:
        """What to tell a person, a sentence for each column and one for the rows."""
        for name, count in self._unseen.items():
            yield _unseen(self._reader, name, count, self._examples[name])
        for column in self._reader.columns:
            count, start = self._missing[column.name], f"column '{column.name}'"
            if count and not _may_miss(column):
                cells = f"{count:,} of {self._rows:,} cells {'is' if count == 1 else 'are'} missing"
                yield f"{start}: {cells}, but none was in training"
            elif count == self._rows > 1:
                yield f"{start}: all {count:,} cells are missing, but not all were in training"
        for column in self._reader.numeric:
            present = self._rows - self._missing[column.name]
            if self._far[column.name] * 2 > present:
                way_out = "" if column.is_date else "; are they in another unit?"
                yield (
                    f"column '{column.name}': {self._far[column.name]:,} of {present:,} "
                    f"{'dates' if column.is_date else 'numbers'} lie far outside those of "
                    f"training{way_out}"
                )
            if column.name in self._are_numbers and (unit := unit_of(column.number_format or "")):
                may_be_shares = column.name not in self._beyond_one
                yield without_unit(f"column '{column.name}'", unit, may_be_shares=may_be_shares)
        for category in self._reader.categorical:
            # What came as numbers cannot tell 1.10 from 1.1.
            if category.name in self._are_numbers and category.written_as == "text":
                names = pl.Series(category.categories, dtype=pl.String)
                if hold_one_number_twice(names, "."):
                    yield (
                        f"column '{category.name}': it holds numbers, but training told texts "
                        "apart that are one number, such as 1.1 and 1.10; give it as text"
                    )
        if self._blank:
            which = "in" if self._blank == 1 else "the first in"
            yield (
                f"{self._blank:,} {'row has' if self._blank == 1 else 'rows have'} no value in any "
                f"column that is used, {which} {self._first_blank}"
            )

    @property
    def _names(self) -> list[str]:
        columns: list[Column] = [*self._reader.numeric, *self._reader.categorical]
        return [column.name for column in columns]


class _Familiar:
    """The numbers that are no surprise after those of training.

    Args:
        ends: The lowest and the highest of each column; those of the first versions tell none.
        have_units: Whether a column's numbers may come in another unit, as dates do not.
    """

    def __init__(
        self, ends: Sequence[tuple[float | None, float | None]], have_units: Sequence[bool]
    ) -> None:
        told = [
            (-math.inf if low is None else low, math.inf if high is None else high)
            for low, high in ends
        ]
        low, high = torch.tensor(told, dtype=torch.float64).reshape(-1, 2).T
        margin = _MARGIN * (high - low)
        self._low, self._high = low - margin, high + margin
        # How near to 0: no unit makes another sign, and of most columns it is 0.
        sizes = [
            sorted((abs(low or 0.0), abs(high or 0.0)))
            if has_unit and (low or 0.0) * (high or 0.0) > 0
            else (0.0, 0.0)
            for (low, high), has_unit in zip(ends, have_units, strict=True)
        ]
        of_one_order = [least if most <= _ORDER * least else 0.0 for least, most in sizes]
        self._smallest = _SMALL * torch.tensor(of_one_order, dtype=torch.float64)

    def count_far(self, numbers: Tensor) -> list[int]:
        """How many numbers `(rows, columns)` of each column are a surprise; 0 is 0 in any unit."""
        is_far = (numbers < self._low) | (numbers > self._high)
        is_far |= (numbers != 0) & (numbers.abs() < self._smallest)
        counts: list[int] = is_far.sum(dim=0).tolist()
        return counts


def _may_miss(column: Column) -> bool:
    """Whether some cells of a column were missing in training."""
    return (
        column.has_missing if isinstance(column, NumericColumn) else MISSING in column.trained_codes
    )
