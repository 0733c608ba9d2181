"""What a run has come to at its end."""

import pytest
import torch

from nnlab.results import _classes_predicted
from nnlab.spec import DataSpec


def spec_of(classes: int) -> DataSpec:
    return DataSpec(
        task={0: "regression", 2: "binary"}.get(classes, "multiclass"),
        input_shape=[1],
        numbers=1,
        category_sizes=[],
        class_names=[str(i) for i in range(classes)],
        class_counts=[1] * classes,
        target_mean=0.0,
        target_std=1.0,
    )


@pytest.mark.parametrize(
    ("classes", "outputs", "expected"),
    [
        (2, [[0.1], [3.0]], 1),
        (2, [[0.1], [-3.0]], 2),
        # Two classes that are taken for two others, which macro averages cannot tell from one.
        (4, [[9, 0, 0, 0], [0, 9, 0, 0], [9, 0, 0, 0], [0, 9, 0, 0]], 2),
        (3, [[0, 1, 0], [0, 1, 0]], 1),
    ],
)
def test_the_classes_that_are_predicted_are_counted(classes, outputs, expected) -> None:
    found = _classes_predicted(spec_of(classes), torch.tensor(outputs, dtype=torch.float32))
    assert found == {"test_classes_predicted": expected}


def test_of_numbers_and_other_outputs_nothing_is_counted() -> None:
    assert _classes_predicted(spec_of(0), torch.zeros(3, 1)) == {}
    assert _classes_predicted(spec_of(3), torch.zeros(3, 5)) == {}  # a network of one's own
