"""A network with a part of each kind, and batches for it."""

from collections.abc import Callable

import torch

from nnlab.data.batches import ShuffledBatches
from nnlab.models import SupervisedModule

CLASSES = {"binary": 2, "multiclass": 3, "regression": 0}
ROWS = 200


def make_module(task: str, optimizer: Callable | None = None) -> SupervisedModule:
    return SupervisedModule(
        task=task,
        input_shape=[6],
        numbers=4,
        category_sizes=[5, 7],
        class_names=[str(i) for i in range(CLASSES[task])],
        class_counts=[10 + i for i in range(CLASSES[task])],
        target_mean=0.0,
        target_std=1.0,
        hidden_sizes=[16, 16],
        activation="gelu",
        dropout=0.1,
        batch_norm=True,
        layer_norm=False,
        numeric_embedding="periodic",
        embedding_size=3,
        loss="auto",
        label_smoothing=0.1,
        class_weights="balanced" if CLASSES[task] else None,
        l1=1e-4,
        l2=1e-4,
        optimizer=optimizer,
    )


def make_batches(task: str) -> ShuffledBatches:
    classes = CLASSES[task]
    return ShuffledBatches(
        x=torch.cat([torch.randn(ROWS, 4), torch.randint(0, 5, (ROWS, 2)).float()], dim=1),
        targets=torch.randint(0, classes, (ROWS,)) if classes else torch.randn(ROWS),
        batch_size=32,
        seed=0,
        rank=0,
        world_size=1,
        device=torch.device("cpu"),
    )
