"""Mini-batches of tensors that are already in memory.

There is no `DataLoader` here: its workers and its collation of single rows cost more than a small
network's step.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from nnlab.seeding import stream_seed
from nnlab.stopwatch import stopwatch

Batch = tuple[Tensor, Tensor]


class OrderedBatches:
    """Mini-batches in the order of the rows, each a view of the whole.

    Args:
        x: Inputs, `(rows, *input_shape)`.
        targets: Targets, `(rows,)`.
        batch_size: Rows of a batch, >= 1; the last one has what is left.

    >>> batches = OrderedBatches(x=torch.zeros(5, 2), targets=torch.arange(5), batch_size=3)
    >>> [targets.tolist() for _, targets in batches]
    [[0, 1, 2], [3, 4]]
    """

    def __init__(self, *, x: Tensor, targets: Tensor, batch_size: int) -> None:
        self.x = x
        self.targets = targets
        self.batch_size = batch_size

    def __len__(self) -> int:
        return -(-len(self.x) // self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        for start in range(0, len(self.x), self.batch_size):
            rows = slice(start, start + self.batch_size)
            yield self.x[rows], self.targets[rows]


class ShuffledBatches:
    """Mini-batches of rows in a new random order in each epoch.

    The order is drawn from `(seed, epoch)`, so a resumed run sees the rows as an uninterrupted
    one does. With several processes each takes its own share of an epoch, all equally long: up
    to `world_size - 1` rows are left out of it.

    Args:
        x: Inputs, `(rows, *input_shape)`.
        targets: Targets, `(rows,)`.
        batch_size: Rows of a batch, >= 1. The last one has what is left; where that is a single
            row, it joins the batch before, because batch normalisation cannot use one row.
        seed: The run's seed.
        rank: This process, in [0, world_size).
        world_size: Number of processes, >= 1.
        device: Where the batches are wanted; they are gathered where the rows are.

    >>> batches = ShuffledBatches(x=torch.zeros(5, 2), targets=torch.arange(5), batch_size=2,
    ...                           seed=0, rank=0, world_size=1, device=torch.device("cpu"))
    >>> sorted(len(targets) for _, targets in batches)
    [2, 3]
    """

    def __init__(
        self,
        *,
        x: Tensor,
        targets: Tensor,
        batch_size: int,
        seed: int,
        rank: int,
        world_size: int,
        device: torch.device,
    ) -> None:
        self.x = x
        self.targets = targets
        self.batch_size = batch_size
        self.seed = seed
        self.rank = rank
        self.world_size = world_size
        self.device = device
        self._epoch = 0

    @property
    def sampler(self) -> "ShuffledBatches":
        """Itself: Lightning calls `loader.sampler.set_epoch` when an epoch starts."""
        return self

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch, >= 0, whose order the next iteration draws."""
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._starts(len(self.x) // self.world_size))

    def __iter__(self) -> Iterator[Batch]:
        stopwatch.press("loop")
        indices = self.indices()
        stopwatch.press("data")
        for rows in indices:
            stopwatch.press("loop")
            yield from self.block([rows])

    def block(self, indices: Sequence[Tensor]) -> "Block":
        """Some batches of the epoch, given the rows of each."""
        return Block(self.x, self.targets, indices, self.device)

    def indices(self) -> list[Tensor]:
        """The rows of each batch of the epoch."""
        generator = torch.Generator().manual_seed(stream_seed(self.seed, "order", self._epoch))
        order = torch.randperm(len(self.x), generator=generator)
        rows = len(self.x) // self.world_size
        share = order[self.rank :: self.world_size][:rows].to(self.x.device)
        starts = self._starts(rows)
        return [share[start:end] for start, end in zip(starts, [*starts[1:], rows], strict=True)]

    def _starts(self, rows: int) -> list[int]:
        starts = list(range(0, rows, self.batch_size))
        if self.batch_size > 1 and len(starts) > 1 and rows - starts[-1] == 1:
            starts.pop()
        return starts


class Block:
    """Some batches in a row, each gathered when its turn comes.

    Args:
        x: Inputs, `(rows, *input_shape)`.
        targets: Targets, `(rows,)`.
        indices: The rows of each batch.
        device: Where the batches are wanted.
    """

    def __init__(
        self, x: Tensor, targets: Tensor, indices: Sequence[Tensor], device: torch.device
    ) -> None:
        self._x = x
        self._targets = targets
        self._indices = indices
        self._device = device

    def __len__(self) -> int:
        return len(self._indices)

    def __iter__(self) -> Iterator[Batch]:
        for rows in self._indices:
            x, targets = self._x.index_select(0, rows), self._targets.index_select(0, rows)
            batch = x.to(self._device), targets.to(self._device)
            stopwatch.press("data")
            yield batch


class Blocks:
    """The batches of an epoch in blocks, each of which a training loop takes as one.

    Args:
        batches: The batches.
        steps: Batches of a block, >= 1; the last one has what is left.
    """

    def __init__(self, batches: ShuffledBatches, steps: int) -> None:
        self.batches = batches
        self.steps = steps

    @property
    def sampler(self) -> ShuffledBatches:
        """What Lightning calls `set_epoch` of."""
        return self.batches

    def __len__(self) -> int:
        return -(-len(self.batches) // self.steps)

    def __iter__(self) -> Iterator[Block]:
        stopwatch.press("loop")
        indices = self.batches.indices()
        stopwatch.press("data")
        for start in range(0, len(indices), self.steps):
            yield self.batches.block(indices[start : start + self.steps])
