"""What a person should know of validation and test rows that have files of their own."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl
from torch import Tensor

from nnlab.data.columns.learned import NumericColumn
from nnlab.data.columns.plain_data import from_plain
from nnlab.data.copies import MOST_ROWS, count_shared
from nnlab.data.labelled import LabelledTable
from nnlab.data.table_rows import TableReader
from nnlab.data.table_split import TableSplit
from nnlab.data.unfamiliar import unfamiliar_sentences


def warn_of_other_files(
    table: LabelledTable,
    rows: Mapping[str, Tensor],
    others: Mapping[str, LabelledTable],
    names: Sequence[str],
    split: TableSplit,
    preprocessing: Mapping[str, Any],
) -> list[str]:
    """A sentence on all that makes rows of other files too easy, or unlike those of training.

    Args:
        table: The table of the training rows.
        rows: Which of its rows each split has.
        others: The tables of `val` and `test`, where they have files of their own.
        names: The columns by which rows are the same.
        split: How the table is split.
        preprocessing: What was learned.
    """
    sentences = []
    for name, other in others.items():
        found = [
            *_shared_rows(table, rows, others, names, name),
            *_known_groups(table, rows["train"], other.frame, split.group),
            *_early_rows(table, rows["train"], other.frame, split.time, preprocessing),
            *unfamiliar_sentences(TableReader(preprocessing), other.frame, other.place),
        ]
        sentences += [f"{other.path.name}: {sentence}" for sentence in found]
    return sentences


def _shared_rows(
    table: LabelledTable,
    rows: Mapping[str, Tensor],
    others: Mapping[str, LabelledTable],
    names: Sequence[str],
    name: str,
) -> Iterator[str]:
    if len(table.frame) > MOST_ROWS:
        return
    parts = {part: table.frame[index.numpy()] for part, index in rows.items()}
    parts |= {part: other.frame for part, other in others.items()}
    count = len(parts[name])
    if shared := count_shared(parts["train"], parts[name], names):
        are = "row is a training row" if shared == 1 else "rows are training rows"
        yield (
            f"{shared:,} of {count:,} {are}, too, which flatters the metrics; unless they are "
            "cases of their own, take them out of one of the files"
        )
    is_last = name == "test" or "test" not in others  # told once if both have their own
    if is_last and (shared := count_shared(parts["val"], parts["test"], names)):
        are = "row is a validation row" if shared == 1 else "rows are validation rows"
        yield (
            f"{shared:,} of {len(parts['test']):,} test {are}, too, by which the best epoch is "
            "chosen, which flatters the test metrics; unless they are cases of their own, take "
            "them out of one of the two"
        )


def _known_groups(
    table: LabelledTable, train: Tensor, other: pl.DataFrame, group: str | None
) -> Iterator[str]:
    if group is None or group not in other.columns:
        return
    known = table.frame.get_column(group).gather(train.numpy()).cast(pl.String).drop_nulls()
    is_known = other.get_column(group).cast(pl.String).is_in(known.unique().implode())
    if count := int(is_known.sum()):
        yield (
            f"{count:,} of {len(other):,} rows have a '{group}' that training rows have, too, "
            "which flatters the metrics if new rows will be of others"
        )


def _early_rows(
    table: LabelledTable,
    train: Tensor,
    other: pl.DataFrame,
    time: str | None,
    preprocessing: Mapping[str, Any],
) -> Iterator[str]:
    for column in from_plain(preprocessing["columns"]):
        if column.name != time or not isinstance(column, NumericColumn):
            continue
        last = column.read(table.frame.get_column(time).gather(train.numpy())).max()
        if count := int((column.read(other.get_column(time)) <= last).sum()):
            yield (
                f"{count:,} of {len(other):,} rows are no later than the last training row by "
                f"'{time}', so they do not tell how later ones are predicted"
            )
