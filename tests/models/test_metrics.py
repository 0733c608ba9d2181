"""Metrics against scikit-learn."""

import tracemalloc

import numpy as np
import pytest
import torch
from sklearn import metrics as sk

from nnlab.models import metrics
from nnlab.models.metrics import compute_metrics, predicted_classes, probabilities
from nnlab.spec import DataSpec


@pytest.fixture(autouse=True, params=["cpu", "gpu", "gpu, in parts"])
def counting(request, monkeypatch) -> None:
    """Metrics are counted by numpy on a CPU, and by torch where the outputs are on a GPU."""
    monkeypatch.setattr(metrics, "_stays_on_gpu", lambda outputs: request.param != "cpu")
    if request.param == "gpu, in parts":
        monkeypatch.setattr(metrics, "_SCORES_AT_ONCE", 100)


def classes(count: int) -> DataSpec:
    return DataSpec(
        task="binary" if count == 2 else "multiclass",
        input_shape=[1],
        numbers=1,
        category_sizes=[],
        class_names=[str(i) for i in range(count)],
        class_counts=[1] * count,
        target_mean=0.0,
        target_std=1.0,
    )


def regression(mean: float, std: float) -> DataSpec:
    return DataSpec(
        task="regression",
        input_shape=[1],
        numbers=1,
        category_sizes=[],
        class_names=[],
        class_counts=[],
        target_mean=mean,
        target_std=std,
    )


def expected_class_metrics(labels, predictions, scores) -> dict[str, float]:
    occurring = np.unique(labels)
    return {
        "accuracy": sk.accuracy_score(labels, predictions),
        "precision": sk.precision_score(labels, predictions, average="macro", zero_division=0),
        "recall": sk.recall_score(labels, predictions, average="macro", zero_division=0),
        "f1": sk.f1_score(labels, predictions, average="macro", zero_division=0),
        "auroc": np.mean([sk.roc_auc_score(labels == c, scores[:, c]) for c in occurring]),
    }


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("rows", [3, 30, 1000])
def test_multiclass_metrics_are_those_of_scikit_learn(rows: int, seed: int) -> None:
    torch.manual_seed(seed)
    outputs = torch.randn(rows, 4) * 2
    labels = torch.randint(0, 4, (rows,))
    labels[:2] = torch.tensor([0, 3])  # at least two classes; with three rows not all occur
    scores = outputs.softmax(dim=1)
    expected = expected_class_metrics(
        labels.numpy(), scores.argmax(dim=1).numpy(), scores.double().numpy()
    )
    assert compute_metrics(classes(4), outputs, labels) == pytest.approx(expected, abs=1e-6)


def test_many_classes_take_no_memory_for_their_pairs() -> None:
    torch.manual_seed(0)
    outputs, labels = torch.randn(30, 20_000), torch.randint(0, 20_000, (30,))
    tracemalloc.start()
    compute_metrics(classes(20_000), outputs, labels)
    assert tracemalloc.get_traced_memory()[1] < 100 * outputs.nbytes
    tracemalloc.stop()


@pytest.mark.parametrize("seed", range(5))
def test_binary_metrics_are_those_of_scikit_learn(seed: int) -> None:
    torch.manual_seed(seed)
    outputs, labels = torch.randn(50, 1), torch.randint(0, 2, (50,))
    positive = outputs.squeeze(1).sigmoid()
    expected = expected_class_metrics(
        labels.numpy(), (positive > 0.5).long().numpy(), torch.stack([1 - positive, positive], 1)
    )
    assert compute_metrics(classes(2), outputs, labels) == pytest.approx(expected, abs=1e-6)


def test_sure_predictions_can_be_told_apart() -> None:
    # In 32 bits all of these are 1 for sure.
    logits = torch.tensor([18.0, 20.0, 25.0, 30.0])
    labels = torch.tensor([0, 1, 0, 1])
    result = compute_metrics(classes(2), logits.unsqueeze(1), labels)
    assert result["auroc"] == 0.75
    outputs = torch.stack([torch.zeros(4), logits, torch.full((4,), -9.0)], dim=1)
    assert compute_metrics(classes(3), outputs, labels)["auroc"] == 0.75


def test_metrics_of_a_split_are_not_averages_of_its_parts() -> None:
    outputs = torch.tensor([[2.0, 0.0], [0.0, 2.0], [2.0, 0.0], [0.0, 2.0]])
    labels = torch.tensor([0, 1, 1, 1])
    spec = DataSpec(
        task="multiclass",
        input_shape=[1],
        numbers=1,
        category_sizes=[],
        class_names=["a", "b"],
        class_counts=[1, 3],
        target_mean=0.0,
        target_std=1.0,
    )
    whole = compute_metrics(spec, outputs, labels)["f1"]
    parts = [compute_metrics(spec, outputs[i : i + 2], labels[i : i + 2])["f1"] for i in (0, 2)]
    assert whole == pytest.approx(
        sk.f1_score(labels.numpy(), outputs.argmax(1).numpy(), average="macro")
    )
    assert whole != pytest.approx(sum(parts) / 2)


def test_auroc_is_left_out_where_one_class_occurs() -> None:
    result = compute_metrics(classes(3), torch.randn(5, 3), torch.zeros(5, dtype=torch.long))
    assert "auroc" not in result
    assert "accuracy" in result


@pytest.mark.parametrize(("mean", "std"), [(0.0, 1.0), (1e6, 1.0), (-3.0, 250.0)])
def test_regression_metrics_are_those_of_scikit_learn_in_the_targets_unit(
    mean: float, std: float
) -> None:
    torch.manual_seed(0)
    targets = torch.randn(200)
    outputs = (targets + 0.3 * torch.randn(200)).unsqueeze(1)
    true = targets.double().numpy() * std + mean
    predicted = outputs.squeeze(1).double().numpy() * std + mean
    expected = {
        "rmse": sk.root_mean_squared_error(true, predicted),
        "mae": sk.mean_absolute_error(true, predicted),
        "r2": sk.r2_score(true, predicted),
    }
    result = compute_metrics(regression(mean, std), outputs, targets)
    assert result == pytest.approx(expected, rel=1e-6)


def test_r2_is_right_where_targets_vary_little_beside_those_of_training() -> None:
    torch.manual_seed(0)
    targets = torch.randn(50) * 1e-4
    outputs = torch.full((50, 1), 0.3)
    result = compute_metrics(regression(0.0, 1.0), outputs, targets)
    expected = sk.r2_score(targets.double().numpy(), outputs.squeeze(1).double().numpy())
    assert result["r2"] == pytest.approx(expected)
    assert expected < -1e6


def test_r2_is_left_out_where_no_target_differs() -> None:
    result = compute_metrics(regression(0.0, 1.0), torch.randn(3, 1), torch.full((3,), 0.1))
    assert set(result) == {"rmse", "mae"}


def test_r2_is_left_out_of_a_single_row() -> None:
    result = compute_metrics(regression(0.0, 2.0), torch.tensor([[1.0]]), torch.tensor([0.0]))
    assert result == {"rmse": 2.0, "mae": 2.0}


def test_the_predicted_class_is_the_one_of_the_higher_probability() -> None:
    outputs = torch.tensor([[-1.0], [1.0], [0.0], [1e-9]])  # the last is one half in 32 bits
    spec = classes(2)
    expected = probabilities(spec, outputs).argmax(dim=1)
    assert torch.equal(predicted_classes(spec, outputs), expected)
    assert compute_metrics(spec, outputs, expected)["accuracy"] == 1
