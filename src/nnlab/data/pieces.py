"""Large tables a piece at a time: learning their columns, and encoding their rows."""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch import Tensor

from nnlab.data.columns import CellError, Column, fit_columns, read_rows
from nnlab.data.encoder import RowEncoder
from nnlab.data.kinds import ColumnKind, check_names, infer_kinds

# Columns that are learned, and rows that are encoded, at a time: few enough to spare memory, and
# for a block of float64 numbers to stay in the processor's cache.
_COLUMNS = 4
_ROWS = 2**15


def learn_columns(
    frame: pl.DataFrame,
    is_train: NDArray[np.bool_],
    *,
    said: Mapping[str, str],
    drop: Sequence[str],
    scaling: str,
    max_one_hot: int,
) -> tuple[list[ColumnKind], list[Column]]:
    """What the columns of a table hold, and what is learned of those that are used.

    Args:
        frame: The features of all rows.
        is_train: Which of the rows are learned from, `(rows,)`.
        said: Kinds by column name, where they are not to be inferred.
        drop: Names of columns to leave out.
        scaling: How numbers are scaled.
        max_one_hot: The most categories of a column that is one-hot.

    Raises:
        ValueError: A name is no column's, or a kind does not suit its values.
        CellError: A cell of a training row cannot be read; its row is one of all rows.
    """
    check_names(frame.columns, said=said, drop=drop)

    def learn(names: list[str]) -> tuple[list[ColumnKind], list[Column]]:
        whole = frame.select(names)
        rows = whole.filter(is_train)
        kinds = infer_kinds(
            rows,
            said={name: said[name] for name in names if name in said},
            drop=[name for name in names if name in drop],
            whole=whole,
        )
        return kinds, fit_columns(rows, kinds, scaling=scaling, max_one_hot=max_one_hot)

    names = frame.columns
    pieces = [names[start : start + _COLUMNS] for start in range(0, len(names), _COLUMNS)]
    try:
        with ThreadPoolExecutor(_threads()) as pool:
            learned = list(pool.map(learn, pieces))
    except CellError as error:
        raise CellError(str(error), int(np.flatnonzero(is_train)[error.row])) from error
    return (
        [kind for kinds, _ in learned for kind in kinds],
        [column for _, columns in learned for column in columns],
    )


def encode_table(frame: pl.DataFrame, columns: Sequence[Column], encoder: RowEncoder) -> Tensor:
    """A table as inputs `(rows, inputs)`, float32.

    Raises:
        ValueError: A column is not there.
        CellError: A cell is not what it was in training.
    """
    x = torch.empty(len(frame), encoder.out_features)

    def encode(start: int) -> None:
        block = frame[start : start + _ROWS]
        try:
            raw = map(torch.from_numpy, read_rows(block, columns))
        except CellError as error:
            raise CellError(str(error), start + error.row) from error
        x[start : start + len(block)] = encoder(*raw)

    # A block gains nothing from threads of torch's own; on a busy machine they would wait for
    # each other many times as long as the work takes.
    with ThreadPoolExecutor(_threads(), initializer=torch.set_num_threads, initargs=(1,)) as pool:
        for _ in pool.map(encode, range(0, len(frame), _ROWS)):
            pass  # raises what went wrong, the first block first
    return x


def _threads() -> int:
    """Threads that share Python's lock; more than a few would wait for it."""
    return min(4, os.cpu_count() or 1)
