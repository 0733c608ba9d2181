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

    A row of a table has `numbers` continuous inputs first, then inputs of 0 and 1, and last the
    codes of the columns that are to be embedded, one for each entry of `category_sizes`.

    Attributes:
        task: What is predicted: one of two classes, one of several, or a number.
        input_shape: Shape of one preprocessed row, such as `[28, 28]` or `[12]`.
        numbers: How many inputs of a table's row are continuous; 0 for images.
        category_sizes: Number of codes of each column that is to be embedded; codes 0 and 1 are
            any other category and a missing value.
        class_names: The classes in the order of their indices; empty for regression. The second
            of two is the positive one.
        class_counts: Training rows of each class; empty for regression.
        target_mean: Mean of the training targets, in the target's unit; 0 for classes.
        target_std: Standard deviation of the training targets, > 0; 1 for classes. A regression
            network predicts `(target - target_mean) / target_std`.
    """

    task: Task
    input_shape: list[int]
    numbers: int
    category_sizes: list[int]
    class_names: list[str]
    class_counts: list[int]
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
