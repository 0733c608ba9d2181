"""What a person should know of validation and test rows that have files of their own."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl
from torch import Tensor

from nnlab.data.columns.date_inference import find_formats, moments
from nnlab.data.columns.words import is_text
from nnlab.data.copies import MOST_ROWS, comparable_text, count_shared
from nnlab.data.labelled import LabelledTable
from nnlab.data.parquet import is_nested
from nnlab.data.table_rows import TableReader
from nnlab.data.table_split import TableSplit
from nnlab.data.unfamiliar import unfamiliar_sentences, unfamiliar_target


def warn_of_other_files(
    table: LabelledTable,
    rows: Mapping[str, Tensor],
    others: Mapping[str, LabelledTable],
    targets: Mapping[str, Tensor],
    split: TableSplit,
    preprocessing: Mapping[str, Any],
) -> list[str]:
    """A sentence on all that makes rows of other files too easy, or unlike those of training.

    Args:
        table: The table of the training rows.
        rows: Which of its rows each split has.
        others: The tables of `val` and `test`, where they have files of their own.
        targets: Those of `val` and `test`, as `scale_targets` gives them, `(rows,)`.
        split: How the table is split.
        preprocessing: What was learned.
    """
    names = preprocessing["known_rows"]["columns"]

    def part(name: str) -> pl.DataFrame:
        frame = others[name].frame if name in others else table.frame
        there = frame.select(map(frame.get_column, (n for n in names if n in frame.columns)))
        if name in others:
            return there
        # Of more rows nothing is told, and to take them would need memory.
        return there[rows[name][: MOST_ROWS + 1].numpy()]

    sentences = []
    for name, other in others.items():
        # Told once if both have their own.
        is_last = name == "test" or "test" not in others
        found = [
            *_rows_of_training(part("train"), part(name), names),
            *(_rows_of_validation(part("val"), part("test"), names) if is_last else ()),
            *_known_groups(table.frame, rows["train"], other.frame, split.group),
            *_early_rows(table.frame, rows["train"], other.frame, split),
            *unfamiliar_sentences(TableReader(preprocessing), other.frame, other.place),
            *unfamiliar_target(targets[name], preprocessing),
        ]
        sentences += [f"{other.path.name}: {sentence}" for sentence in found]
    return sentences


def _rows_of_training(
    train: pl.DataFrame, other: pl.DataFrame, names: Sequence[str]
) -> Iterator[str]:
    if shared := count_shared(train, other, names):
        are = "row is a training row" if shared == 1 else "rows are training rows"
        yield (
            f"{shared:,} of {len(other):,} {are}, too, which flatters the metrics; take such rows "
            "out of one of the files, unless they are cases of their own"
        )


def _rows_of_validation(
    val: pl.DataFrame, test: pl.DataFrame, names: Sequence[str]
) -> Iterator[str]:
    if shared := count_shared(val, test, names):
        are = "row is a validation row" if shared == 1 else "rows are validation rows"
        yield (
            f"{shared:,} of {len(test):,} test {are}, too, by which the best epoch is chosen, "
            "which flatters the test metrics; take such rows out of one of the two, unless they "
            "are cases of their own"
        )


def _known_groups(
    frame: pl.DataFrame, train: Tensor, other: pl.DataFrame, group: str | None
) -> Iterator[str]:
    if group is None or group not in other.columns or is_nested(other[group]):
        return
    known = comparable_text(frame.get_column(group).gather(train.numpy())).drop_nulls().unique()
    count = int(comparable_text(other.get_column(group)).is_in(known.implode()).sum())
    if count:
        has = "row has" if count == 1 else "rows have"
        yield (
            f"{count:,} of {len(other):,} {has} a '{group}' that training rows have, too, which "
            "flatters the metrics if new rows will be of others"
        )


def _early_rows(
    frame: pl.DataFrame, train: Tensor, other: pl.DataFrame, split: TableSplit
) -> Iterator[str]:
    if split.time is None or split.time not in other.columns:
        return
    learned = frame.get_column(split.time).gather(train.numpy()).drop_nulls()
    given = other.get_column(split.time).drop_nulls()
    if given.is_empty() or learned.is_empty():
        return
    pattern = split.time_format
    if pattern is None and is_text(learned):
        # Those of the other file alone might leave open which is the day, and which the month.
        pattern = next(iter(find_formats(learned)), None)
    try:
        last = moments(learned, pattern).max()
        times = moments(given, pattern)
    except ValueError:
        return  # no times by which anything is split
    if count := int((times <= last).sum()):
        is_no_later = "row is no later" if count == 1 else "rows are no later"
        yield (
            f"{count:,} of {len(other):,} {is_no_later} than the last training row by "
            f"'{split.time}', so they do not tell how later ones are predicted"
        )
