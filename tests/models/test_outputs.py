"""Outputs of an epoch: all of them, in their order, once."""

import pytest
import torch

from nnlab.models.outputs import EpochOutputs


@pytest.mark.parametrize("batches", [1, 255, 256, 257, 600])
def test_all_batches_come_back_in_their_order_and_only_once(batches: int) -> None:
    kept = EpochOutputs()
    for _ in range(2):
        rows = torch.arange(3 * batches + 1.0)
        outputs = torch.stack([rows, -rows], dim=1).requires_grad_()
        for start in range(0, len(rows), 3):
            kept.add(outputs[start : start + 3], rows[start : start + 3].long())
        taken, targets = kept.take()
        assert torch.equal(taken, outputs)
        assert not taken.requires_grad
        assert torch.equal(targets, rows.long())
