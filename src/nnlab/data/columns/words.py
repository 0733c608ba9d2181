"""Columns of text, also of few different ones, which polars holds as small numbers."""

from collections.abc import Callable

import numpy as np
import polars as pl
from numpy.typing import NDArray

BLANKS = " \t"
"""Around the text of a cell or a name, quoted or not, these are no part of it."""

_AT_A_TIME, _MANY = 2**16, 2**18


def is_text(values: pl.Series) -> bool:
    """Whether cells are texts, as strings or as an enumeration."""
    return values.dtype in (pl.String, pl.Enum)


def by_word(values: pl.Series, work: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """What `work` makes of a column; of an enumeration, worked out once for each of its texts.

    Args:
        values: Any column.
        work: Makes a cell of each cell, and of a missing one a missing one.
    """
    if not isinstance(values.dtype, pl.Enum):
        return work(values)
    of_words = work(values.dtype.categories.alias(values.name))
    return of_words.gather(values.to_physical()).alias(values.name)


def different_texts(values: pl.Series) -> pl.Series:
    """The texts of a column as strings, without missing ones; of an enumeration each once."""
    if not isinstance(values.dtype, pl.Enum):
        return values.drop_nulls()
    occurs = word_counts(values[:_MANY], values.dtype) > 0
    # Of most large tables, the first rows have them all.
    if len(values) > _MANY and not occurs.all():
        occurs = word_counts(values, values.dtype) > 0
    return values.dtype.categories.alias(values.name).filter(occurs)


def word_counts(values: pl.Series, words: pl.Enum) -> NDArray[np.int64]:
    """How often each text of an enumeration occurs in a column of it, `(texts,)`."""
    places = values.drop_nulls().to_physical().to_numpy()
    counts = np.zeros(len(words.categories), np.int64)
    # A few at a time, because numpy makes 64 bits of each.
    for start in range(0, len(places), _AT_A_TIME):
        counts += np.bincount(places[start : start + _AT_A_TIME], minlength=len(counts))
    return counts
