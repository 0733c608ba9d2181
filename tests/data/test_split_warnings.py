"""What a person is told of rows that depend on each other, where they are split at random."""

from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from nnlab.data.columns.fitting import fit_columns
from nnlab.data.columns.inferred_kinds import infer_kinds
from nnlab.data.split_warnings import warn_of_order, warn_of_subjects

ROWS = 240
CHANCE = np.random.default_rng(0)
DAYS = [date(2024, 1, 1) + timedelta(i // 4) for i in range(ROWS)]
SUBJECT = np.repeat(np.arange(60), 4)[CHANCE.permutation(ROWS)]
VALUES = CHANCE.normal(size=ROWS)


def order_of(days: list, **more) -> list[str]:
    frame = pl.DataFrame({"x": VALUES, "day": days, **more})
    kinds = infer_kinds(frame, said={}, drop=[])
    return warn_of_order(frame, fit_columns(frame, kinds, scaling="robust", max_one_hot=8))


def subjects_of(target: list | np.ndarray = VALUES, **columns) -> list[str]:
    frame = pl.DataFrame({"x": VALUES, **columns})
    kinds = infer_kinds(frame, said={}, drop=[])
    return warn_of_subjects(frame.with_columns(pl.Series("target", target)), kinds, "target")


@pytest.mark.parametrize(
    "turn", [lambda days: days, lambda days: days[::-1], lambda d: map(str, d)]
)
def test_rows_in_the_order_of_their_dates_are_told_of(turn: Callable) -> None:
    (warning,) = order_of([*turn(DAYS[:-1]), None])
    assert "in the order of 'day', but are split at random" in warning
    assert warning.endswith("set data.time=day")


@pytest.mark.parametrize("unit", [1, 1000])
def test_moments_counted_since_1970_have_an_order_too(unit: int) -> None:
    moments = [(1_700_000_000 + 300 * i) * unit for i in range(ROWS)]
    (warning,) = order_of(moments)
    assert warning.endswith("set data.time=day")
    assert order_of(list(CHANCE.permutation(moments))) == []
    assert order_of([1_000_000 + 300 * i for i in range(ROWS)]) == []  # as the numbers of orders
    assert order_of(moments[::-1]) == []  # as amounts


def test_rows_in_another_order_are_not() -> None:
    assert order_of(list(CHANCE.permutation(DAYS))) == []
    assert order_of([DAYS[i // 30] for i in range(ROWS)]) == []  # few dates may be so by chance


def test_series_one_below_the_other_are_told_of() -> None:
    series = [date(2024, 1, 1) + timedelta(i) for i in range(80)]
    (warning,) = order_of(series * 3)
    assert "in the order of 'day', 3 series one below the other, but are split" in warning
    (warning,) = order_of(series[::-1] * 3)
    assert ", 3 series" in warning
    assert order_of(series[:24] * 10) == []
    often = [series[0]] * ROWS  # one day, but for some others here and there
    for i in range(0, ROWS, 5):
        often[i] = series[(7 * i) % 80]
    assert order_of(often) == []


def test_subjects_with_several_rows_are_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    height = CHANCE.normal(size=60)[SUBJECT]
    for subjects in (SUBJECT, [f"P{i}" for i in SUBJECT]):
        (warning,) = subjects_of(patient_id=subjects, height=height)
        assert "rows of one 'patient_id' are in training and test alike" in warning
        assert warning.endswith("set data.group=patient_id")
    monkeypatch.setattr("nnlab.data.split_warnings._MOST_ROWS", ROWS - 1)
    assert subjects_of(patient_id=SUBJECT, height=height) == []


@pytest.mark.parametrize("outcome", [CHANCE.normal(size=60), np.arange(60) % 2])
def test_subjects_are_told_of_where_the_target_is_their_own(outcome: np.ndarray) -> None:
    (warning,) = subjects_of(patient_id=SUBJECT, target=outcome[SUBJECT])
    assert warning.endswith("set data.group=patient_id")
    # Whatever columns are called.
    for name in ("count", "rows", "value", "subject"):
        assert subjects_of(patient_id=SUBJECT, target=outcome[SUBJECT], **{name: VALUES})
    # One patient alone may have had it by chance.
    assert subjects_of(patient_id=SUBJECT, target=SUBJECT == 3) == []


def test_subjects_are_told_of_whose_numbers_differ_but_little() -> None:
    height = CHANCE.normal(size=60)[SUBJECT]
    for noise, is_told in ((0.02, True), (1.0, False)):
        target = height + noise * CHANCE.normal(size=ROWS)
        assert bool(subjects_of(MRN=SUBJECT, target=target)) == is_told
    # A number far out, of one who has but one row, makes others no more alike.
    subject, target = np.array(SUBJECT), CHANCE.normal(size=ROWS)
    subject[0], target[0] = 99, 1e6
    assert subjects_of(patient_id=subject, target=target) == []


@pytest.mark.parametrize("name", ["patient", "Subject", "customers", "machine name"])
def test_subjects_are_known_by_what_people_call_them(name: str) -> None:
    (warning,) = subjects_of(**{name: SUBJECT, "height": CHANCE.normal(size=60)[SUBJECT]})
    assert f"rows of one '{name}' are in training and test alike" in warning


@pytest.mark.parametrize(
    "columns",
    [
        {"patient_id": SUBJECT},  # nothing else is the subject's own
        {"patient_id": SUBJECT, "height": CHANCE.normal(size=ROWS)},
        {"dose": SUBJECT, "height": CHANCE.normal(size=60)[SUBJECT]},  # a name like any other
        {"shop_id": SUBJECT % 9, "size": CHANCE.normal(size=9)[SUBJECT % 9]},  # few, all known
    ],
    ids=["alone", "none of its own", "another name", "few"],
)
def test_what_is_no_subject_is_not(columns: dict) -> None:
    assert subjects_of(**columns) == []
