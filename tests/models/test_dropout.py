"""Dropout against what it is said to be: independent units, zeroed with a probability."""

import math

import pytest
import torch
from torch import nn

from nnlab.models.dropout import Dropout


@pytest.mark.parametrize("p", [0.0, 1e-4, 0.1, 0.5, 0.9, 0.999])
def test_a_share_of_units_is_zero_and_the_mean_stays(p: float) -> None:
    torch.manual_seed(0)
    x = torch.ones(1000, 1001)
    y = Dropout(p)(x)
    assert y.shape == x.shape
    zeros = int((y == 0).sum())
    spread = math.sqrt(x.numel() * p * (1 - p))
    assert abs(zeros - p * x.numel()) <= 5 * spread + x.numel() / 2**16
    kept = y[y != 0]
    assert kept.unique().numel() == 1
    assert float(kept[0]) == pytest.approx(1 / (1 - p), rel=2**-17 / (1 - p) + 1e-6)


def test_units_are_zeroed_independently_of_each_other() -> None:
    torch.manual_seed(0)
    zero = (Dropout(0.3)(torch.ones(4000, 255)) == 0).float() - 0.3
    flat, count = zero.flatten(), zero.numel()
    for distance in (1, 2, 3, 4, 5, 8, 255, 256):  # four share a random word
        correlation = float((flat[:-distance] * flat[distance:]).sum()) / (count * 0.3 * 0.7)
        assert abs(correlation) < 5 / math.sqrt(count)
    assert float(zero.mean(dim=0).abs().max()) < 5 * math.sqrt(0.3 * 0.7 / 4000)


def test_gradients_go_where_values_went() -> None:
    torch.manual_seed(0)
    x = torch.randn(50, 7, requires_grad=True)
    y = Dropout(0.4)(x)
    y.sum().backward()
    assert torch.equal(x.grad, torch.where(y == 0, 0.0, x.grad.max()))
    assert torch.allclose(y, x * x.grad)


def test_a_seed_gives_the_same_again_on_any_number_of_threads() -> None:
    x = torch.ones(300, 300)
    before = torch.get_num_threads()
    seen = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        torch.manual_seed(7)
        seen.append(Dropout(0.5)(x))
    torch.set_num_threads(before)
    assert torch.equal(*seen)
    assert not torch.equal(seen[0], Dropout(0.5)(x))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_numbers_keep_their_kind(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    y = Dropout(0.5)(torch.ones(4, 5, dtype=dtype))
    assert y.dtype == dtype
    assert set(y.unique().tolist()) == {0.0, 2.0}


@pytest.mark.parametrize("shape", [(0, 3), (1, 1), (3,)])
def test_any_number_of_units(shape: tuple[int, ...]) -> None:
    assert Dropout(0.5)(torch.ones(shape)).shape == shape


def test_what_is_not_contiguous_is_no_other() -> None:
    x = torch.randn(20, 30)
    torch.manual_seed(0)
    expected = Dropout(0.5)(x.t().contiguous())
    torch.manual_seed(0)
    assert torch.equal(Dropout(0.5)(x.t()), expected)


def test_out_of_training_it_does_nothing() -> None:
    x = torch.randn(5, 5)
    assert Dropout(0.5).eval()(x) is x
    assert isinstance(Dropout(0.5), nn.Dropout)


def test_the_largest_probability_leaves_finite_numbers() -> None:
    torch.manual_seed(0)
    y = Dropout(1 - 1e-9)(torch.ones(1000, 1000))
    assert y.isfinite().all()
