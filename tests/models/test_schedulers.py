"""The learning-rate schedule against its formula."""

import math

import pytest
import torch

from nnlab.models import WarmupCosineLR


def rates(total_steps: int, warmup_fraction: float, final_lr_fraction: float) -> list[float]:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=2.0)
    scheduler = WarmupCosineLR(
        optimizer,
        total_steps=total_steps,
        warmup_fraction=warmup_fraction,
        final_lr_fraction=final_lr_fraction,
    )
    seen = []
    for _ in range(total_steps + 1):
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return seen


def test_rises_in_a_line_and_falls_in_half_a_cosine() -> None:
    seen = rates(100, 0.1, 0.0)
    assert seen[:10] == pytest.approx([2 * (i + 1) / 10 for i in range(10)])
    expected = [1 + math.cos(math.pi * (i - 10) / 90) for i in range(10, 101)]
    assert seen[10:] == pytest.approx(expected)


def test_ends_at_its_final_share_of_the_peak() -> None:
    seen = rates(40, 0.0, 0.25)
    assert seen[0] == pytest.approx(2.0)
    assert seen[-1] == pytest.approx(0.5)


def test_equals_torchs_cosine_without_warmup() -> None:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=2.0)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=30, eta_min=0.2)
    expected = []
    for _ in range(31):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    assert rates(30, 0.0, 0.1) == pytest.approx(expected)


def test_a_warmup_of_the_whole_run_is_refused() -> None:
    with pytest.raises(ValueError, match="warmup_fraction must be"):
        rates(10, 1.0, 0.0)
