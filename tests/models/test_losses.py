"""Losses against closed forms."""

import math

import pytest
import torch

from nnlab.models.losses import resolve_loss


def test_cross_entropy_is_the_mean_negative_log_probability() -> None:
    outputs = torch.log(torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3]]))
    loss = resolve_loss("multiclass", "auto", 0.0)(outputs, torch.tensor([0, 2]), 0.0)
    assert loss.item() == pytest.approx(-(math.log(0.7) + math.log(0.3)) / 2)


def test_label_smoothing_gives_every_class_its_share() -> None:
    p = torch.tensor([[0.7, 0.2, 0.1]])
    loss = resolve_loss("multiclass", "cross_entropy", 0.3)(torch.log(p), torch.tensor([0]), 0.3)
    expected = -(0.8 * math.log(0.7) + 0.1 * math.log(0.2) + 0.1 * math.log(0.1))
    assert loss.item() == pytest.approx(expected, rel=1e-6)


def test_binary_cross_entropy_is_cross_entropy_of_two_classes() -> None:
    torch.manual_seed(0)
    logits, targets = torch.randn(20, 1), torch.randint(0, 2, (20,))
    both = torch.cat([torch.zeros_like(logits), logits], dim=1)
    for smoothing in (0.0, 0.2):
        binary = resolve_loss("binary", "auto", smoothing)(logits, targets, smoothing)
        multiclass = resolve_loss("multiclass", "auto", smoothing)(both, targets, smoothing)
        torch.testing.assert_close(binary, multiclass)


def test_classes_learned_by_squared_error_use_probabilities() -> None:
    outputs, targets = torch.tensor([[math.log(3.0)]]), torch.tensor([1])
    assert resolve_loss("binary", "mse", 0.0)(outputs, targets, 0.0).item() == pytest.approx(
        0.25**2
    )
    both = torch.tensor([[0.0, math.log(3.0)]])
    assert resolve_loss("multiclass", "mse", 0.0)(both, targets, 0.0).item() == pytest.approx(
        0.25**2
    )


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        ("auto", (0.5**2 + 3**2) / 2),
        ("mse", (0.5**2 + 3**2) / 2),
        ("mae", (0.5 + 3) / 2),
        ("huber", (0.5**2 / 2 + (3 - 0.5)) / 2),
    ],
)
def test_regression_losses(loss: str, expected: float) -> None:
    outputs, targets = torch.tensor([[1.5], [-2.0]]), torch.tensor([1.0, 1.0])
    function = resolve_loss("regression", loss, 0.0)
    assert function(outputs, targets, 0.0).item() == pytest.approx(expected)


def test_a_loss_of_another_task_is_refused() -> None:
    with pytest.raises(ValueError, match="suit the task, multiclass: one of cross_entropy, mse"):
        resolve_loss("multiclass", "huber", 0.0)


def test_label_smoothing_needs_classes() -> None:
    with pytest.raises(ValueError, match="label_smoothing must be 0 for regression"):
        resolve_loss("regression", "mse", 0.1)
