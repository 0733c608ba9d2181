"""What a person should know of a table before a network learns from it."""

from collections.abc import Mapping, Sequence

import polars as pl
import torch
from torch import Tensor

from nnlab.data.cell_warnings import (
    warn_of_future_dates,
    warn_of_odd_cells,
    warn_of_open_dates,
    warn_of_sentinels,
    warn_of_zones,
)
from nnlab.data.columns.kinds import ColumnKind
from nnlab.data.columns.learned import CategoricalColumn, Column
from nnlab.data.columns.odd_cells import shorten, spell_out
from nnlab.data.columns.sampling import spread_sample
from nnlab.data.columns.spelling import boolean_text
from nnlab.data.columns.words import different_texts, is_text
from nnlab.data.copies import warn_of_copies
from nnlab.data.labelled import LabelledTable
from nnlab.data.leakage import find_leaks
from nnlab.data.names import as_seen
from nnlab.suggestions import setting

# A column that gives the target away does so in any sample.
_LEAK_SAMPLE = 20_000
# In larger tables, rows are not compared with each other.
_MOST_ROWS = 500_000
# With fewer rows, one may well be as far out as all others together.
_FEW_ROWS = 20
_MOST_OF_SPREAD = 0.5
# To compare more names takes its time, and nobody would mend so many.
_MOST_CATEGORIES = 10_000


def warn_of_table(
    table: LabelledTable,
    targets: Tensor,
    rows: Mapping[str, Tensor],
    kinds: Sequence[ColumnKind],
    columns: Sequence[Column],
    class_names: Sequence[str],
    *,
    compared: Sequence[str],
    drop: Sequence[str],
) -> list[str]:
    """All that there is to warn of, a sentence each.

    Args:
        table: The table.
        targets: Indices of classes, or numbers, `(rows,)`.
        rows: The rows of each split that comes out of it.
        kinds: What its columns hold.
        columns: What was learned of those that are used.
        class_names: The classes; none for regression.
        compared: The columns by which rows are the same.
        drop: What is left out already.
    """
    train, target, has_classes = rows["train"], table.target.name, bool(class_names)
    # The targets of millions of rows are not gathered for nothing.
    labels = {name: targets[split] for name, split in rows.items()} if has_classes else {}
    return [
        *warn_of_similar_names(f"classes of '{target}'", class_names),
        *warn_of_similar_categories(columns),
        *warn_of_unlearned_classes(target, class_names, labels),
        *warn_of_untested_classes(target, class_names, labels),
        *([] if has_classes else warn_of_lone_target(table, targets)),
        *warn_of_odd_cells(table, kinds),
        *warn_of_sentinels(table, kinds, classes=has_classes),
        *warn_of_open_dates(kinds),
        *warn_of_future_dates(kinds),
        *warn_of_zones(table.frame, kinds),
        *warn_of_leaks(table, columns, targets, train, classes=has_classes, drop=drop),
        *warn_of_copies(table.frame, rows, compared),
    ]


def warn_of_lone_target(table: LabelledTable, targets: Tensor) -> list[str]:
    """A sentence on a number so far out that the others hardly count: a mistake, or their sum."""
    if len(targets) < _FEW_ROWS:
        return []
    count = len(targets)
    variance, mean = map(float, torch.var_mean(targets, correction=0))
    numbers = targets.numpy()  # which finds the ends several times as fast
    ends = [int(numbers.argmin()), int(numbers.argmax())]
    row = max(ends, key=lambda end: abs(float(targets[end]) - mean))
    # From the mean of the others, and what these are from it.
    alone = ((float(targets[row]) - mean) * count / (count - 1)) ** 2
    others = max(0.0, variance * count - alone * (count - 1) / count)
    share = alone / (alone + others or 1.0)
    if share <= _MOST_OF_SPREAD:
        return []
    place = f" in {table.place(row)}" if len(targets) <= _MOST_ROWS else ""
    lowest = float(targets[ends[0]])
    logarithm = "the logarithm" if lowest > 0 else "log(1 + y)"
    return [
        f"'{table.target.name}' is {float(targets[row]):,.10g}{place}, which makes {share:.1%} of "
        "its spread, so the other rows hardly count; mend it, or take the row out if it sums up "
        "others" + f", or predict {logarithm}" * (lowest >= 0)
    ]


def warn_of_leaks(
    table: LabelledTable,
    columns: Sequence[Column],
    targets: Tensor,
    train: Tensor,
    *,
    classes: bool,
    drop: Sequence[str],
) -> list[str]:
    """A sentence for each column that gives the target away.

    Args:
        table: The table.
        columns: The columns that are used.
        targets: Indices of classes, or numbers, `(rows,)`.
        train: The training rows.
        classes: Whether the targets are classes.
        drop: What is left out already.
    """
    sample = train[torch.from_numpy(spread_sample(len(train), _LEAK_SAMPLE))]
    used = pl.DataFrame([table.frame.get_column(column.name) for column in columns])
    leaks = find_leaks(
        used[sample.numpy()], columns, targets[sample].double().numpy(), classes=classes
    )
    target = table.target.name
    return [
        f"'{name}' gives '{target}' away: on its own it predicts {share:.1%} of it; if it will not "
        f"be known when predicting, leave it out with {setting('data.drop', [*drop, name])}"
        for name, share in leaks.items()
    ]


def warn_of_unlearned_classes(
    target: str, class_names: Sequence[str], targets: Mapping[str, Tensor]
) -> list[str]:
    """A sentence on classes that no training row has, if there are any.

    Args:
        target: The name of the target.
        class_names: The classes; none for regression.
        targets: Indices of classes, `(rows,)`, of `train`.
    """
    if not class_names:
        return []
    counts = torch.bincount(targets["train"], minlength=len(class_names)).tolist()
    gone = [f"'{name}'" for name, count in zip(class_names, counts, strict=True) if count == 0]
    if not gone:
        return []
    return [
        f"no training row of '{target}' is {' or '.join(gone[:5])}, so that cannot be learned; "
        "split the rows in another way"
    ]


def warn_of_untested_classes(
    target: str, class_names: Sequence[str], targets: Mapping[str, Tensor]
) -> list[str]:
    """A sentence on classes that are learned, but that no row to test or validate on has.

    Args:
        target: The name of the target.
        class_names: The classes; none for regression.
        targets: Indices of classes, `(rows,)`, of `train` and the splits that are asked about.
    """
    if not class_names:
        return []
    counts = {
        split: torch.bincount(indices, minlength=len(class_names)).tolist()
        for split, indices in targets.items()
    }
    sentences = []
    for split, what in (("val", "validation"), ("test", "test")):
        there = zip(class_names, counts["train"], counts.get(split, counts["train"]), strict=True)
        gone = [f"'{shorten(name)}'" for name, learned, held in there if learned > held == 0]
        if gone:
            more = f" or {len(gone) - 5:,} more" if len(gone) > 5 else ""
            sentences.append(
                f"no {what} row of '{target}' is {' or '.join(gone[:5])}{more}, so the metrics of "
                "those rows tell nothing of that; give more such rows, or split them in another way"
            )
    return sentences


def warn_of_similar_categories(columns: Sequence[Column]) -> list[str]:
    """A sentence for each column with categories that differ in next to nothing."""
    return [
        sentence
        for column in columns
        if isinstance(column, CategoricalColumn) and column.written_as == "text"
        if len(column.categories) <= _MOST_CATEGORIES
        for sentence in warn_of_similar_names(f"categories of '{column.name}'", column.categories)
    ]


def warn_of_similar_groups(groups: pl.Series) -> list[str]:
    """A sentence on groups that differ in next to nothing, and so may be on both sides of a split.

    Args:
        groups: The column that rows are split by.
    """
    names = different_texts(groups).unique() if is_text(groups) else groups[:0]
    if len(names) > _MOST_CATEGORIES:
        return []
    return warn_of_similar_names(f"groups of '{groups.name}'", names.sort().to_list())


def warn_of_similar_names(what: str, names: Sequence[str]) -> list[str]:
    """A sentence on names that differ in next to nothing, or say yes and no in several ways.

    Args:
        what: What they name.
        names: All of them.
    """
    spelled = [as_seen(name).replace(" ", "").casefold() for name in names]
    as_booleans = boolean_text(pl.Series(spelled, dtype=pl.String)).to_list()
    # Of letters alone, such as Y, N and F, each may stand for something else.
    has_word = any(len(name) > 1 for name in spelled)
    are_booleans = has_word and set(as_booleans) == {"true", "false"}
    alike: dict[str, list[str]] = {}
    for name, same in zip(names, as_booleans if are_booleans else spelled, strict=True):
        alike.setdefault(same, []).append(name)
    found = [
        " and ".join(f"'{spell_out(name)}'" for name in same) for same in alike.values() if same[1:]
    ]
    if not found:
        return []
    is_seen = len({as_seen(name) for name in names}) == len(names)
    difference = "capitals or blanks" if is_seen else "what no one sees"
    if are_booleans and len(set(spelled)) > 2:
        difference = "how they say yes and no"
    return [
        f"{what} differ only in {difference}: {'; '.join(found[:5])}; if they are the same, spell "
        "them in one way in the file"
    ]
