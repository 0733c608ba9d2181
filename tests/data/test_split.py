"""Held-out rows and folds: disjoint, complete, seeded, stratified, by group, by time."""

import pytest
import torch

from nnlab.data.split import hold_out, places, take_fold


def both_sides(rows: int, **options) -> tuple[torch.Tensor, torch.Tensor]:
    """The places of the rows that are kept, and of those held out."""
    held_out = hold_out(rows, **options)
    return places(~held_out), places(held_out)


def shuffled_groups(sizes: list, seed: int) -> torch.Tensor:
    """The number of each row's group (or class), of these sizes, in a random order."""
    groups = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
    generator = torch.Generator().manual_seed(seed)
    return groups[torch.randperm(len(groups), generator=generator)]


@pytest.mark.parametrize("rows", [2, 3, 10, 101])
@pytest.mark.parametrize("fraction", [0.01, 0.2, 0.5, 0.99])
def test_each_row_is_on_one_side(rows: int, fraction: float) -> None:
    kept, held_out = both_sides(rows, fraction=fraction, seed=0)
    assert sorted(torch.cat([kept, held_out]).tolist()) == list(range(rows))
    assert len(held_out) == min(max(1, round(rows * fraction)), rows - 1)


def test_the_same_seed_chooses_the_same_rows() -> None:
    first, again, other = (hold_out(100, fraction=0.3, seed=seed) for seed in (5, 5, 6))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("fraction", [0.1, 0.2, 0.37])
def test_each_class_gives_its_share(seed: int, fraction: float) -> None:
    counts = [500, 83, 10, 2, 1]
    classes = shuffled_groups(counts, seed)
    kept, held_out = both_sides(len(classes), fraction=fraction, seed=seed, classes=classes)
    assert len(held_out) == round(len(classes) * fraction)
    taken = torch.bincount(classes[held_out], minlength=5)
    for count, number in zip(counts, taken.tolist(), strict=True):
        assert abs(number - count * fraction) <= 1
    assert torch.bincount(classes[kept], minlength=5).min() >= 1


def test_one_row_cannot_be_split() -> None:
    with pytest.raises(ValueError, match="at least 2 rows, got rows=1"):
        hold_out(1, fraction=0.5, seed=0)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("sizes", [[1] * 50, [10] * 10, [60, 20, 10, 5, 5], [1, 99]])
def test_groups_never_straddle_a_split(seed: int, sizes: list) -> None:
    groups = shuffled_groups(sizes, seed)
    kept, held_out = both_sides(len(groups), fraction=0.3, seed=seed, groups=groups)
    assert sorted([*kept.tolist(), *held_out.tolist()]) == list(range(len(groups)))
    ours, theirs = set(groups[kept].tolist()), set(groups[held_out].tolist())
    assert ours
    assert theirs
    assert not ours & theirs
    # No other number of groups would come nearer than the largest of them reaches.
    assert abs(len(held_out) - 0.3 * len(groups)) <= max(max(sizes), 0.3 * len(groups))


@pytest.mark.parametrize("seed", range(5))
def test_groups_of_one_size_give_their_share(seed: int) -> None:
    groups = shuffled_groups([4] * 25, seed)
    assert hold_out(100, fraction=0.2, seed=seed, groups=groups).sum() == 20
    # 18 rows are nearer to four groups of four than to five.
    assert hold_out(100, fraction=0.17, seed=seed, groups=groups).sum() == 16


@pytest.mark.parametrize("seed", range(10))
def test_a_group_that_has_nearly_all_rows_is_learned_from(seed: int) -> None:
    groups = torch.cat([torch.zeros(295, dtype=torch.long), torch.arange(1, 6)])
    held_out = hold_out(300, fraction=0.2, seed=seed, groups=groups, left=2)
    assert not held_out[:295].any()
    assert held_out.any()


def test_the_numbers_of_groups_need_not_be_consecutive() -> None:
    groups = torch.tensor([7, 0, 7, 900, 0, 900])
    kept, held_out = both_sides(6, fraction=0.3, seed=0, groups=groups)
    assert len(held_out) == 2
    assert not set(groups[kept].tolist()) & set(groups[held_out].tolist())


def test_the_seed_chooses_the_groups() -> None:
    groups = shuffled_groups([2] * 50, 0)
    first, again, other = (
        hold_out(100, fraction=0.3, seed=seed, groups=groups) for seed in (5, 5, 6)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("fraction", [0.01, 0.2, 0.5, 0.99])
@pytest.mark.parametrize("moments", [2, 7, 1000])
def test_every_held_out_row_is_later(fraction: float, moments: int) -> None:
    generator = torch.Generator().manual_seed(moments)
    times = torch.randint(0, moments, (200,), generator=generator).double() * 1e6 - 5e8
    kept, held_out = both_sides(200, fraction=fraction, seed=0, times=times)
    assert sorted([*kept.tolist(), *held_out.tolist()]) == list(range(200))
    assert len(kept) > 0
    assert len(held_out) > 0
    # Rows of one time stay together, so that the comparison is strict.
    assert times[held_out].min() > times[kept].max()
    ties = torch.unique(times, return_counts=True)[1].max().item()
    assert abs(len(held_out) - 200 * fraction) <= ties


def test_enough_times_and_groups_are_left_to_be_split_again() -> None:
    # A fifth is nearest to the last two, but then a single one would be left.
    values = shuffled_groups([85, 10, 5], 0)
    for left, kept in ((1, {0}), (2, {0, 1}), (3, {0})):
        rows, _ = both_sides(100, fraction=0.2, seed=0, times=values.double(), left=left)
        if left < 3:
            assert set(values[rows].tolist()) == kept
    for seed in range(10):
        rows, _ = both_sides(100, fraction=0.8, seed=seed, groups=values, left=2)
        assert len(values[rows].unique()) == 2


def test_nothing_is_left_to_chance_where_time_decides() -> None:
    times = torch.tensor([5.0, 1.0, 4.0, 2.0, 3.0])
    for seed in range(5):
        kept, held_out = both_sides(5, fraction=0.4, seed=seed, times=times)
        assert (kept.tolist(), held_out.tolist()) == ([1, 3, 4], [0, 2])


@pytest.mark.parametrize(("rows", "folds"), [(2, 2), (10, 3), (101, 5), (7, 7)])
def test_folds_share_out_all_rows(rows: int, folds: int) -> None:
    taken = [places(take_fold(rows, fold=i, folds=folds, seed=0)) for i in range(folds)]
    assert sorted(torch.cat(taken).tolist()) == list(range(rows))
    assert max(map(len, taken)) - min(map(len, taken)) <= 1


@pytest.mark.parametrize("seed", range(5))
def test_folds_are_stratified(seed: int) -> None:
    counts = torch.tensor([500, 83, 10, 5])
    classes = shuffled_groups(counts.tolist(), seed)
    for fold in range(5):
        rows = take_fold(len(classes), fold=fold, folds=5, seed=seed, classes=classes)
        assert (torch.bincount(classes[rows], minlength=4) - counts / 5).abs().max() <= 1


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("sizes", [[1] * 50, [10] * 10, [30, 30, 20, 10, 5, 5]])
def test_a_group_is_in_one_fold(seed: int, sizes: list) -> None:
    groups = shuffled_groups(sizes, seed)
    taken = [
        places(take_fold(len(groups), fold=i, folds=3, seed=seed, groups=groups * 7))
        for i in range(3)
    ]
    assert sorted(torch.cat(taken).tolist()) == list(range(len(groups)))
    members = [set(groups[rows].tolist()) for rows in taken]
    assert sum(map(len, members)) == len(sizes)
    # The next group goes to the smallest fold, so that none is behind by more than a group.
    assert max(map(len, taken)) - min(map(len, taken)) <= max(sizes)


def test_the_seed_chooses_the_folds() -> None:
    groups = shuffled_groups([2] * 50, 0)
    for options in ({}, {"groups": groups}, {"classes": groups % 2}):
        first, again, other = (
            take_fold(100, fold=1, folds=4, seed=seed, **options) for seed in (5, 5, 6)
        )
        assert torch.equal(first, again)
        assert not torch.equal(first, other)


@pytest.mark.parametrize(
    ("split", "message"),
    [
        (
            lambda: hold_out(9, fraction=0.3, seed=0, groups=torch.zeros(9, dtype=torch.int64)),
            "data.group must have at least two different values to be split by, got 1 in 9 rows",
        ),
        (
            lambda: hold_out(9, fraction=0.3, seed=0, times=torch.ones(9)),
            "data.time must have at least two different values to be split by, got 1 in 9 rows",
        ),
        (
            lambda: take_fold(4, fold=0, folds=5, seed=0),
            "folds must be at most the 4 rows, got folds=5",
        ),
        (
            lambda: take_fold(9, fold=0, folds=5, seed=0, groups=torch.arange(9) % 3),
            "folds must be at most the 3 groups, got folds=5",
        ),
    ],
)
def test_what_cannot_be_split_is_refused(split, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        split()
