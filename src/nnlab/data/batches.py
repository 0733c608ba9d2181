"""Mini-batches of tensors, which lie in memory or are mapped from disk.

There is no `DataLoader` here: its workers and its collation of single rows cost more than a small
network's step.
"""

import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from nnlab.data.storage import read_ahead
from nnlab.data.windows import Windows
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
            x = self.x[rows]
            read_ahead(x)
            yield x, self.targets[rows]


class ShuffledBatches:
    """Mini-batches of rows in a new random order in each epoch.

    Any order of inputs up to 256 MiB is equally likely; of larger ones a window at a time is
    shuffled (`Windows`), and no more is in use. The order is the same wherever the inputs lie.

    It is drawn from `(seed, epoch)`, so a resumed run sees the rows as an uninterrupted one does.
    With several processes each takes its own share of an epoch, all equally long: up to
    `world_size - 1` rows are left out of it.

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
        self._windows = Windows(
            rows=len(x), row_bytes=math.prod(x.shape[1:]) * x.itemsize, step=batch_size * world_size
        )

    @property
    def sampler(self) -> "ShuffledBatches":
        """Itself: Lightning calls `loader.sampler.set_epoch` when an epoch starts."""
        return self

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch, >= 0, whose order the next iteration draws."""
        self._epoch = epoch

    def __len__(self) -> int:
        return self.count_blocks(1)

    def count_blocks(self, steps: int) -> int:
        """The number of blocks that `blocks` gives."""
        return sum(
            -(-len(self._starts(rows // self.world_size)) // steps) for rows in self._windows.sizes
        )

    def __iter__(self) -> Iterator[Batch]:
        for block in self.blocks(1):
            yield from block
            stopwatch.press("loop")

    def blocks(self, steps: int) -> Iterator["Block"]:
        """The batches of the epoch, at most `steps` at a time."""
        stopwatch.press("loop")
        generator = torch.Generator().manual_seed(stream_seed(self.seed, "order", self._epoch))
        for chunks in self._windows.draw(generator):
            x, targets = self._gather(chunks)
            order = torch.randperm(len(x), generator=generator)
            rows = len(x) // self.world_size
            share = order[self.rank :: self.world_size][:rows]
            if x.is_cuda:  # which takes it while Python goes on, from memory that stays in place
                share = share.pin_memory().to(x.device, non_blocking=True)
            else:
                share = share.to(x.device)
            starts = self._starts(rows)
            ends = [*starts[1:], rows]
            indices = [share[start:end] for start, end in zip(starts, ends, strict=True)]
            stopwatch.press("data")
            for start in range(0, len(indices), steps):
                yield Block(x, targets, indices[start : start + steps], self.device)

    def _gather(self, chunks: Sequence[slice]) -> Batch:
        """Some chunks of rows; of several, a copy."""
        x = [self.x[chunk] for chunk in chunks]
        for rows in x:
            read_ahead(rows)
        if len(chunks) == 1:
            return x[0], self.targets[chunks[0]]
        return torch.cat(x), torch.cat([self.targets[chunk] for chunk in chunks])

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
        return self.batches.count_blocks(self.steps)

    def __iter__(self) -> Iterator[Block]:
        return self.batches.blocks(self.steps)
