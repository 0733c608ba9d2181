"""What each setting may be, in one place.

A setting has one name from the YAML file down to the constructor, so one table serves both:
constructors call `check` on their arguments, and the command line checks a whole config before
torch is loaded.
"""

from typing import Any

from nnlab.rule_types import (
    Choice,
    Either,
    Encoding,
    Flag,
    Kinds,
    ListOf,
    Mark,
    Number,
    Rule,
    Text,
    Texts,
)
from nnlab.suggestions import did_you_mean

ACTIVATIONS = (
    "relu",
    "sigmoid",
    "tanh",
    "leaky_relu",
    "elu",
    "selu",
    "gelu",
    "silu",
    "mish",
    "identity",
)
COLUMN_KINDS = ("numeric", "categorical", "boolean", "date")
LOSSES = {
    "binary": ("binary_cross_entropy", "mse"),
    "multiclass": ("cross_entropy", "mse"),
    "regression": ("mse", "mae", "huber"),
}
"""The losses of each task; the first is the one that `loss=auto` takes."""
_CLASS_METRICS = ("accuracy", "precision", "recall", "f1", "auroc")
METRICS = {
    "binary": _CLASS_METRICS,
    "multiclass": _CLASS_METRICS,
    "regression": ("rmse", "mae", "r2"),
}
"""The metrics of each task beside the loss; where there is room for one, it is the first."""
_LOWER_IS_BETTER = ("loss", "rmse", "mae")


def mode_of(monitor: str | None, said: str | None = None) -> str | None:
    """Whether the best value of a metric such as `val/loss` is its `min` or its `max`.

    Args:
        monitor: The metric; None for none.
        said: What is said of a metric that is not nnlab's; None for nothing.

    Returns:
        `min`, `max`, or None where nobody knows.
    """
    if monitor not in MONITORS:
        return said
    return "min" if monitor.removeprefix("val/") in _LOWER_IS_BETTER else "max"


def monitors(task: str) -> list[str]:
    """The validation metrics that can choose a run's best epoch."""
    return [f"val/{name}" for name in ("loss", *METRICS[task])]


MONITORS = tuple(dict.fromkeys(name for task in METRICS for name in monitors(task)))
"""Those of all tasks."""

RULES: dict[str, Rule] = {
    # the run
    "seed": Number("[0, 4294967295]", integer=True),
    "checkpoint_every_s": Number("[0, inf)"),
    "steps_per_block": Number("[1, inf)", integer=True),
    "threads": Number("[1, 1024]", integer=True, none=True),
    "monitor": Choice(MONITORS, none=True),
    "mode": Choice(("min", "max"), none=True),
    "every_n_steps": Number("[1, inf)", integer=True),
    "compile": Choice(("default", "reduce-overhead", "max-autotune"), none=True),
    "cuda_graphs": Flag(),
    # the network
    "hidden_sizes": ListOf(Number("[1, inf)", integer=True), "[256,128]"),
    "activation": Choice(ACTIVATIONS),
    "dropout": Number("[0, 1)"),
    "batch_norm": Flag(),
    "layer_norm": Flag(),
    "embedding_size": Number("[1, inf)", integer=True),
    "numeric_embedding": Choice(("periodic",), none=True),
    # the loss
    "loss": Choice(("auto", *dict.fromkeys(name for names in LOSSES.values() for name in names))),
    "label_smoothing": Number("[0, 1)"),
    "class_weights": Either(Choice(("balanced",), none=True), ListOf(Number("(0, inf)"), "[1,5]")),
    "l1": Number("[0, inf)"),
    "l2": Number("[0, inf)"),
    # the data
    "path": Text(),
    "root": Text(),
    "train_images": Text(),
    "train_labels": Text(),
    "test_images": Text(none=True),
    "test_labels": Text(none=True),
    "sha256": Texts("{images: 9f86d081...}"),
    "mirrors": ListOf(Text(), "[https://example.com/mnist/]", none=True),
    "target": Text(),
    "task": Choice(("auto", "binary", "multiclass", "regression")),
    "batch_size": Number("[1, inf)", integer=True),
    "val_fraction": Number("(0, 1)"),
    "test_fraction": Number("(0, 1)", none=True),
    "columns": Kinds(COLUMN_KINDS),
    "drop": ListOf(Text(), "[id,note]"),
    "scaling": Choice(("robust", "standard", "quantile")),
    "max_one_hot": Number("[0, inf)", integer=True, none=True),
    "val_path": Text(none=True),
    "test_path": Text(none=True),
    "group": Text(none=True),
    "time": Text(none=True),
    "fold": Number("[0, inf)", integer=True),
    "folds": Number("[2, inf)", integer=True, none=True),
    "memory_map": Flag(none=True),
    "scratch": Text(),
    # the table file
    "separator": Mark(("tab",)),
    "encoding": Encoding(),
    "decimal": Choice((".", ","), none=True),
    "quote": Mark(("none",)),
    "class_names": ListOf(Text(), "[cat,dog]"),
    "null_values": ListOf(Text(), '["-","."]', none=True),
    "header": Flag(none=True),
    "column_names": ListOf(Text(), "[id,price]", none=True),
    "skip_lines": Number("[0, inf)", integer=True, none=True),
    "comment": Text(none=True),
    # optimizers and schedulers
    "lr": Number("(0, inf)"),
    "weight_decay": Number("[0, inf)"),
    "momentum": Number("[0, 1)"),
    "nesterov": Flag(),
    "fused": Flag(),
    "betas": ListOf(Number("[0, 1)"), "[0.9,0.999]", length=2),
    "alpha": Number("[0, 1)"),
    "eps": Number("(0, inf)"),
    "warmup_fraction": Number("[0, 1)"),
    "final_lr_fraction": Number("[0, 1]"),
    "pct_start": Number("(0, 1)"),
    "div_factor": Number("(0, inf)"),
    "final_div_factor": Number("(0, inf)"),
    "factor": Number("(0, 1]"),
    "patience": Number("[0, inf)", integer=True),
    # the trainer
    "max_epochs": Number("[1, inf)", integer=True),
    "gradient_clip_val": Number("(0, inf)", none=True),
    "max_steps": Number("[1, inf)", integer=True),
    "val_check_interval": Number("(0, inf)"),
    "limit_train_batches": Number("(0, inf)"),
    "limit_val_batches": Number("(0, inf)"),
    "accumulate_grad_batches": Number("[1, inf)", integer=True),
    "check_val_every_n_epoch": Number("[1, inf)", integer=True),
}


def check(**arguments: Any) -> None:
    """Check arguments by name; names without a rule pass.

    Args:
        **arguments: Setting names and their values.

    Raises:
        ValueError: A value breaks its rule; the message names both.

    >>> check(dropout=0.5, hidden_sizes=[8, 8])
    >>> check(dropout=1.5)
    Traceback (most recent call last):
    ...
    ValueError: dropout must be a number in [0, 1), got dropout=1.5
    """
    for name, value in arguments.items():
        rule = RULES.get(name)
        if rule is not None and not rule.allows(value):
            hint = did_you_mean(value, rule.options) if isinstance(rule, Choice) else ""
            typed = "null" if value is None else value
            raise ValueError(f"{name} must be {rule}, got {name}={typed}{hint}")
