"""Columns as inputs, against scikit-learn's preprocessing."""

import numpy as np
import polars as pl
import pytest
import torch
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from nnlab.data.columns import encode, fit_columns, from_plain, to_plain


def fit(frame: pl.DataFrame, max_categories: int = 50):
    return fit_columns(frame, max_categories=max_categories)


def test_numbers_are_standardised_filled_and_marked() -> None:
    rng = np.random.default_rng(0)
    train, test = rng.normal(50, 9, 100), rng.normal(50, 9, 20)
    train[:7], test[:3] = np.nan, np.nan
    to_frame = lambda values: pl.DataFrame({"x": values}).fill_nan(None)  # noqa: E731
    columns = fit(to_frame(train))
    oracle = make_pipeline(StandardScaler(), SimpleImputer(add_indicator=True))
    oracle.fit(train[:, None])
    expected = oracle.transform(test[:, None])
    np.testing.assert_allclose(encode(to_frame(test), columns).numpy(), expected, atol=1e-6)


def test_a_missing_number_that_training_never_lacked_is_the_mean() -> None:
    columns = fit(pl.DataFrame({"x": [1.0, 3.0]}))
    assert encode(pl.DataFrame({"x": [None, 3.0]}), columns).tolist() == [[0.0], [1.0]]


def test_categories_are_one_hot_with_places_for_missing_and_unseen() -> None:
    train = pl.DataFrame({"c": ["b", "a", None, "b"]})
    columns = fit(train)
    new = pl.DataFrame({"c": ["a", "b", None, "z"]})
    oracle = OneHotEncoder(handle_unknown="ignore", sparse_output=False).fit([["a"], ["b"]])
    encoded = encode(new, columns).numpy()
    np.testing.assert_array_equal(encoded[:2, :2], oracle.transform([["a"], ["b"]]))
    np.testing.assert_array_equal(encoded[2:], [[0, 0, 1, 0], [0, 0, 0, 1]])


def test_only_the_most_frequent_categories_have_an_input_of_their_own() -> None:
    train = pl.DataFrame({"c": ["a"] * 3 + ["b"] * 2 + ["c"] * 2 + ["d"]})
    columns = fit(train, max_categories=2)
    assert encode(pl.DataFrame({"c": ["a", "b", "c", "d"]}), columns).tolist() == [
        [1, 0, 0, 0],
        [0, 1, 0, 0],
        [0, 0, 0, 1],
        [0, 0, 0, 1],
    ]


def test_columns_that_do_not_vary_are_left_out() -> None:
    frame = pl.DataFrame(
        {"constant": [1, 1, 1], "missing": [None, None, None], "text": ["a"] * 3, "x": [1, 2, 3]}
    )
    assert [column.name for column in fit(frame)] == ["x"]


@pytest.mark.parametrize("values", [[5, 5, None], [0.0, 1e150, -1e150], [2**53, 2**53 + 2, 0]])
def test_extreme_numbers_stay_finite(values: list) -> None:
    frame = pl.DataFrame({"x": values})
    assert torch.isfinite(encode(frame, fit(frame))).all()


def test_columns_survive_as_plain_data() -> None:
    frame = pl.DataFrame({"x": [1.5, None, 3.0], "c": ["u", "v", None]})
    columns = fit(frame)
    assert from_plain(to_plain(columns)) == columns
