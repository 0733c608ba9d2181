"""What each setting may be, in one place.

A setting has one name from the YAML file down to the constructor, so one table serves both:
constructors call `check` on their arguments, and the command line checks a whole config before
torch is loaded.
"""

import difflib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

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


def mode_of(monitor: object) -> str:
    """Whether the best value of a metric such as `val/loss` is its `min` or its `max`."""
    return "min" if str(monitor).rpartition("/")[2] in _LOWER_IS_BETTER else "max"


def monitors(task: str) -> list[str]:
    """The validation metrics that can choose a run's best epoch."""
    return [f"val/{name}" for name in ("loss", *METRICS[task])]


class Rule(Protocol):
    """A rule knows whether it allows a value and says in words what it allows."""

    def allows(self, value: Any) -> bool:
        """Whether `value` keeps the rule."""

    def __str__(self) -> str: ...


@dataclass(frozen=True)
class Number:
    """A finite number in an interval such as `[0, 1)` or `(0, inf)`."""

    interval: str
    integer: bool = False
    none: bool = False

    def allows(self, value: Any) -> bool:
        """Whether `value` is such a number (a bool is none)."""
        if value is None:
            return self.none
        if isinstance(value, bool) or not isinstance(value, int if self.integer else (int, float)):
            return False
        low, high = self._bounds()
        above = value > low if self.interval.startswith("(") else value >= low
        below = value < high if self.interval.endswith(")") else value <= high
        return math.isfinite(value) and above and below

    def _bounds(self) -> tuple[float, float]:
        low, high = self.interval[1:-1].split(",")
        return float(low), float(high)

    def __str__(self) -> str:
        low, high = self._bounds()
        if math.isfinite(high):
            bounds = f"in {self.interval}"
        else:
            bounds = f"above {low:g}" if self.interval.startswith("(") else f"of at least {low:g}"
        kind = "a whole number" if self.integer else "a number"
        return f"{kind} {bounds}" + (" or null" if self.none else "")


@dataclass(frozen=True)
class Choice:
    """One of a few names."""

    options: tuple[str, ...]
    none: bool = False

    def allows(self, value: Any) -> bool:
        """Whether `value` is one of the names."""
        return value in self.options or (value is None and self.none)

    def __str__(self) -> str:
        return f"one of {', '.join(self.options)}" + (" or null" if self.none else "")


@dataclass(frozen=True)
class Flag:
    """True or false."""

    none: bool = False

    def allows(self, value: Any) -> bool:
        """Whether `value` is a bool."""
        return isinstance(value, bool) or (value is None and self.none)

    def __str__(self) -> str:
        return "true or false" + (" or null" if self.none else "")


@dataclass(frozen=True)
class Text:
    """A text that is not empty."""

    none: bool = False

    def allows(self, value: Any) -> bool:
        """Whether `value` is such a text."""
        if value is None:
            return self.none
        return isinstance(value, str) and value.strip() != ""

    def __str__(self) -> str:
        return "a text (quote what looks like a number)" + (" or null" if self.none else "")


@dataclass(frozen=True)
class Kinds:
    """Column kinds by column name."""

    def allows(self, value: Any) -> bool:
        """Whether `value` maps names to kinds or to formats of dates."""
        return isinstance(value, Mapping) and all(
            kind in COLUMN_KINDS or (isinstance(kind, str) and "%" in kind)
            for kind in flat_names(value).values()
        )

    def __str__(self) -> str:
        kinds = ", ".join(COLUMN_KINDS)
        return f"a kind for each column that is named: {kinds}, or a date's format as %d/%m/%Y"


@dataclass(frozen=True)
class Mark:
    """One visible ASCII character that no word or number holds, or one of a few words for one."""

    words: tuple[str, ...]

    def allows(self, value: Any) -> bool:
        """Whether `value` is such a character or word, or None."""
        if value is None or (isinstance(value, str) and value in self.words):
            return True
        is_one = isinstance(value, str) and len(value) == 1 and value.isascii()
        return is_one and not value.isalnum() and value not in "\0\r\n.+-_"

    def __str__(self) -> str:
        return f"one character such as ; or one of {', '.join(self.words)} or null"


@dataclass(frozen=True)
class Encoding:
    """The name of a text encoding."""

    def allows(self, value: Any) -> bool:
        """Whether Python knows such an encoding; None is allowed."""
        if value is None:
            return True
        try:
            return isinstance(value, str) and isinstance(b"1".decode(value, "ignore"), str)
        except (LookupError, ValueError):
            return False

    def __str__(self) -> str:
        return "an encoding such as utf-8, latin-1 or utf-16-le, or null"


@dataclass(frozen=True)
class ListOf:
    """A list of values that each keep a rule, possibly empty unless it has a fixed length."""

    rule: Rule
    example: str
    length: int | None = None
    none: bool = False

    def allows(self, value: Any) -> bool:
        """Whether `value` is such a list."""
        if value is None:
            return self.none
        return (
            isinstance(value, list | tuple)
            and all(map(self.rule.allows, value))
            and self.length in (None, len(value))
        )

    def __str__(self) -> str:
        return f"a list such as {self.example}, each {self.rule}" + (
            " or null" if self.none else ""
        )


@dataclass(frozen=True)
class Either:
    """What one of two rules allows."""

    first: Rule
    second: Rule

    def allows(self, value: Any) -> bool:
        """Whether `value` keeps one of them."""
        return self.first.allows(value) or self.second.allows(value)

    def __str__(self) -> str:
        return f"{self.first}, or {self.second}"


RULES: dict[str, Rule] = {
    # the run
    "seed": Number("[0, 4294967295]", integer=True),
    "threads": Number("[1, 1024]", integer=True, none=True),
    "monitor": Choice(
        tuple(dict.fromkeys(name for task in METRICS for name in monitors(task))), none=True
    ),
    "every_n_steps": Number("[1, inf)", integer=True),
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
    "target": Text(),
    "task": Choice(("auto", "binary", "multiclass", "regression")),
    "batch_size": Number("[1, inf)", integer=True),
    "val_fraction": Number("(0, 1)"),
    "test_fraction": Number("(0, 1)", none=True),
    "columns": Kinds(),
    "drop": ListOf(Text(), "[id,note]"),
    "scaling": Choice(("robust", "standard", "quantile")),
    "max_one_hot": Number("[0, inf)", integer=True),
    "val_path": Text(none=True),
    "test_path": Text(none=True),
    "group": Text(none=True),
    "time": Text(none=True),
    "fold": Number("[0, inf)", integer=True),
    "folds": Number("[2, inf)", integer=True, none=True),
    # the table file
    "separator": Mark(("tab",)),
    "encoding": Encoding(),
    "decimal": Choice((".", ","), none=True),
    "quote": Mark(("none",)),
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
            raise ValueError(f"{name} must be {rule}, got {name}={value}{hint}")


def flat_names(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Settings by column name where a name has dots, which a command line takes for levels.

    >>> flat_names({"sepal": {"length": "numeric"}, "zip": "categorical"})
    {'sepal.length': 'numeric', 'zip': 'categorical'}
    """
    flat: dict[str, Any] = {}
    for name, value in columns.items():
        if isinstance(value, Mapping):
            flat |= {f"{name}.{end}": kind for end, kind in flat_names(value).items()}
        else:
            flat[str(name)] = value
    return flat


def did_you_mean(word: Any, options: Iterable[str]) -> str:
    """The end of an error message that offers the closest option, or nothing.

    >>> did_you_mean("rleu", ["relu", "tanh"])
    "; did you mean 'relu'?"
    """
    by_lower_case = {option.lower(): option for option in options}
    close = difflib.get_close_matches(str(word).lower(), by_lower_case, n=1)
    return f"; did you mean '{by_lower_case[close[0]]}'?" if close else ""
