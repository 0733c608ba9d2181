"""Which rows are held out."""

import numpy as np
import torch
from torch import Tensor

from nnlab.seeding import stream_seed


def hold_out(
    rows: int,
    *,
    fraction: float,
    seed: int,
    classes: Tensor | None = None,
    groups: Tensor | None = None,
    times: Tensor | None = None,
    left: int = 1,
    order: Tensor | None = None,
) -> Tensor:
    """Choose rows to hold out, the same for the same seed.

    Args:
        rows: Number of rows, >= 2.
        fraction: Share to hold out, in (0, 1); rounded to whole rows, at least one each way.
        seed: Chooses the rows.
        classes: Class index of each row, `(rows,)`, for a stratified choice: each class gives
            its share, as nearly as whole rows allow.
        groups: Group of each row, `(rows,)`: whole groups are held out, as near to the share as
            the next group allows; classes play no part then.
        times: Time of each row, `(rows,)`: the latest rows are held out, and rows of the same
            time stay together; nothing is left to chance then.
        left: The fewest different groups or times to keep, >= 1: two where the rows that are kept
            will be split again.
        order: The `order_to_hold_out` of these rows and this seed, where it is known; of no use
            with groups or times.

    Returns:
        Whether each row is held out, `(rows,)`, bool.

    Raises:
        ValueError: There are too few rows, groups or times to keep some and hold some out.
    """
    if rows < 2:
        raise ValueError(f"a split needs at least 2 rows, got rows={rows}; give more data")
    wanted = count_to_hold_out(rows, fraction)
    held_out = torch.zeros(rows, dtype=torch.bool)
    if times is not None:
        held_out[_latest(times, wanted, left)] = True
    elif groups is not None:
        units = _unit_order(groups, _generator(seed))
        held_out[_whole_units(groups, units, wanted, left)] = True
    else:
        order = order_to_hold_out(rows, seed) if order is None else order
        chosen = order[:wanted] if classes is None else _first_by_turns(order, classes, wanted)
        held_out[chosen] = True
    return held_out


def count_to_hold_out(rows: int, fraction: float) -> int:
    """How many rows `hold_out` holds out at random: the share, but at least one each way."""
    return min(max(1, round(rows * fraction)), rows - 1)


def order_to_hold_out(rows: int, seed: int) -> Tensor:
    """The order `(rows,)` whose first rows `hold_out` holds out; with classes, by turns."""
    return _random_order(rows, _generator(seed))


def take_fold(
    rows: int,
    *,
    fold: int,
    folds: int,
    seed: int,
    classes: Tensor | None = None,
    groups: Tensor | None = None,
) -> Tensor:
    """Choose the rows of one fold of a cross-validation; the folds share out all rows.

    Args:
        rows: Number of rows, >= `folds`.
        fold: Which, in [0, folds).
        folds: How many, >= 2.
        seed: Chooses the folds.
        classes: Class index of each row, `(rows,)`, for stratified folds.
        groups: Group of each row, `(rows,)`; rows of a group share a fold.

    Returns:
        Whether each row is in the fold, `(rows,)`, bool.

    Raises:
        ValueError: There are fewer rows or groups than folds.
    """
    generator = torch.Generator().manual_seed(stream_seed(seed, "folds"))
    units = rows if groups is None else len(torch.unique(groups))
    if units < folds:
        what = "rows" if groups is None else "groups"
        raise ValueError(f"folds must be at most the {units} {what}, got folds={folds}")
    if groups is None:
        order = _random_order(rows, generator)
        start, end = rows * fold // folds, rows * (fold + 1) // folds
        in_fold = torch.zeros(rows, dtype=torch.bool)
        if classes is None:
            in_fold[order[start:end]] = True
        else:
            # Any stretch of an order by turns is stratified.
            in_fold[_first_by_turns(order, classes, end)] = True
            in_fold[_first_by_turns(order, classes, start)] = False
        return in_fold
    order = _unit_order(groups, generator)
    sizes = [0] * folds
    number_of: dict[int, int] = {}
    counts = torch.bincount(groups)
    for group in order.tolist():
        smallest = sizes.index(min(sizes))
        number_of[group] = smallest
        sizes[smallest] += int(counts[group])
    chosen = torch.tensor([group for group, number in number_of.items() if number == fold])
    return torch.isin(groups, chosen)


def places(chosen: Tensor) -> Tensor:
    """The indices of the rows that are chosen, sorted; numpy finds them several times as fast."""
    return torch.from_numpy(np.flatnonzero(chosen.numpy()))


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(stream_seed(seed, "split"))


def _random_order(rows: int, generator: torch.Generator) -> Tensor:
    """The rows shuffled; in 32 bits, which for millions of rows takes two thirds of the time."""
    return torch.randperm(rows, generator=generator, dtype=torch.int32)


def _unit_order(groups: Tensor, generator: torch.Generator) -> Tensor:
    """The different groups in a random order."""
    units = torch.unique(groups)
    if len(units) < 2:
        raise ValueError(
            "data.group must have at least two different values to be split by, got "
            f"{len(units)} in {len(groups)} rows"
        )
    order = torch.randperm(len(units), generator=generator)
    return torch.index_select(units, 0, order)


def _whole_units(groups: Tensor, order: Tensor, wanted: int, left: int) -> Tensor:
    """The rows of the first groups of an order that come nearest to `wanted` rows."""
    counts = torch.bincount(groups)[order]
    most = max(1, len(order) - left)
    sizes = counts.cumsum(0)
    last = int((sizes[:most] - wanted).abs().argmin())
    if sizes[last] > 2 * wanted:
        # A group far too large came early; held out, it would leave little to learn from.
        small_first = torch.argsort(counts > wanted, stable=True)
        order, sizes = order[small_first], counts[small_first].cumsum(0)
        last = int((sizes[:most] - wanted).abs().argmin())
    return places(torch.isin(groups, order[: last + 1]))


def _latest(times: Tensor, wanted: int, left: int) -> Tensor:
    """Rows from some time on, as near to `wanted` rows as equal times allow."""
    moments, counts = torch.unique(times, return_counts=True)
    if len(moments) < 2:
        raise ValueError(
            "data.time must have at least two different values to be split by, got "
            f"{len(moments)} in {len(times)} rows"
        )
    first = min(left, len(moments) - 1)
    later = counts.flip(0).cumsum(0).flip(0)[first:]
    boundary = moments[first:][(later - wanted).abs().argmin()]
    return places(times >= boundary)


def _first_by_turns(order: Tensor, classes: Tensor, count: int) -> Tensor:
    """The first rows of an order in which any beginning holds the classes in their proportions.

    The i-th of n members of a class stands at (i + 1/2) / n of the way, which makes the first
    `count` rows a stratified choice, whatever the count.

    Args:
        order: The rows in an order that decides between members, `(rows,)`.
        classes: Class index of each row, `(rows,)`.
        count: How many rows, >= 0.
    """
    labels = classes.numpy()
    # Numpy sorts numbers of 16 bits in a tenth of the time, and more of them are in the cache.
    labels = labels.astype(np.uint16) if labels.max() < 2**16 else labels
    labels = labels[order.numpy()]
    by_class = np.argsort(labels, kind="stable")
    members = np.bincount(labels)
    number = np.arange(len(labels)) - np.repeat(np.cumsum(members) - members, members)
    position = (number + 0.5) / np.repeat(members, members)
    last = np.partition(position, count - 1)[count - 1] if count else 0.0
    before, beside = by_class[position < last], np.sort(by_class[position == last])
    chosen = np.concatenate([before, beside[: count - len(before)]])
    return order[torch.from_numpy(chosen)]
