"""The columns of text of a CSV file, put together while it is read."""

from collections.abc import Sequence
from threading import Lock

import polars as pl

# Among many more texts, looking one up takes several times as long.
_MOST_WORDS = 2**12
# So many different texts are few in any table.
_FEW_WORDS = 2**8


class TextColumns:
    """Makes an enumeration of each column that has few different texts, and nulls of missing ones.

    The cells of an enumeration are small numbers, in place of 16 bytes or more; what there is to
    know of a text is worked out once. Identifiers, free text and the like stay strings. Which
    columns do is the same whenever a file is read.

    Args:
        missing: The spellings of a missing value.
    """

    def __init__(self, missing: Sequence[str]) -> None:
        self._missing = missing
        self._longest_missing = max((len(spelling.encode()) for spelling in missing), default=-1)
        self._lock = Lock()
        # By column the texts so far, in their order; None where they are many.
        self._words: dict[str, pl.Enum | None] = {}

    def read(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The columns of text of a piece; of the first before any other, then several at once."""
        columns = [self._read_column(cells) for cells in frame.select(pl.selectors.string())]
        # Columns in chunks of different lengths would all be copied when the table is whole.
        return frame.with_columns(columns).rechunk() if columns else frame

    def types(self, frame: pl.DataFrame) -> dict[str, pl.DataType]:
        """What the columns of text are when all pieces are read: enumerations in order, or not.

        Args:
            frame: A piece.
        """
        names = frame.select(pl.selectors.by_dtype(pl.String, pl.Enum)).columns
        return {name: self._words.get(name, pl.Enum([])) or pl.String() for name in names}

    def _read_column(self, cells: pl.Series) -> pl.Series:
        words = self._words.get(cells.name, pl.Enum([]))
        if words is None:
            return self._without_missing(cells)
        numbered = cells.cast(words, strict=False)
        new = pl.Series(dtype=pl.String)
        if numbered.null_count() > cells.null_count():
            new = cells.filter(numbered.is_null() & cells.is_not_null()).unique()
            new = new.filter(~new.is_in(self._missing))
        if new.is_empty():
            # Known from now on: how many texts are too many must not hang on which piece happens
            # to be the first that has some.
            self._words.setdefault(cells.name, words)
            return numbered
        words = self._extend(cells.name, new, len(cells))
        return self._without_missing(cells) if words is None else cells.cast(words, strict=False)

    def _extend(self, name: str, new: pl.Series, rows: int) -> pl.Enum | None:
        """The texts of a column with new ones among them; None if that makes too many."""
        with self._lock:
            words = self._words.get(name, pl.Enum([]))
            if words is not None:
                # Another thread may have been quicker with some.
                new = new.filter(~new.is_in(words.categories.to_list()))
                most = _MOST_WORDS if name in self._words else min(_MOST_WORDS, rows // 2)
                words = pl.Enum(
                    pl.concat([words.categories, new.alias(words.categories.name)]).sort()
                )
                if len(words.categories) > max(most, _FEW_WORDS):
                    words = None
            self._words[name] = words
        return words

    def _without_missing(self, cells: pl.Series) -> pl.Series:
        shortest = cells.str.len_bytes().min()
        if isinstance(shortest, int) and shortest > self._longest_missing:
            return cells  # such as dates; to compare them would take three times as long
        is_missing = cells.is_in(self._missing)
        return cells.set(is_missing, None) if is_missing.any() else cells
