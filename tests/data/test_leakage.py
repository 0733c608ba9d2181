"""Columns that give the target away, and strong ones that do not."""

import numpy as np
import polars as pl
import pytest

from nnlab.data.columns.fitting import fit_columns
from nnlab.data.columns.inferred_kinds import infer_kinds
from nnlab.data.leakage import find_leaks

ROWS = 2000
RNG = np.random.default_rng(0)
NUMBERS = RNG.lognormal(3, 1, ROWS)
CLASSES = RNG.choice(4, ROWS, p=[0.6, 0.2, 0.15, 0.05])
NOISE = RNG.normal(size=ROWS)


def leaks_of(values, targets, *, classes: bool, kind: str | None = None) -> dict[str, float]:
    frame = pl.DataFrame({"x": values})
    said = {"x": kind} if kind else {}
    kinds = infer_kinds(frame, said=said, drop=[])
    columns = fit_columns(frame, kinds, scaling="robust", max_one_hot=8)
    assert columns
    return find_leaks(frame, columns, np.asarray(targets, dtype=float), classes=classes)


@pytest.mark.parametrize(
    "transform",
    [
        lambda y: y,
        lambda y: -3 * y + 7,
        np.log,
        lambda y: 1 / y,
        lambda y: y**5,
        lambda y: y.round(),
        lambda y: np.where(RNG.random(ROWS) < 0.001, 1.0, y),
    ],
    ids=["copy", "line", "log", "inverse", "power", "rounded", "nearly a copy"],
)
def test_a_number_that_orders_the_rows_as_the_target_does_is_a_leak(transform) -> None:
    leaks = leaks_of(transform(NUMBERS), NUMBERS, classes=False)
    assert 0.995 < leaks["x"] <= 1


@pytest.mark.parametrize("share", [0.05, 0.2, 1.0])
def test_a_noisy_copy_of_a_number_is_no_leak(share: float) -> None:
    noisy = NUMBERS + share * NUMBERS.std() * NOISE
    assert np.corrcoef(noisy, NUMBERS)[0, 1] > 0.6
    assert leaks_of(noisy, NUMBERS, classes=False) == {}


def test_what_is_left_is_one_minus_the_determination_of_the_ranks() -> None:
    # A category for each tenth of the ranks leaves a hundredth of their variance.
    tenths = np.argsort(np.argsort(NUMBERS)) * 200 // ROWS
    leaks = leaks_of(tenths, NUMBERS, classes=False, kind="categorical")
    ranks = np.argsort(np.argsort(NUMBERS))
    means = np.bincount(tenths, weights=ranks) / np.bincount(tenths)
    expected = np.corrcoef(ranks, means[tenths])[0, 1] ** 2
    assert leaks["x"] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("encode", "kind"),
    [
        (lambda y: y, "numeric"),
        (lambda y: y, "categorical"),
        (lambda y: np.array(["ham", "spam", "eggs", "tea"])[y], None),
        (lambda y: np.array([512, 100, 733, 101])[y], None),
        (lambda y: y * 50 + RNG.integers(0, 50, ROWS), "categorical"),
    ],
    ids=["index", "code", "name", "number", "several categories each"],
)
def test_a_column_that_encodes_the_classes_is_a_leak(encode, kind) -> None:
    leaks = leaks_of(encode(CLASSES), CLASSES, classes=True, kind=kind)
    assert 0.995 < leaks["x"] <= 1


def test_missing_values_can_give_the_target_away() -> None:
    positive = CLASSES == 1
    gone = np.where(positive, np.nan, NOISE)
    assert leaks_of(pl.Series(gone).fill_nan(None), positive, classes=True) == {"x": 1.0}
    text = pl.Series(np.where(positive, None, "x"))
    assert leaks_of(text, positive, classes=True) == {"x": 1.0}


@pytest.mark.parametrize("accuracy", [0.5, 0.9, 0.99])
def test_a_strong_predictor_of_classes_is_no_leak(accuracy: float) -> None:
    wrong = RNG.random(ROWS) > accuracy
    guess = np.where(wrong, (CLASSES + 1) % 4, CLASSES)
    assert leaks_of(guess, CLASSES, classes=True, kind="categorical") == {}
    assert leaks_of(guess + NOISE / 1e3, CLASSES, classes=True, kind="numeric") == {}


def test_a_frequent_class_is_not_predicted_by_a_column_of_noise() -> None:
    rare = np.arange(ROWS) % 500 == 0
    assert leaks_of(NOISE, rare, classes=True) == {}
    assert leaks_of(CLASSES, rare, classes=True, kind="categorical") == {}


@pytest.mark.parametrize("kind", ["numeric", "categorical"])
def test_identifiers_do_not_count(kind: str) -> None:
    shuffled = RNG.permutation(ROWS)
    assert leaks_of(shuffled, CLASSES, classes=True, kind=kind) == {}
    assert leaks_of(shuffled, NUMBERS, classes=False, kind=kind) == {}
    # Nor do pairs, each with its own target, of which no new row could be one.
    pairs = np.arange(ROWS) // 2
    assert leaks_of(pairs, NUMBERS[pairs], classes=False, kind="categorical") == {}


@pytest.mark.parametrize("share", [0.3, 0.0375])
def test_a_number_by_whose_threshold_the_classes_were_made_is_a_leak(share: float) -> None:
    is_above = np.quantile(NUMBERS, 1 - share) < NUMBERS
    assert "x" in leaks_of(NUMBERS, is_above, classes=True)
    # So is a row number where the rows are sorted by the classes.
    assert "x" in leaks_of(np.arange(ROWS), np.sort(is_above), classes=True, kind="numeric")


@pytest.mark.parametrize("rows", [50, 100])
def test_a_copy_is_found_in_every_table_that_is_not_too_small_to_tell(rows: int) -> None:
    assert "x" in leaks_of(NUMBERS[:rows], NUMBERS[:rows], classes=False)


@pytest.mark.parametrize("rows", [5, 12, 49])
def test_in_a_small_table_equal_numbers_are_a_leak_and_strong_ones_are_not(rows: int) -> None:
    numbers = NUMBERS[:rows]
    assert leaks_of(numbers, numbers, classes=False) == {"x": 1.0}
    gone = pl.Series([*numbers, None])
    assert leaks_of(gone, [*numbers, 1.5], classes=False) == {"x": 1.0}
    assert leaks_of(np.log(numbers), numbers, classes=False) == {}
    assert leaks_of([*numbers[:-1], 1.5], numbers, classes=False) == {}
    # Four may be equal by chance.
    assert leaks_of(np.arange(rows) % 4, np.arange(rows) % 4, classes=False, kind="numeric") == {}


@pytest.mark.parametrize("counts", [[13, 13], [10, 30], [9, 7, 5]])
@pytest.mark.parametrize("kind", ["numeric", "categorical"])
def test_in_a_small_table_a_value_for_each_class_is_a_leak(counts: list, kind: str) -> None:
    labels = np.repeat(np.arange(len(counts)), counts)
    assert leaks_of(labels * 7 + 1, labels, classes=True, kind=kind) == {"x": 1.0}
    # A threshold, or several categories, may separate them by chance.
    assert leaks_of(labels * 100 + np.arange(len(labels)), labels, classes=True, kind=kind) == {}
    few = labels[:: len(labels) // 8]
    assert leaks_of(few, few, classes=True, kind=kind) == {}


def test_a_class_of_two_rows_is_not_given_away_by_noise() -> None:
    # One in eight columns of noise has both of them side by side or at an end.
    labels = np.arange(60) < 2
    noises = [RNG.normal(size=60) for _ in range(100)]
    assert not any(leaks_of(noise, labels, classes=True) for noise in noises)
    assert leaks_of(~labels, labels, classes=True, kind="categorical") == {}


@pytest.mark.parametrize("rare", [100, 150, 700])
def test_one_mislabelled_row_does_not_hide_a_copy(rare: int) -> None:
    labels = np.arange(ROWS) < rare
    copy = labels.astype(int)
    copy[0] = 0
    leaks = leaks_of(copy, labels, classes=True, kind="categorical")
    assert leaks == {"x": pytest.approx(1 - 1 / rare)}
    # Of few rows of a class one is much.
    assert leaks_of(copy[:200], labels[150:350], classes=True, kind="categorical") == {}


@pytest.mark.parametrize("classes", [True, False])
def test_a_target_that_does_not_vary_has_nothing_to_give_away(classes: bool) -> None:
    assert leaks_of(NOISE, np.ones(ROWS), classes=classes) == {}


def test_only_the_columns_that_leak_are_named() -> None:
    frame = pl.DataFrame({"noise": NOISE, "copy": NUMBERS, "code": CLASSES.astype(str)})
    kinds = infer_kinds(frame, said={}, drop=[])
    columns = fit_columns(frame, kinds, scaling="robust", max_one_hot=8)
    assert list(find_leaks(frame, columns, NUMBERS, classes=False)) == ["copy"]
    assert list(find_leaks(frame, columns, CLASSES.astype(float), classes=True)) == ["code"]


def test_large_tables_are_judged_by_a_part_of_their_rows() -> None:
    rows = 120_000
    targets = np.random.default_rng(1).normal(size=rows)
    frame = pl.DataFrame({"x": np.exp(targets), "y": targets[::-1].copy()})
    kinds = infer_kinds(frame, said={}, drop=[])
    columns = fit_columns(frame, kinds, scaling="robust", max_one_hot=8)
    assert list(find_leaks(frame, columns, targets, classes=False)) == ["x"]


@pytest.mark.parametrize("classes", [False, True])
def test_the_order_of_a_sorted_file_is_no_leak(classes: bool) -> None:
    # Of equal numbers none says which row came first.
    targets = np.sort(CLASSES if classes else NUMBERS)
    assert leaks_of(RNG.integers(0, 3, ROWS), targets, classes=classes, kind="numeric") == {}
