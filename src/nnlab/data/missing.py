"""What counts as a missing value in a file, and the setting by which more words do."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import polars as pl

from nnlab.data.chunks import count_missing
from nnlab.data.columns.number_grammar import as_number
from nnlab.data.csv.dialect import find_dialect
from nnlab.data.csv.options import CsvOptions
from nnlab.data.parquet import is_parquet
from nnlab.suggestions import few, setting

# What counts as missing is counted in files of up to so many bytes.
_SMALL_FILE = 2**26


def no_longer_missing(before: Sequence[str], stated: Sequence[str]) -> list[str]:
    """A sentence if a setting for another file lacks what was missing in that of training.

    Args:
        before: What was missing there.
        stated: What the setting says.
    """
    lost = [word for word in before if word and word not in stated]
    if not lost:
        return []
    return [f"by data.null_values, not missing as in training: {few(lost)}"]


class MissingValues:
    """The missing values of a file.

    Args:
        path: The file.
        options: How it is written.
        spellings: What counts as missing in it.
        beside: Those of another file that is read by the same settings; None for none.
    """

    def __init__(
        self,
        path: Path,
        options: CsvOptions,
        spellings: Sequence[str],
        beside: "MissingValues | None" = None,
    ) -> None:
        self._path = path
        self._options = options
        self._spellings = spellings
        self._beside = beside

    @property
    def is_uncounted(self) -> bool:
        """Whether nothing is counted: the file takes long to read as text, or has none."""
        return is_parquet(self._path) or self._path.stat().st_size > _SMALL_FILE

    def count(self, columns: Sequence[pl.Series]) -> dict[str, dict[str, int]]:
        """How often each spelling occurs in some columns of the file; nothing if `is_uncounted`.

        Args:
            columns: What was read of them; in those of numbers, -999.0 is -999.
        """
        if self.is_uncounted or not columns:
            return {}
        numbers = [values.name for values in columns if values.dtype.is_numeric()]
        names = [values.name for values in columns]
        return count_missing(self._path, self._options, names, self._spellings, numbers=numbers)

    @cached_property
    def in_use(self) -> list[str]:
        """The words that are missing values in this file; all that may be if `is_uncounted`."""
        words = [word for word in self._spellings if word]
        if self.is_uncounted:
            return words
        names = find_dialect(self._path, self._options, is_told=False).names
        found = count_missing(self._path, self._options, names, self._spellings)
        spelled = set().union(*found.values())
        # A number may be written otherwise in the file.
        return [word for word in words if word in spelled or as_number(word) is not None]

    def setting(self, words: Sequence[str]) -> str:
        """The setting by which words count as missing, too."""
        beside = [] if self._beside is None else self._beside.in_use
        return setting("data.null_values", list(dict.fromkeys([*beside, *self.in_use, *words])))
