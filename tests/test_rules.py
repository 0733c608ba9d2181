"""What each setting may be."""

import math

import pytest

from nnlab.rules import METRICS, RULES, check, mode_of, monitors
from nnlab.suggestions import did_you_mean


@pytest.mark.parametrize(
    ("name", "allowed", "refused"),
    [
        ("dropout", [0, 0.0, 0.5, 0.999], [1, 1.0, -0.1, math.nan, math.inf, "0.5", None, True]),
        ("l2", [0, 1e-4, 100], [-1e-9, math.nan, math.inf, "a", None]),
        ("lr", [1e-9, 1, 10.0], [0, -1, math.nan, None]),
        ("batch_size", [1, 4096], [0, 2.5, -1, True, "64", None]),
        ("threads", [1, 8, None], [0, 1.0]),
        ("val_fraction", [0.01, 0.99], [0, 1, 0.0]),
        ("hidden_sizes", [[], [1], (8, 8)], [[0], [2.5], 8, "8", [[8]]]),
        ("betas", [[0.9, 0.999]], [[0.9, 1.0], 0.9]),
        ("batch_norm", [True, False], [0, 1, "yes"]),
        ("activation", ["relu", "identity"], ["ReLU", "", None, 3]),
        ("gradient_clip_val", [None, 0.5], [0, -1]),
        ("seed", [0, 2**32 - 1], [-1, 2**32, 0.5]),
    ],
)
def test_a_rule_allows_its_range_and_nothing_else(name, allowed, refused) -> None:
    for value in allowed:
        check(**{name: value})
    for value in refused:
        with pytest.raises(ValueError, match=f"{name} must be "):
            check(**{name: value})


def test_a_name_without_a_rule_passes() -> None:
    check(no_such_setting=object())


def test_every_message_is_one_readable_line() -> None:
    for name, rule in RULES.items():
        with pytest.raises(ValueError) as caught:  # noqa: PT011
            check(**{name: object()})
        message = str(caught.value)
        assert message.startswith(f"{name} must be {rule}, got {name}=")
        assert "\n" not in message
        assert "inf" not in str(rule)


def test_the_closest_option_is_offered_whatever_its_case() -> None:
    assert did_you_mean("sale_price", ["Id", "Sale_Price"]) == "; did you mean 'Sale_Price'?"
    assert did_you_mean("zzz", ["Id", "Sale_Price"]) == ""


def test_losses_and_errors_are_better_when_lower() -> None:
    better = {name: mode_of(name) for task in METRICS for name in monitors(task)}
    assert {name for name, mode in better.items() if mode == "min"} == {
        "val/loss",
        "val/rmse",
        "val/mae",
    }
