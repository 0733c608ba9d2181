"""What a data set tells a model about itself."""

import math
from dataclasses import dataclass
from typing import Literal

Task = Literal["binary", "multiclass", "regression"]


@dataclass(frozen=True, kw_only=True)
class DataSpec:
    """What a network must know of its data: the task, the sizes and the names.

    Plain data, so that it can be saved in a checkpoint. Training hands it from the data module
    to the model; neither imports the other.

    Attributes:
        task: What is predicted: one of two classes, one of several, or a number.
        input_shape: Shape of one preprocessed row, such as `[28, 28]` or `[12]`.
        class_names: The classes in the order of their indices; empty for regression. The second
            of two is the positive one.
        target_mean: Mean of the training targets, in the target's unit; 0 for classes.
        target_std: Standard deviation of the training targets, > 0; 1 for classes. A regression
            network predicts `(target - target_mean) / target_std`.
    """

    task: Task
    input_shape: list[int]
    class_names: list[str]
    target_mean: float
    target_std: float

    @property
    def in_features(self) -> int:
        """Number of inputs of a network that sees a row as one flat vector."""
        return math.prod(self.input_shape)

    @property
    def out_features(self) -> int:
        """Number of output units: one per class, but a single one for binary and regression."""
        return len(self.class_names) if self.task == "multiclass" else 1
