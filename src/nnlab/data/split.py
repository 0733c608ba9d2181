"""Which rows are held out."""

import torch
from torch import Tensor

from nnlab.seeding import stream_seed


def hold_out(
    rows: int, *, fraction: float, seed: int, classes: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Choose rows to hold out, at random, the same for the same seed.

    Args:
        rows: Number of rows, >= 2.
        fraction: Share to hold out, in (0, 1); rounded to whole rows, at least one each way.
        seed: Chooses the rows.
        classes: Class index of each row, `(rows,)`, for a stratified choice: each class gives
            its share, as nearly as whole rows allow.

    Returns:
        The indices kept and the indices held out, each sorted.

    Raises:
        ValueError: There are too few rows to keep some and hold some out.
    """
    if rows < 2:
        raise ValueError(f"a split needs at least 2 rows, got rows={rows}; give more data")
    generator = torch.Generator().manual_seed(stream_seed(seed, "split"))
    order = torch.randperm(rows, generator=generator)
    wanted = min(max(1, round(rows * fraction)), rows - 1)
    if classes is not None:
        order = _by_turns(order, classes)
    held_out = torch.zeros(rows, dtype=torch.bool)
    held_out[order[:wanted]] = True
    return torch.nonzero(~held_out).flatten(), torch.nonzero(held_out).flatten()


def _by_turns(order: Tensor, classes: Tensor) -> Tensor:
    """Reorder so that any beginning holds the classes in their proportions.

    The i-th of n members of a class stands at (i + 1/2) / n of the way, which makes the first
    `k` rows a stratified choice for every `k`.
    """
    position = torch.empty(len(order), dtype=torch.float64)
    for label in torch.unique(classes):
        members = order[classes[order] == label]
        position[members] = (torch.arange(len(members), dtype=torch.float64) + 0.5) / len(members)
    return order[torch.argsort(position[order], stable=True)]
