"""The metrics of a network over all rows of a split."""

from collections.abc import Iterable

import torch

from nnlab.data.module import Split
from nnlab.models import SupervisedModule


def score(module: SupervisedModule, batches: Iterable[Split]) -> dict[str, float]:
    """The loss and metrics of a network over all rows of some batches.

    On the CPU in float32, whatever device and precision trained it, so that a checkpoint scores
    the same wherever it is tested.
    """
    return module.compute_metrics(*run_network(module, batches))


def run_network(module: SupervisedModule, batches: Iterable[Split]) -> Split:
    """Raw outputs `(rows, out_features)` for all rows of some batches, and their targets."""
    module.eval()
    with torch.inference_mode():
        kept = [(module(x), targets) for x, targets in batches]
    outputs, targets = (torch.cat(parts) for parts in zip(*kept, strict=True))
    return outputs, targets
