"""Rows of a table, or of two, that are the same."""

from collections.abc import Mapping, Sequence

import polars as pl
from torch import Tensor

from nnlab.data.columns.kinds import ColumnKind
from nnlab.data.columns.sampling import spread_sample
from nnlab.data.columns.spelling import number_text
from nnlab.data.parquet import is_nested

MOST_ROWS = 500_000
"""Tables of more are not looked through, for it would take longer than to read them."""
# So many pairs of rows may be alike by chance; and the rows that tell how many are.
_BY_CHANCE, _SAMPLE = 1e-3, 10_000


def compared_columns(frame: pl.DataFrame, kinds: Sequence[ColumnKind], target: str) -> list[str]:
    """The columns by which rows are the same: all, or those that are used where these will do.

    An identifier may differ between copies; but without it, rows may be alike that are none. So it
    is left out only where the used columns are so various that no two rows are alike by chance.

    Args:
        frame: The table; of more than `MOST_ROWS` rows, which are not compared, all columns.
        kinds: What its columns hold.
        target: Name of the target column.
    """
    every = [values.name for values in frame if is_plain(values)]
    if len(frame) > MOST_ROWS:
        return every
    used = {target, *(kind.name for kind in kinds if kind.is_used)}
    names = [name for name in every if name in used]
    sample = spread_sample(len(frame), _SAMPLE)
    pairs_alike = len(frame) * (len(frame) - 1) / 2
    for name in names:  # as if they were independent of each other
        pairs_alike *= _share_of_pairs(frame.get_column(name).gather(sample))
    return names if pairs_alike < _BY_CHANCE else every


def _share_of_pairs(values: pl.Series) -> float:
    """The share of all pairs of rows that have the same value."""
    counts = values.alias("value").value_counts(name="rows")["rows"].cast(pl.Float64)
    return float((counts * (counts - 1)).sum()) / max(1, len(values) * (len(values) - 1))


def warn_of_copies(
    frame: pl.DataFrame, rows: Mapping[str, Tensor], names: Sequence[str]
) -> list[str]:
    """A sentence on rows that are there more than once, if there are any.

    Args:
        frame: The table; of more than `MOST_ROWS` rows nothing is told.
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
    are_all = all(values.name in names for values in frame if is_plain(values))
    which = "cell by cell" if are_all else "in all columns that are used"
    flattered = f"; {seen:,} held out are training rows, too, which flatters the metrics"
    return [
        f"{copies:,} of {len(frame):,} rows {repeat} another one {which}"
        f"{flattered if seen else ''}; unless they are cases of their own, take them out of the "
        "file"
    ]


def count_shared(frame: pl.DataFrame, other: pl.DataFrame, names: Sequence[str]) -> int:
    """How many rows of another table are in the first; 0 of more than `MOST_ROWS` in one of them.

    Args:
        frame: A table.
        other: Another one; where it lacks a column, no row is shared.
        names: The columns that are compared, but for those that hold lists or bytes.
    """
    if max(len(frame), len(other)) > MOST_ROWS or not set(names) <= set(other.columns):
        return 0
    names = [name for name in names if is_plain(frame[name]) and is_plain(other[name])]
    there = _hash(frame, names).unique()
    return int(_hash(other, names).is_in(there.implode()).sum())


def _hash(frame: pl.DataFrame, names: Sequence[str]) -> pl.Series:
    # A list: of an iterator polars takes no more than 1000 columns.
    return pl.DataFrame([comparable_text(frame.get_column(name)) for name in names]).hash_rows()


def comparable_text(values: pl.Series) -> pl.Series:
    """Cells as texts that are the same in two files if the cells are.

    An enumeration of one file has other numbers in another, and what is 1 in one may be 1.0 in
    another.
    """
    if values.dtype.is_numeric():
        return number_text(values)
    return values.cast(pl.Int64 if values.dtype == pl.Duration else values.dtype).cast(pl.String)


def is_plain(values: pl.Series) -> bool:
    """Whether cells can be compared: they are no lists and no bytes."""
    return not is_nested(values) and values.dtype != pl.Binary
