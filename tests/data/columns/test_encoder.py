"""Rows as a network's inputs, against the documented formula, computed cell by cell."""

import math

import numpy as np
import polars as pl
import pytest
import torch
from sklearn.preprocessing import OneHotEncoder

from nnlab.data.columns.dates import DAY, WEEK, YEAR
from nnlab.data.columns.encoder import RowEncoder
from nnlab.data.columns.fitting import fit_columns
from nnlab.data.columns.inferred_kinds import infer_kinds
from nnlab.data.columns.learned import CategoricalColumn, NumericColumn, read_rows

SCALINGS = ["robust", "standard", "quantile"]
LARGEST = np.finfo(np.float64).max


def make_column(**changes) -> NumericColumn:
    plain = {
        "name": "x",
        "scaling": "standard",
        "center": 0.0,
        "scale": 1.0,
        "knots": [],
        "levels": [],
        "has_missing": False,
        "date_format": None,
        "periods": [],
        "is_date": False,
    }
    return NumericColumn(**{**plain, **changes})


def make_frame(rows: int = 300) -> pl.DataFrame:
    """Numbers of several shapes, dates, and categories of both kinds, with gaps."""
    rng = np.random.default_rng(0)
    gaps = rng.random(rows) < 0.1
    letters = np.array(list("abcdefghijkl"))
    frame = pl.DataFrame(
        {
            "normal": rng.normal(50, 9, rows),
            "skewed": np.where(gaps, np.nan, rng.standard_cauchy(rows).round(1) * 1e6),
            "one or none": np.where(gaps, np.nan, 7.0),
            "when": 1.6e9 + rng.uniform(0, 2 * YEAR, rows),
            "few": letters[rng.integers(0, 3, rows)],
            "many": letters[rng.integers(0, 12, rows)],
            "rare": [*["p", "q", None] * (rows // 3 - 1), "r", "s", "t"],
        }
    ).fill_nan(None)
    return frame.with_columns(pl.from_epoch(pl.col("when").cast(pl.Int64)))


def fit(frame: pl.DataFrame, scaling: str, said: dict | None = None):
    kinds = infer_kinds(frame, said=said or {}, drop=[])
    return fit_columns(frame, kinds, scaling=scaling, max_one_hot=4)


def encode(frame: pl.DataFrame, columns) -> torch.Tensor:
    numbers, codes = read_rows(frame, columns)
    return RowEncoder(columns)(torch.from_numpy(numbers), torch.from_numpy(codes))


def scale(column: NumericColumn, number: float) -> float:
    """The formula of `RowEncoder` for one number."""
    if math.isnan(number) or column.scale == 0:
        return 0.0
    if column.knots:
        return float(np.interp(number, column.knots, column.levels))
    z = (number - column.center) / column.scale
    return z / math.sqrt(1 + (z / 3) ** 2) if column.scaling == "robust" else z


def encode_row(columns, numbers: list[float], codes: list[int]) -> list[float]:
    """One row, cell by cell: numbers, sines, cosines, indicators, one-hot inputs, codes."""
    numeric = [column for column in columns if isinstance(column, NumericColumn)]
    categorical = [column for column in columns if isinstance(column, CategoricalColumn)]
    pairs = list(zip(numeric, numbers, strict=True))
    coded = list(zip(categorical, codes, strict=True))
    turns = [
        (wave, 2 * math.pi * number / period, number)
        for wave in (math.sin, math.cos)
        for column, number in pairs
        for period in column.periods
    ]
    return [
        *(scale(column, number) for column, number in pairs),
        *(0.0 if math.isnan(number) else wave(turn) for wave, turn, number in turns),
        *(float(math.isnan(number)) for column, number in pairs if column.has_missing),
        *(
            float(code == trained)
            for column, code in coded
            if not column.is_embedded
            for trained in column.trained_codes
        ),
        *(float(code) for column, code in coded if column.is_embedded),
    ]


@pytest.mark.parametrize("scaling", SCALINGS)
def test_rows_are_what_the_formula_says(scaling: str) -> None:
    frame = make_frame()
    columns = fit(frame, scaling)
    # Beside the training rows some with unseen categories, and without any value.
    new = frame.head(3).with_columns(few=pl.lit("z"), many=pl.lit("z"), rare=pl.lit("z"))
    frame = pl.concat([frame, new, frame.clear(2)])
    numbers, codes = read_rows(frame, columns)
    expected = [
        encode_row(columns, *row) for row in zip(numbers.tolist(), codes.tolist(), strict=True)
    ]
    encoded = encode(frame, columns)
    assert encoded.dtype == torch.float32
    np.testing.assert_allclose(encoded.numpy(), expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("scaling", SCALINGS)
def test_the_sizes_that_a_network_is_told_are_those_of_the_rows(scaling: str) -> None:
    frame = make_frame()
    columns = fit(frame, scaling)
    encoder = RowEncoder(columns)
    encoded = encode(frame, columns)
    assert encoded.shape[1] == encoder.out_features == sum(column.width for column in columns)
    assert encoder.numbers == 4
    assert encoder.category_sizes == [12 + 2]
    assert encoded[:, -1].max() < encoder.category_sizes[0]


@pytest.mark.parametrize("scaling", SCALINGS)
@pytest.mark.parametrize(
    "training",
    [
        [0.0, 1.0, 2.0, 5.0],
        [1e308, -1e308, 3.0, 0.0],
        [LARGEST, -LARGEST] * 3,
        [1e-320, 0.0, -1e-320],
        [5e-324, 0.0, 1e-300, 1.0, -1.0],
        [1e-290, 2e-290, 5e-290],
        [4.0, 4.0, 4.0],
        [2.0**53, 2.0**53 + 2, 0.0],
    ],
)
def test_any_finite_number_gives_a_finite_input(scaling: str, training: list) -> None:
    frame = pl.DataFrame({"x": training, "y": [float(i) for i in range(len(training))]})
    columns = fit(frame, scaling, {"x": "numeric", "y": "numeric"})
    rng = np.random.default_rng(0)
    # All exponents that there are, the ends, and what is missing.
    some = np.ldexp(rng.uniform(-1, 1, 500), rng.integers(-1074, 1024, 500))
    any_number = [*some, LARGEST, -LARGEST, 5e-324, 0.0, -0.0, None, *training]
    new = pl.DataFrame({"x": any_number, "y": any_number}, strict=False)
    encoded = encode(new, columns)
    assert encoded.isfinite().all()
    assert encoded.abs().max() <= 1e6


@pytest.mark.parametrize("scaling", SCALINGS)
@pytest.mark.parametrize("unit", [1e308, 1e-290])
def test_inputs_do_not_depend_on_the_unit_of_the_numbers(scaling: str, unit: float) -> None:
    # Far from zero: the difference of the ends is beyond the largest float.
    frame = pl.DataFrame({"x": [-1.7, 1.0, 1.2, 1.3, 1.5, 1.6, 1.7]})
    scaled = frame * unit
    one, other = encode(frame, fit(frame, scaling)), encode(scaled, fit(scaled, scaling))
    torch.testing.assert_close(one, other)


@pytest.mark.parametrize("scaling", SCALINGS)
@pytest.mark.parametrize("exponent", [-200, 0, 300])
def test_larger_numbers_never_give_smaller_inputs(scaling: str, exponent: int) -> None:
    training = np.random.default_rng(0).standard_cauchy(300) * 10.0**exponent
    (column,) = fit(pl.DataFrame({"x": training}), scaling)
    numbers = np.sort([*np.linspace(-20, 20, 2001) * 10.0**exponent, *training, -1e308, 1e308])
    encoded = encode(pl.DataFrame({"x": numbers}), [column])[:, 0]
    assert (encoded.diff() >= -1e-6).all()
    assert encoded[-1] > encoded[0]


def test_robust_inputs_stay_within_three() -> None:
    column = make_column(scaling="robust", center=2.0, scale=0.5)
    far = encode(pl.DataFrame({"x": [1e3, 1e9, 1e308, -1e308]}), [column])[:, 0]
    assert (far.abs() <= 3).all()
    near = encode(pl.DataFrame({"x": [2.0, 2.1, 1.9, 1e2]}), [column])[:, 0]
    # Near the centre the squeeze does nothing, and where it does, order is kept.
    assert near[:3].tolist() == pytest.approx([0.0, 0.2, -0.2], abs=1e-3)
    assert 2.99 < near[3] < 3


def test_a_missing_number_is_the_centre_and_is_marked() -> None:
    for scaling in SCALINGS:
        columns = fit(pl.DataFrame({"x": [1.0, None, 3.0, 8.0]}), scaling)
        encoded = encode(pl.DataFrame({"x": [None, 8.0]}), columns)
        assert encoded[0].tolist() == [0.0, 1.0]
        assert encoded[1, 0] > 0
        assert encoded[1, 1] == 0
        # Where training never lacked it, there is no mark.
        columns = fit(pl.DataFrame({"x": [1.0, 3.0, 8.0]}), scaling)
        assert encode(pl.DataFrame({"x": [None]}, schema={"x": float}), columns).tolist() == [[0.0]]


def test_quantile_inputs_are_nearly_normal() -> None:
    values = np.random.default_rng(0).exponential(5.0, 20_000)
    frame = pl.DataFrame({"x": values})
    inputs = encode(frame, fit(frame, "quantile"))[:, 0].double().numpy()
    assert inputs.mean() == pytest.approx(0, abs=0.01)
    assert inputs.std() == pytest.approx(1, abs=0.02)
    shares = np.mean(inputs[:, None] < [-1, 0, 1], axis=0)
    np.testing.assert_allclose(shares, [0.1587, 0.5, 0.8413], atol=0.01)


def test_a_column_that_does_not_vary_is_zero_whatever_stands_beside_it() -> None:
    frame = pl.DataFrame({"same": [5.0, 5.0, None, 5.0], "x": [1.0, 2.0, 3.0, 4.0]})
    for scaling in SCALINGS:
        columns = fit(frame, scaling)
        encoded = encode(pl.DataFrame({"same": [5.0, 6.0, None], "x": [1.0, 1.0, 1.0]}), columns)
        assert encoded[:, 0].tolist() == [0.0, 0.0, 0.0]
        assert encoded[:, 2].tolist() == [0.0, 0.0, 1.0]


def test_columns_with_few_knots_do_not_mind_those_with_many() -> None:
    few = make_column(name="few", knots=[0.0, 1.0], levels=[-1.0, 1.0], scaling="quantile")
    many = make_column(
        name="many", knots=[0.0, 1.0, 4.0], levels=[-2.0, 0.0, 2.0], scaling="quantile"
    )
    frame = pl.DataFrame({"few": [-9.0, 0.0, 0.5, 1.0, 9.0], "many": [-9.0, 0.5, 1.0, 2.5, 9.0]})
    encoded = encode(frame, [few, many])
    assert encoded[:, 0].tolist() == [-1.0, -1.0, 0.0, 1.0, 1.0]
    assert encoded[:, 1].tolist() == [-2.0, -1.0, 0.0, 1.0, 2.0]


def test_knots_may_be_the_largest_numbers_apart() -> None:
    column = make_column(knots=[-1.6e308, 1.6e308], levels=[-1.0, 1.0], scaling="quantile")
    encoded = encode(pl.DataFrame({"x": [-1.6e308, -0.8e308, 0.0, 0.8e308, 1.7e308]}), [column])
    assert encoded[:, 0].tolist() == pytest.approx([-1.0, -0.5, 0.0, 0.5, 1.0])


def test_categories_are_one_hot_as_in_scikit_learn() -> None:
    frame = pl.DataFrame({"c": ["b", "a", "c"] * 5})
    columns = fit(frame, "robust")
    new = pl.DataFrame({"c": ["a", "b", "c", "z", None, "a"]})
    oracle = OneHotEncoder(handle_unknown="ignore", sparse_output=False).fit(frame.to_numpy())
    # Neither unseen nor missing ones occurred in training: both are all zeros.
    expected = oracle.transform(new.fill_null("z").to_numpy())
    np.testing.assert_array_equal(encode(new, columns).numpy(), expected)


def test_each_row_has_one_hot_input_where_training_knew_its_like() -> None:
    frame = pl.DataFrame({"c": [*["a", "b", None] * 5, "once"]})
    columns = fit(frame, "robust")
    assert (encode(frame, columns).sum(dim=1) == 1).all()
    unseen = encode(pl.DataFrame({"c": ["once", "zzz"]}), columns)
    assert torch.equal(unseen[0], unseen[1])  # either is "other"
    assert (unseen.sum(dim=1) == 1).all()


def test_codes_to_embed_stand_last_as_they_are() -> None:
    frame = pl.DataFrame({"c": [*"abcdef" * 3], "x": [float(i) for i in range(18)]})
    columns = fit(frame, "robust")
    encoded = encode(pl.DataFrame({"c": ["a", "f", "z", None], "x": [1.0] * 4}), columns)
    assert encoded[:, -1].tolist() == [2.0, 7.0, 0.0, 1.0]


def test_dates_come_round_after_their_period() -> None:
    column = make_column(is_date=True, center=1.6e9, scale=1e7, periods=[YEAR, WEEK, DAY])
    start = np.random.default_rng(0).uniform(0, 2e9, 50)

    def waves(seconds: np.ndarray) -> torch.Tensor:
        return RowEncoder([column])(
            torch.from_numpy(seconds[:, None]), torch.empty(50, 0, dtype=torch.int64)
        )[:, 1:]

    for i, period in enumerate((YEAR, WEEK, DAY)):
        again, half = waves(start + period), waves(start + period / 2)
        for wave in (i, i + 3):  # the sines stand first
            torch.testing.assert_close(again[:, wave], waves(start)[:, wave], atol=1e-4, rtol=0)
            torch.testing.assert_close(half[:, wave], -waves(start)[:, wave], atol=1e-4, rtol=0)
        radius = waves(start)[:, i].square() + waves(start)[:, i + 3].square()
        torch.testing.assert_close(radius, torch.ones(50))


def test_a_missing_date_is_at_no_point_of_its_cycles() -> None:
    frame = make_frame().select("when")
    gappy = pl.concat([frame, frame.clear(1)])
    columns = fit(gappy, "robust")
    width = columns[0].width
    assert encode(frame.clear(1), columns).tolist() == [[*[0.0] * (width - 1), 1.0]]


@pytest.mark.parametrize("scaling", SCALINGS)
def test_rows_do_not_depend_on_those_they_are_encoded_with(scaling: str) -> None:
    frame = make_frame()
    columns = fit(frame, scaling)
    whole = encode(frame, columns)
    blocks = torch.cat([encode(frame[i : i + 70], columns) for i in range(0, 300, 70)])
    assert torch.equal(whole, blocks)
    assert encode(frame[:0], columns).shape == (0, whole.shape[1])


def test_the_statistics_are_saved_with_the_network() -> None:
    frame = make_frame()
    columns = fit(frame, "quantile")
    other = RowEncoder(fit(frame, "quantile"))
    other.center.zero_()
    other.knots.zero_()
    other.load_state_dict(RowEncoder(columns).state_dict())
    numbers, codes = read_rows(frame, columns)
    encoded = other(torch.from_numpy(numbers), torch.from_numpy(codes))
    assert torch.equal(encoded, encode(frame, columns))
