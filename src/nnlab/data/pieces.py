"""Large tables a piece at a time: learning their columns, and encoding their rows."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch import Tensor

from nnlab.data.columns.cell_error import CellError
from nnlab.data.columns.encoder import RowEncoder
from nnlab.data.columns.fitting import fit_columns
from nnlab.data.columns.inferred_kinds import infer_kinds
from nnlab.data.columns.kinds import ColumnKind
from nnlab.data.columns.learned import Column, read_rows
from nnlab.data.columns.said_kinds import check_names
from nnlab.data.storage import Storage
from nnlab.data.threads import count_threads, map_in_threads

# Rows that a thread encodes at a time, and inputs of all threads: few enough to spare memory, and
# so many that threads seldom wait for Python's lock. No powers of two, which would put all cells of
# a row in the same few places of the processor's cache.
_ROWS, _INPUTS = 50_000, 6_000_000


def learn_columns(
    frame: pl.DataFrame,
    is_train: NDArray[np.bool_],
    *,
    said: Mapping[str, str],
    drop: Sequence[str],
    scaling: str,
    max_one_hot: int | None,
    decimal: str,
    keeps_times: bool,
) -> tuple[list[ColumnKind], list[Column]]:
    """What the columns of a table hold, and what is learned of those that are used.

    Args:
        frame: The features of all rows.
        is_train: Which of the rows are learned from, `(rows,)`.
        said: Kinds by column name, where they are not to be inferred.
        drop: Names of columns to leave out.
        scaling: How numbers are scaled.
        max_one_hot: The most categories of a column that is one-hot; None for what `fit_columns`
            says.
        decimal: The decimal mark of plain numbers in the file.
        keeps_times: Whether there is memory for the `times` of all kinds.

    Raises:
        ValueError: A name is no column's, or a kind does not suit its values.
        CellError: A cell of a training row cannot be read; its row is one of all rows.
    """
    check_names(frame.columns, said=said, drop=drop)
    keep = pl.Series(is_train)

    def learn(name: str) -> tuple[ColumnKind, list[Column]]:
        whole = frame.get_column(name).to_frame()  # `select` would take * for all columns
        rows = whole.filter(keep)
        (kind,) = infer_kinds(
            rows,
            said={name: said[name]} if name in said else {},
            drop=[name] if name in drop else [],
            whole=whole,
            decimal=decimal,
        )
        if kind.times is not None:
            rows = kind.times.to_frame().filter(keep)
        columns = fit_columns(rows, [kind], scaling=scaling, max_one_hot=max_one_hot)
        return kind if keeps_times else replace(kind, times=None), columns

    # One at a time: copies of several would have to find fresh memory, which takes longer than
    # to learn from them.
    try:
        learned = list(map_in_threads(learn, frame.columns))
    except CellError as error:
        error.row = int(np.flatnonzero(is_train)[error.row])
        raise
    return (
        [kind for kind, _ in learned],
        [column for _, columns in learned for column in columns],
    )


def encode_table(
    frame: pl.DataFrame,
    columns: Sequence[Column],
    encoder: RowEncoder,
    parts: Sequence[Tensor],
    storage: Storage,
) -> list[Tensor]:
    """Parts of a table as inputs.

    Args:
        frame: The table.
        columns: What was learned of its columns.
        encoder: Made for these columns.
        parts: The rows of each part, `(rows,)`, sorted.
        storage: Where the inputs are kept.

    Returns:
        The inputs of each part, `(rows, inputs)`, float32.

    Raises:
        ValueError: A column is not there.
        CellError: A cell is not what it was in training.
    """
    width = encoder.out_features
    inputs = storage.inputs([len(rows) for rows in parts], width)
    at_a_time = max(1, min(_ROWS, _INPUTS // count_threads() // max(width, len(columns))))

    def encode(start: int) -> None:
        block = frame[start : start + at_a_time]
        try:
            raw = map(torch.from_numpy, read_rows(block, columns))
        except CellError as error:
            error.row += start
            raise
        encoded = encoder(*raw)
        # At once to where they belong: a copy of the whole table would cost time and memory.
        for rows, x in zip(parts, inputs, strict=True):
            first, last = np.searchsorted(rows.numpy(), (start, start + len(block))).tolist()
            torch.index_select(encoded, 0, rows[first:last] - start, out=x[first:last])

    for _ in map_in_threads(encode, range(0, len(frame), at_a_time)):
        pass  # raises what went wrong, the first block first
    return inputs
