"""Rows of a table, or of two, that are the same."""

from collections.abc import Mapping, Sequence

import polars as pl
from torch import Tensor

from nnlab.data.columns.kinds import ColumnKind
from nnlab.data.parquet import is_nested

MOST_ROWS = 500_000
"""Tables of more are not looked through, for it would take longer than to read them."""
# Where a number is another one in so many rows, rows with the same cells are no chance.
_TELLING = 0.25


def compared_columns(
    frame: pl.DataFrame, kinds: Sequence[ColumnKind], target: str, rows: int
) -> list[str]:
    """The columns by which rows are the same: all, or those that are used where these will do.

    An identifier or a column that is left out may differ between copies, but where a used column
    of numbers or dates hardly ever repeats, rows that are alike in all used ones are copies.

    Args:
        frame: The table.
        kinds: What its columns hold.
        target: Name of the target column.
        rows: In how many rows the kinds' distinct values were counted.
    """
    used = [kind for kind in kinds if kind.is_used]
    is_telling = any(
        kind.kind in ("numeric", "date") and kind.distinct > _TELLING * rows for kind in used
    )
    names = {target, *(kind.name for kind in used)} if is_telling else set(frame.columns)
    return [v.name for v in frame if v.name in names and not is_nested(v)]


def warn_of_copies(
    frame: pl.DataFrame, rows: Mapping[str, Tensor], names: Sequence[str]
) -> list[str]:
    """A sentence on rows that are there more than once, if there are any.

    Args:
        frame: The table.
        rows: The rows of each split that comes out of it.
        names: The columns that are compared.
    """
    if len(frame) > MOST_ROWS:
        return []
    hashes = frame.select(map(frame.get_column, names)).hash_rows()
    copies = len(hashes) - hashes.n_unique()
    if copies == 0:
        return []
    there = hashes[rows["train"].numpy()].unique()
    held_out = [hashes[index.numpy()] for name, index in rows.items() if name != "train"]
    seen = sum(int(part.is_in(there.implode()).sum()) for part in held_out)
    repeat = "repeats" if copies == 1 else "repeat"
    which = "cell by cell" if len(names) == frame.width else "in all columns that are used"
    flattered = f"; {seen:,} held out are training rows, too, which flatters the metrics"
    return [
        f"{copies:,} of {len(frame):,} rows {repeat} another one {which}"
        f"{flattered if seen else ''}; unless they are cases of their own, take them out of the "
        "file"
    ]


def count_shared(frame: pl.DataFrame, other: pl.DataFrame, names: Sequence[str]) -> int:
    """How many rows of another table are in the first; 0 where a column is missing there.

    Args:
        frame: A table.
        other: Another one.
        names: The columns that are compared.
    """
    if max(len(frame), len(other)) > MOST_ROWS or not set(names) <= set(other.columns):
        return 0
    there = _text_hashes(frame, names).unique()
    return int(_text_hashes(other, names).is_in(there.implode()).sum())


def _text_hashes(frame: pl.DataFrame, names: Sequence[str]) -> pl.Series:
    # As text, because an enumeration of one file has other numbers in another.
    plain = frame.select(map(frame.get_column, names))
    numbers = plain.select(pl.selectors.numeric().cast(pl.Float64))
    return plain.with_columns(numbers.get_columns()).cast(pl.String).hash_rows()
