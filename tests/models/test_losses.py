"""Losses against closed forms; class weights against scikit-learn."""

import math

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight

from nnlab.models.losses import resolve_class_weights, resolve_loss
from nnlab.rules import LOSSES


def loss_of(
    task: str,
    loss: str,
    outputs: torch.Tensor,
    targets: torch.Tensor,
    smoothing: float = 0.0,
    reduction: str = "mean",
) -> torch.Tensor:
    return resolve_loss(task, loss)(outputs, targets, smoothing, reduction)


def test_cross_entropy_is_the_mean_negative_log_probability() -> None:
    outputs = torch.log(torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3]]))
    loss = loss_of("multiclass", "auto", outputs, torch.tensor([0, 2]))
    assert loss.item() == pytest.approx(-(math.log(0.7) + math.log(0.3)) / 2)


def test_label_smoothing_gives_every_class_its_share() -> None:
    p = torch.tensor([[0.7, 0.2, 0.1]])
    loss = loss_of("multiclass", "cross_entropy", torch.log(p), torch.tensor([0]), 0.3)
    expected = -(0.8 * math.log(0.7) + 0.1 * math.log(0.2) + 0.1 * math.log(0.1))
    assert loss.item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize(("binary", "multiclass"), [("auto", "auto"), ("mse", "mse")])
@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_two_classes_are_the_binary_case(smoothing, binary, multiclass, reduction) -> None:
    torch.manual_seed(0)
    logits, targets = torch.randn(20, 1), torch.randint(0, 2, (20,))
    both = torch.cat([torch.zeros_like(logits), logits], dim=1)
    torch.testing.assert_close(
        loss_of("binary", binary, logits, targets, smoothing, reduction),
        loss_of("multiclass", multiclass, both, targets, smoothing, reduction),
    )


def test_classes_learned_by_squared_error_use_probabilities() -> None:
    outputs, targets = torch.tensor([[math.log(3.0)]]), torch.tensor([1])
    both = torch.tensor([[0.0, math.log(3.0)]])
    assert loss_of("binary", "mse", outputs, targets).item() == pytest.approx(0.25**2)
    assert loss_of("multiclass", "mse", both, targets).item() == pytest.approx(0.25**2)
    # Smoothed by 0.2, the target is 0.9 instead of 1.
    smooth = loss_of("multiclass", "mse", both, targets, 0.2).item()
    assert smooth == pytest.approx(0.15**2)


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
    assert loss_of("regression", loss, outputs, targets).item() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("task", "loss"), [(task, loss) for task, losses in LOSSES.items() for loss in losses]
)
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_losses_of_the_rows_are_those_of_each_row_alone(task, loss, smoothing) -> None:
    torch.manual_seed(0)
    outputs = torch.randn(12, 3 if task == "multiclass" else 1)
    targets = {
        "binary": torch.randint(0, 2, (12,)),
        "multiclass": torch.randint(0, 3, (12,)),
        "regression": torch.randn(12),
    }[task]
    rows = loss_of(task, loss, outputs, targets, smoothing, "none")
    alone = [
        loss_of(task, loss, outputs[i : i + 1], targets[i : i + 1], smoothing) for i in range(12)
    ]
    torch.testing.assert_close(rows, torch.stack(alone))
    torch.testing.assert_close(rows.mean(), loss_of(task, loss, outputs, targets, smoothing))


def test_a_loss_of_another_task_is_refused() -> None:
    with pytest.raises(ValueError, match="suit the task, multiclass: one of cross_entropy, mse"):
        resolve_loss("multiclass", "huber")


@pytest.mark.parametrize("loss", LOSSES["regression"])
def test_numbers_have_no_labels_to_smooth(loss: str) -> None:
    outputs, targets = torch.tensor([[1.5], [-2.0]]), torch.tensor([1.0, 1.0])
    plain = loss_of("regression", loss, outputs, targets)
    assert torch.equal(loss_of("regression", loss, outputs, targets, 0.3), plain)


@pytest.mark.parametrize("counts", [[90, 10], [50, 50], [700, 200, 99, 1]])
def test_balanced_weights_are_those_of_scikit_learn(counts: list) -> None:
    task = "binary" if len(counts) == 2 else "multiclass"
    labels = np.repeat(np.arange(len(counts)), counts)
    expected = compute_class_weight("balanced", classes=np.arange(len(counts)), y=labels)
    weights = resolve_class_weights(task, "balanced", counts)
    assert weights == pytest.approx(expected.tolist())
    # All classes have the same say.
    shares = np.array(weights) * counts
    assert shares == pytest.approx(np.full(len(counts), shares[0]))


def test_a_class_without_training_rows_does_not_change_the_weights_of_others() -> None:
    with_it = resolve_class_weights("multiclass", "balanced", [30, 0, 10])
    without = resolve_class_weights("binary", "balanced", [30, 10])
    assert [with_it[0], with_it[2]] == without
    assert math.isfinite(with_it[1])


def test_weights_can_be_said_or_left_out() -> None:
    assert resolve_class_weights("multiclass", [1, 5, 0.5], [3, 3, 3]) == [1.0, 5.0, 0.5]
    assert resolve_class_weights("multiclass", None, [3, 3, 3]) is None
    assert resolve_class_weights("regression", None, []) is None


@pytest.mark.parametrize(
    ("task", "weights", "counts", "message"),
    [
        ("regression", "balanced", [], "class_weights must be null for regression, .*=balanced"),
        ("regression", [1.0], [], "class_weights must be null for regression"),
        ("multiclass", [1, 2], [3, 3, 3], r"a number for each of the 3 classes, got .*\[1, 2\]"),
        ("binary", [1.0], [3, 3], "a number for each of the 2 classes"),
    ],
)
def test_weights_that_do_not_suit_the_classes_are_refused(task, weights, counts, message) -> None:
    with pytest.raises(ValueError, match=message):
        resolve_class_weights(task, weights, counts)
