"""The loss of a task with class weights; penalties are tested with the whole module."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.utils.class_weight import compute_class_weight

from nnlab.models.objective import Objective


def make_imbalanced(task: str) -> tuple[torch.Tensor, torch.Tensor, list[int]]:
    """Outputs, targets and the counts of classes, the last of them rare."""
    counts = [90, 10] if task == "binary" else [60, 30, 10]
    targets = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
    outputs = torch.randn(100, 1 if task == "binary" else 3, generator=torch.manual_seed(3))
    return outputs, targets, counts


def make_weighted(
    task: str, counts: list[int], class_weights, loss: str = "auto", label_smoothing: float = 0.0
) -> Objective:
    return Objective(
        task=task,
        class_counts=counts,
        loss=loss,
        label_smoothing=label_smoothing,
        class_weights=class_weights,
        l1=0.0,
        l2=0.0,
    )


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_the_weighted_loss_is_torchs(task: str) -> None:
    outputs, targets, counts = make_imbalanced(task)
    weights = compute_class_weight("balanced", classes=np.arange(len(counts)), y=targets.numpy())
    weights = torch.from_numpy(weights).float()
    both = torch.cat([torch.zeros(100, 1), outputs], dim=1) if task == "binary" else outputs
    expected = F.cross_entropy(both, targets, weight=weights)
    for said in ("balanced", weights.tolist()):
        objective = make_weighted(task, counts, said)
        torch.testing.assert_close(objective.loss(outputs, targets), expected)


@pytest.mark.parametrize("task", ["binary", "multiclass"])
@pytest.mark.parametrize("loss", ["auto", "mse"])
@pytest.mark.parametrize("label_smoothing", [0.0, 0.2])
def test_weights_are_how_often_a_row_counts(task: str, loss: str, label_smoothing: float) -> None:
    outputs, targets, counts = make_imbalanced(task)
    weights = [1.0, 3.0, 2.0][: len(counts)]
    weighted = make_weighted(task, counts, weights, loss, label_smoothing=label_smoothing)
    plain = make_weighted(task, counts, None, loss, label_smoothing=label_smoothing)
    often = torch.tensor(weights).long()[targets]
    repeated = (part.repeat_interleave(often, dim=0) for part in (outputs, targets))
    torch.testing.assert_close(weighted.loss(outputs, targets), plain.loss(*repeated))


def test_a_weighted_loss_by_hand() -> None:
    objective = make_weighted("multiclass", [2, 1, 1], [1.0, 2.0, 5.0])
    p = torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.2, 0.2, 0.6]])
    loss = objective.loss(torch.log(p), torch.tensor([0, 1, 2]))
    expected = -(np.log(0.7) + 2 * np.log(0.6) + 5 * np.log(0.6)) / 8
    assert loss.item() == pytest.approx(expected, rel=1e-6)


def test_without_weights_the_loss_is_exactly_the_plain_one() -> None:
    outputs, targets, counts = make_imbalanced("multiclass")
    objective = make_weighted("multiclass", counts, None)
    assert objective.class_weights is None
    assert torch.equal(objective.loss(outputs, targets), F.cross_entropy(outputs, targets))
    objective = make_weighted("binary", [90, 10], None)
    targets = targets.clamp(max=1)
    plain = F.binary_cross_entropy_with_logits(outputs[:, 0], targets.float())
    assert torch.equal(objective.loss(outputs[:, :1], targets), plain)


def test_equal_weights_change_nothing() -> None:
    outputs, targets, _ = make_imbalanced("multiclass")
    weighted = make_weighted("multiclass", [7, 7, 7], "balanced")
    torch.testing.assert_close(weighted.loss(outputs, targets), F.cross_entropy(outputs, targets))
