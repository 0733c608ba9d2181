"""What the data modules share: three splits in memory, and their batches."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any

import torch
from lightning.pytorch import LightningDataModule
from torch import Tensor

from nnlab.data.batches import Blocks, OrderedBatches, ShuffledBatches
from nnlab.data.storage import read_ahead
from nnlab.rules import check
from nnlab.spec import DataSpec

# Rows per forward pass where no gradient is kept: large enough that the passes are few.
_EVALUATION_BATCH = 4096

Split = tuple[Tensor, Tensor]
"""Inputs `(rows, *input_shape)` and targets `(rows,)`."""


@dataclass(frozen=True, kw_only=True)
class LoadedData:
    """A data set, ready to train on.

    Attributes:
        spec: What a model must know of it.
        train: Rows that are learned from, and from which all statistics are taken.
        val: Rows that choose among epochs and settings.
        test: Rows that are only tested on.
        preprocessing: How raw rows became inputs, as plain data.
        column_table: For a person to read, of each column of a table its name, its kind, the
            share of missing values, the number of distinct ones, and what becomes of it.
        warnings: Sentences that a person should read before training.
    """

    spec: DataSpec
    train: Split
    val: Split
    test: Split
    preprocessing: dict[str, Any]
    column_table: list[list[str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


class InMemoryDataModule(LightningDataModule, ABC):
    """A data module whose preprocessed splits are tensors in memory.

    Args:
        batch_size: Rows of a training batch, >= 1.
        seed: Chooses the splits and the order of the rows, >= 0.

    Attributes:
        steps_per_block: Batches that a training loop takes as one; 1 unless training changes it.

    Raises:
        ValueError: An argument is outside its range.
    """

    steps_per_block = 1

    def __init__(self, *, batch_size: int, seed: int) -> None:
        super().__init__()
        check(batch_size=batch_size, seed=seed)
        self.batch_size = batch_size
        self.seed = seed
        self._loaded: LoadedData | None = None
        self._saved_preprocessing: dict[str, Any] | None = None

    @abstractmethod
    def load(self, preprocessing: dict[str, Any] | None) -> LoadedData:
        """Read, split and preprocess.

        Args:
            preprocessing: That of a checkpoint, to be applied again; None to take it from the
                training rows.
        """

    @property
    def loaded(self) -> LoadedData:
        """The data, read at the first use."""
        if self._loaded is None:
            self._loaded = self.load(self._saved_preprocessing)
        return self._loaded

    @property
    def spec(self) -> DataSpec:
        """What a model must know of the data."""
        return self.loaded.spec

    def train_dataloader(self) -> ShuffledBatches | Blocks:
        """Shuffled training batches of `batch_size` rows, in blocks if there are to be any."""
        x, targets = self._placed(self.loaded.train)
        batches = ShuffledBatches(
            x=x,
            targets=targets,
            device=self._device,
            batch_size=self.batch_size,
            seed=self.seed,
            # Without a trainer, in a notebook, there is one process.
            rank=self.trainer.global_rank if self.trainer else 0,
            world_size=self.trainer.world_size if self.trainer else 1,
        )
        return batches if self.steps_per_block == 1 else Blocks(batches, self.steps_per_block)

    def val_dataloader(self) -> OrderedBatches:
        """Validation batches in the order of the rows."""
        return in_order(self._placed(self.loaded.val))

    def test_dataloader(self) -> OrderedBatches:
        """Test batches in the order of the rows."""
        return in_order(self.loaded.test)

    @property
    def _device(self) -> torch.device:
        """Where batches are wanted; without a trainer, in a notebook, on the CPU."""
        return self.trainer.strategy.root_device if self.trainer else torch.device("cpu")

    def _placed(self, split: Split) -> Split:
        """A split where it is used, if there is room: to bring it there batch by batch is slow."""
        if self._device.type == "cpu" or not self._has_room(split):
            return split
        x, targets = split
        read_ahead(x)
        return x.to(self._device), targets.to(self._device)

    def _has_room(self, split: Split) -> bool:
        """Whether the device can hold a split, and as much again for the network's work."""
        if self._device.type == "cuda":
            free, _ = torch.cuda.mem_get_info(self._device)
        elif self._device.type == "mps":
            free = torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory()
        else:
            return True  # of others torch does not tell
        return 2 * sum(part.nbytes for part in split) <= free

    def state_dict(self) -> dict[str, Any]:
        """The preprocessing, for the checkpoint."""
        return {"preprocessing": self.loaded.preprocessing}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the preprocessing from a checkpoint.

        Raises:
            ValueError: Data read already was preprocessed otherwise.
        """
        self._saved_preprocessing = state_dict["preprocessing"]
        if self._loaded and not _agree(self._loaded.preprocessing, self._saved_preprocessing):
            raise ValueError(
                "the data must be what the checkpoint was trained on, read as it was then, but its "
                "training rows or nnlab have changed since; restore them, or start a new run"
            )


def _agree(mine: Any, saved: Any) -> bool:
    """Whether two are the same in all that both tell; one of an earlier version may tell less."""
    if isinstance(mine, dict) and isinstance(saved, dict):
        return all(_agree(mine[key], saved[key]) for key in mine.keys() & saved.keys())
    if isinstance(mine, list) and isinstance(saved, list):
        return len(mine) == len(saved) and all(map(_agree, mine, saved))
    return bool(mine == saved)


def in_order(split: Split) -> OrderedBatches:
    """Large batches in the order of the rows, for passes where no gradient is kept."""
    x, targets = split
    return OrderedBatches(x=x, targets=targets, batch_size=_EVALUATION_BATCH)
