"""Held-out rows: disjoint, complete, seeded, stratified."""

import pytest
import torch

from nnlab.data.split import hold_out


@pytest.mark.parametrize("rows", [2, 3, 10, 101])
@pytest.mark.parametrize("fraction", [0.01, 0.2, 0.5, 0.99])
def test_each_row_is_on_one_side(rows: int, fraction: float) -> None:
    kept, held_out = hold_out(rows, fraction=fraction, seed=0)
    assert sorted(torch.cat([kept, held_out]).tolist()) == list(range(rows))
    assert len(held_out) == min(max(1, round(rows * fraction)), rows - 1)


def test_the_same_seed_chooses_the_same_rows() -> None:
    first, again, other = (hold_out(100, fraction=0.3, seed=seed)[1] for seed in (5, 5, 6))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("fraction", [0.1, 0.2, 0.37])
def test_each_class_gives_its_share(seed: int, fraction: float) -> None:
    counts = [500, 83, 10, 2, 1]
    classes = torch.repeat_interleave(torch.arange(5), torch.tensor(counts))
    classes = classes[torch.randperm(len(classes), generator=torch.Generator().manual_seed(seed))]
    kept, held_out = hold_out(len(classes), fraction=fraction, seed=seed, classes=classes)
    assert len(held_out) == round(len(classes) * fraction)
    taken = torch.bincount(classes[held_out], minlength=5)
    for count, number in zip(counts, taken.tolist(), strict=True):
        assert abs(number - count * fraction) <= 1
    assert torch.bincount(classes[kept], minlength=5).min() >= 1


def test_one_row_cannot_be_split() -> None:
    with pytest.raises(ValueError, match="at least 2 rows, got rows=1"):
        hold_out(1, fraction=0.5, seed=0)
