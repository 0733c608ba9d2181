"""What a network gave in an epoch, kept for the metrics of the whole."""

import torch
from torch import Tensor

from nnlab.models.stepping import Batch

# Tensors of so many batches are put together while the epoch goes on: each on its own would keep a
# place between the large ones that come and go, and no two such gaps could be used as one.
_TOGETHER = 256


class EpochOutputs:
    """Outputs `(rows, out_features)` and targets `(rows,)`, added batch by batch."""

    def __init__(self) -> None:
        self._joined: list[Batch] = []
        self._recent: list[Batch] = []

    def add(self, outputs: Tensor, targets: Tensor) -> None:
        """Add a batch."""
        outputs = outputs.detach()
        # What is recorded as a CUDA graph writes each batch's outputs to one place.
        self._recent.append((outputs.clone() if outputs.is_cuda else outputs, targets))
        if len(self._recent) == _TOGETHER:
            self._join()

    @property
    def is_empty(self) -> bool:
        """Whether nothing was added since they were taken."""
        return not (self._joined or self._recent)

    def clear(self) -> None:
        """Drop what was added."""
        self._joined, self._recent = [], []

    def take(self) -> Batch:
        """Those of all batches since the last call."""
        self._join()
        joined, self._joined = self._joined, []
        return _concatenated(joined)

    def _join(self) -> None:
        if self._recent:
            self._joined.append(_concatenated(self._recent))
            self._recent.clear()


def _concatenated(batches: list[Batch]) -> Batch:
    if len(batches) == 1:
        return batches[0]
    outputs, targets = zip(*batches, strict=True)
    return torch.cat(outputs), torch.cat(targets)
