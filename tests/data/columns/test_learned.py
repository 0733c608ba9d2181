"""What is learned of columns, against numpy and scikit-learn; cells as numbers and codes."""

import math
from datetime import UTC, date, datetime, time, timedelta
from statistics import NormalDist

import numpy as np
import pandas
import polars as pl
import pytest
import torch
from sklearn.preprocessing import QuantileTransformer, RobustScaler, StandardScaler

from nnlab.data.columns import fitting
from nnlab.data.columns.cell_error import CellError
from nnlab.data.columns.dates import DAY, WEEK
from nnlab.data.columns.fitting import fit_columns, mean_and_spread
from nnlab.data.columns.inferred_kinds import infer_kinds
from nnlab.data.columns.learned import MISSING, OTHER, read_rows
from nnlab.data.columns.plain_data import from_plain, to_plain

LARGEST = np.finfo(np.float64).max


def fit(values: list, kind: str, *, scaling: str = "robust", max_one_hot: int = 8):
    """The column that is learned of values of one kind."""
    frame = pl.DataFrame({"x": pl.Series(values, strict=False)})
    kinds = infer_kinds(frame, said={"x": kind}, drop=[])
    (column,) = fit_columns(frame, kinds, scaling=scaling, max_one_hot=max_one_hot)
    return column


def codes_of(column, values: list) -> list[int]:
    return column.read(pl.Series("x", values)).tolist()


@pytest.fixture
def numbers() -> np.ndarray:
    """Skewed, with outliers and ties, far from zero."""
    values = 1000 + np.random.default_rng(0).standard_cauchy(3000).round(1)
    return np.append(values, [1000.0] * 50)


def test_robust_statistics_are_those_of_scikit_learn(numbers: np.ndarray) -> None:
    column = fit(numbers.tolist(), "numeric", scaling="robust")
    oracle = RobustScaler().fit(numbers[:, None])
    assert column.center == pytest.approx(oracle.center_[0], rel=1e-12)
    assert column.scale == pytest.approx(oracle.scale_[0], rel=1e-12)


def test_standard_statistics_are_those_of_scikit_learn(numbers: np.ndarray) -> None:
    column = fit(numbers.tolist(), "numeric", scaling="standard")
    oracle = StandardScaler().fit(numbers[:, None])
    assert column.center == pytest.approx(oracle.mean_[0], rel=1e-12)
    assert column.scale == pytest.approx(oracle.scale_[0], rel=1e-12)


def test_quantiles_are_those_of_scikit_learn(numbers: np.ndarray) -> None:
    column = fit(numbers.tolist(), "numeric", scaling="quantile")
    oracle = QuantileTransformer(output_distribution="normal").fit(numbers[:, None])
    levels = oracle.transform(np.array(column.knots)[:, None])[:, 0]
    # The outermost knots end the scale here and go on to 5.2 there; a tie is a step.
    inner = (np.array(column.knots) != 1000.0) & (np.abs(column.levels) < 2)
    assert inner.sum() > 100
    np.testing.assert_allclose(np.array(column.levels)[inner], levels[inner], atol=0.05)
    assert np.all(np.diff(column.knots) > 0)
    assert np.all(np.diff(column.levels) > 0)


def test_a_quantile_knot_of_many_ties_stands_at_the_middle_of_them() -> None:
    column = fit([0.0] * 500 + [*np.linspace(1, 2, 500)], "numeric", scaling="quantile")
    assert column.knots[0] == 0.0
    # The lower half of a normal distribution has its mean level at 1/4.
    assert column.levels[0] == pytest.approx(-0.6745, abs=0.01)


def test_quantile_levels_are_those_of_the_middle_of_each_share() -> None:
    column = fit([float(i) for i in range(1000)], "numeric", scaling="quantile")
    np.testing.assert_allclose(column.levels, -np.array(column.levels)[::-1], atol=1e-9)
    shares = (np.arange(256) + 0.5) / 256
    np.testing.assert_allclose([NormalDist().cdf(level) for level in column.levels], shares)
    np.testing.assert_allclose(column.knots, np.quantile(np.arange(1000.0), shares))


@pytest.mark.parametrize("scaling", ["robust", "standard", "quantile"])
def test_missing_numbers_play_no_part(scaling: str, numbers: np.ndarray) -> None:
    complete = to_plain([fit(numbers.tolist(), "numeric", scaling=scaling)])
    gappy = to_plain([fit([None, *numbers.tolist(), None], "numeric", scaling=scaling)])
    assert not complete[0].pop("has_missing")
    assert gappy[0].pop("has_missing")
    assert complete == gappy


def test_robust_scale_is_half_the_range_where_the_quartiles_are_the_same() -> None:
    column = fit([*[5.0] * 90, 1.0, 13.0], "numeric")
    assert (column.center, column.scale) == (5.0, 6.0)


@pytest.mark.parametrize("scaling", ["robust", "standard", "quantile"])
@pytest.mark.parametrize(
    "values",
    [[5, 5], [0.1] * 7, [0.0, 0.0], [LARGEST] * 3, [-LARGEST] * 3, [0.0, 1e-320], [1e-320, None]],
)
def test_what_does_not_vary_has_no_scale(scaling: str, values: list) -> None:
    column = fit(values, "numeric", scaling=scaling)
    assert column.scale == 0
    assert column.knots == []
    assert np.isfinite(column.center)


@pytest.mark.parametrize("scaling", ["robust", "standard", "quantile"])
@pytest.mark.parametrize("factor", [1e308, 1e160, 1e-160, 1e-290])
def test_statistics_do_not_depend_on_the_unit(scaling: str, factor: float) -> None:
    values = np.random.default_rng(1).uniform(-1, 1, 100)
    plain = fit(values.tolist(), "numeric", scaling=scaling)
    scaled = fit((values * factor).tolist(), "numeric", scaling=scaling)
    assert scaled.center / factor == pytest.approx(plain.center, rel=1e-9)
    assert scaled.scale / factor == pytest.approx(plain.scale, rel=1e-9)
    np.testing.assert_allclose(np.array(scaled.knots) / factor, plain.knots, rtol=1e-9)
    assert scaled.levels == plain.levels


@pytest.mark.parametrize("scaling", ["robust", "standard", "quantile"])
def test_the_largest_numbers_of_both_signs_have_a_finite_scale(scaling: str) -> None:
    column = fit([LARGEST, -LARGEST] * 5, "numeric", scaling=scaling)
    assert np.isfinite([column.center, column.scale, *column.knots, *column.levels]).all()
    assert column.scale > 1e307


def test_mean_and_spread_are_those_of_numpy() -> None:
    values = np.random.default_rng(2).normal(-500, 20, 1000)
    assert mean_and_spread(values) == pytest.approx((values.mean(), values.std()), rel=1e-12)
    assert mean_and_spread(np.array([0.1] * 3)) == (pytest.approx(0.1), 0.0)
    assert mean_and_spread(np.zeros(3)) == (0.0, 0.0)


def test_numbers_are_read_from_whatever_holds_them() -> None:
    column = fit([1.0, 2.0, 4.0], "numeric")
    for values in (
        pl.Series([3, None, 5]),
        pl.Series([3.0, None, 5.0], dtype=pl.Float32),
        pl.Series([3.0, float("nan"), 5.0]),
        pl.Series([" 3", None, "5.0 "]),
        pl.Series(["3e0", "nan", "+5"]),
    ):
        np.testing.assert_array_equal(column.read(values).to_numpy(), [3.0, np.nan, 5.0])
    assert column.read(pl.Series([True, False])).to_list() == [1.0, 0.0]
    assert column.read(pl.Series([None, None])).to_list() == [None, None]
    assert column.read(pl.Series([None, None], dtype=pl.String)).to_list() == [None, None]


@pytest.mark.parametrize(
    ("values", "row", "got"),
    [
        (["1", None, "abc", "def"], 2, "got 'abc'"),
        ([1.0, None, 2.0, float("inf")], 3, "got 'inf'"),
        ([float("-inf"), 1.0], 0, "got '-inf'"),
        (["1", "-inf"], 1, "got '-inf'"),
        (["1", "1e999"], 1, "got '1e999'"),
        (["1", ""], 1, "got ''"),
    ],
)
def test_a_cell_that_is_no_finite_number_is_found(values: list, row: int, got: str) -> None:
    column = fit([1.0, 2.0], "numeric")
    with pytest.raises(CellError, match=rf"'x' must hold finite numbers, .*{got}") as caught:
        column.read(pl.Series(values))
    assert caught.value.row == row


@pytest.mark.parametrize(
    ("kind", "cells", "bad"),
    [
        ("numeric", [1.5, None, 2.5, 4.0, 7.0], float("inf")),
        ("numeric", ["1.5", None, "2.5", "4", "7"], "1e999"),
        ("%Y%m%d", [20240101, None, 20240131, 20240215, 20240301], 20241399),
    ],
    ids=["numbers", "texts", "dates as numbers"],
)
def test_cells_beside_the_sample_are_looked_at_too(
    monkeypatch: pytest.MonkeyPatch, kind: str, cells: list, bad: object
) -> None:
    monkeypatch.setattr(fitting, "_SAMPLE", 3)
    for row in range(2, 10):
        values = [*(cells * 2)[:row], bad, *cells]
        with pytest.raises(CellError) as caught:
            fit(values, kind)
        assert caught.value.row == row


@pytest.mark.parametrize(
    ("cells", "way_out", "words"),
    [
        (["Basic", "Plus", None], "mend the column, or train with data.columns.x=categorical", ()),
        (["-", None, "-"], "mend or empty the cell", ["-"]),  # as missing values are spelled
        (["Basic", "1", "2"], "mend or empty the cell", ["Basic"]),
    ],
)
def test_a_column_of_words_is_not_to_be_emptied(cells: list, way_out: str, words) -> None:
    column = fit([1, 2, 3], "numeric")
    with pytest.raises(CellError) as caught:
        column.read(pl.Series("x", cells))
    assert caught.value.way_out.startswith(way_out)
    assert caught.value.words == words


@pytest.mark.parametrize("scaling", ["robust", "standard", "quantile"])
def test_a_sample_is_the_same_of_numbers_and_of_texts(
    monkeypatch: pytest.MonkeyPatch, scaling: str
) -> None:
    monkeypatch.setattr(fitting, "_SAMPLE", 30)
    whole = np.random.default_rng(0).integers(-50, 50, 100).tolist()
    values = [None, *whole[:40], None, None, *whole[40:]]
    texts = [None if value is None else str(value) for value in values]
    assert fit(values, "numeric", scaling=scaling) == fit(texts, "numeric", scaling=scaling)
    assert fit([*[5] * 90, 1, 13], "numeric").scale == 6.0  # wherever these two are


@pytest.mark.parametrize("scaling", ["robust", "quantile"])
def test_a_sample_has_a_part_of_each_of_those_that_take_turns(
    monkeypatch: pytest.MonkeyPatch, scaling: str
) -> None:
    monkeypatch.setattr(fitting, "_SAMPLE", 1000)
    chance = np.random.default_rng(0)
    values = np.where(np.arange(2000) % 2 == 0, chance.normal(0, 1, 2000), 1000.0)
    assert fit(values.tolist(), "numeric", scaling=scaling).scale == pytest.approx(1000, rel=0.01)


def test_cells_of_another_type_are_refused() -> None:
    with pytest.raises(ValueError, match="'x' must hold numbers, got Date"):
        fit([1.0, 2.0], "numeric").read(pl.Series([date(2024, 1, 1)]))


def test_dates_are_seconds_with_their_cycles() -> None:
    days = [datetime(2024, 1, day, 6 * (day % 4), tzinfo=UTC) for day in range(1, 31)]
    texts = [f"{day:%Y-%m-%d %H:%M}" for day in days]
    column = fit([*texts, None], "date")
    assert column.periods == [WEEK, DAY]
    assert column.date_format == "%Y-%m-%d %H:%M"
    assert column.has_missing
    assert column.width == 1 + 4 + 1
    assert column.read(pl.Series(texts)).to_list() == [day.timestamp() for day in days]
    assert column.center == pytest.approx(np.median([day.timestamp() for day in days]))
    # Typed dates are the same moments.
    typed = pl.Series(days).dt.replace_time_zone(None)
    assert column.read(typed).to_list() == column.read(pl.Series(texts)).to_list()
    with pytest.raises(CellError, match=r"hold dates such as %Y-%m-%d %H:%M, got '1\.2\.24'"):
        column.read(pl.Series([texts[0], "1.2.24"]))


def test_whole_numbers_are_dates_where_a_format_says_so() -> None:
    column = fit([20240101, 20240131, 20240210], "%Y%m%d")
    expected = datetime(2024, 1, 31, tzinfo=UTC).timestamp()
    assert column.center == expected
    assert column.read(pl.Series([20240131])).to_list() == [expected]


def test_a_moment_that_is_nan_is_missing() -> None:
    column = fit([1_700_000_000 + i for i in range(0, 900, 9)], "date")
    assert column.date_format == "%s"
    found = column.read(pl.Series("x", [1_700_000_000.0, math.nan, None]))
    assert found.to_list() == [1_700_000_000.0, None, None]


def test_numbers_have_no_cycles() -> None:
    assert fit([0.0, DAY, 2.5 * DAY, 400 * DAY], "numeric").periods == []


def test_categories_have_codes_in_their_order_after_other_and_missing() -> None:
    column = fit(["b", "a", None, "b", "a", "c"], "categorical")
    assert (OTHER, MISSING) == (0, 1)
    assert column.categories == ["a", "b"]  # of "c" there is one row
    assert column.size == 4
    assert codes_of(column, ["a", "b", "c", None, "z", ""]) == [2, 3, OTHER, MISSING, OTHER, OTHER]
    assert column.trained_codes == [OTHER, MISSING, 2, 3]
    assert column.width == 4


def test_only_what_occurs_in_training_has_an_input() -> None:
    assert fit(["a", "b"] * 2, "categorical").trained_codes == [2, 3]
    assert fit(["a", "b", None] * 2, "categorical").trained_codes == [MISSING, 2, 3]
    assert fit([*"aabb", "c"], "categorical").trained_codes == [OTHER, 2, 3]


def test_two_categories_are_learned_even_of_single_rows() -> None:
    assert fit(["a", "b", "b"], "categorical").categories == ["a", "b"]
    assert fit(["a", None, None], "categorical").categories == ["a"]


def test_more_categories_than_may_be_one_hot_are_embedded() -> None:
    values = [*"abcabc", "d"]  # three are learned
    assert not fit(values, "categorical", max_one_hot=3).is_embedded
    column = fit(values, "categorical", max_one_hot=2)
    assert column.is_embedded
    assert column.width == 1
    assert column.size == 5
    assert fit(["a", "b"] * 2, "categorical", max_one_hot=0).is_embedded


@pytest.mark.parametrize(
    "written",
    [
        [1, 2, 10],
        [1.0, 2.0, 10.0],
        ["1", "2", "10"],
        ["01", "02", "10"],
        ["1.0", "2.00", "1e1"],
        [" 1", "+2", "10 "],
    ],
)
def test_numbers_written_differently_are_the_same_category(written: list) -> None:
    column = fit([1, 2, 10] * 2, "categorical")
    assert column.categories == ["1", "10", "2"]
    assert codes_of(column, written) == [2, 4, 3]
    from_floats = fit([1.0, 2.0, 10.0] * 2, "categorical")
    assert codes_of(from_floats, written) == [2, 4, 3]


def test_texts_that_look_like_numbers_keep_their_zeros() -> None:
    column = fit(["007", "7", "08"] * 2, "categorical")
    assert codes_of(column, ["007", "08", "7", "07"]) == [2, 3, 4, OTHER]


def test_fractions_and_missing_numbers_are_categories_too() -> None:
    column = fit([0.5, 1.5, None] * 2, "categorical")
    assert codes_of(column, ["0.50", None, "1.5"]) == [2, MISSING, 3]
    assert codes_of(column, [0.5, float("nan"), 1.5]) == [2, MISSING, 3]


def test_booleans_are_the_same_category_however_written() -> None:
    for training in (["yes", "no", "no"], [1, 0, 0], [True, False, False], ["T", "F", "F"]):
        column = fit(training, "boolean")
        assert column.categories == ["false", "true"]
        assert codes_of(column, ["TRUE", "n", None, "perhaps"]) == [3, 2, MISSING, OTHER]
        assert codes_of(column, [1.0, 0.0]) == [3, 2]
        assert codes_of(column, [True, False]) == [3, 2]


def mixed_frame() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "area": [10.5, None, 30.0, 40.0] * 10,
            "city": ["u", "v", None, "w"] * 10,
            "constant": ["c"] * 40,
            "sold": [date(2024, 1, 1 + i % 28) for i in range(40)],
            "rare": [*"ab" * 19, "p", "q"],
            "owned": [True, False] * 20,
        }
    )


def fit_mixed(scaling: str = "robust"):
    frame = mixed_frame()
    kinds = infer_kinds(frame, said={}, drop=[])
    return frame, fit_columns(frame, kinds, scaling=scaling, max_one_hot=2)


def test_rows_are_read_into_numbers_and_codes_in_the_order_of_the_columns() -> None:
    frame, columns = fit_mixed()
    assert [column.name for column in columns] == ["area", "city", "sold", "rare", "owned"]
    numbers, codes = read_rows(frame, columns)
    np.testing.assert_array_equal(numbers[:, 0], [10.5, np.nan, 30.0, 40.0] * 10)
    assert numbers[:, 1].tolist() == columns[2].read(frame["sold"]).to_list()
    assert codes[:4].tolist() == [[2, 2, 3], [3, 3, 2], [1, 2, 3], [4, 3, 2]]
    assert (numbers.dtype, codes.dtype) == (np.float64, np.int64)


@pytest.mark.parametrize("name", ["area", "city"])
def test_without_numbers_or_categories_their_part_is_empty(name: str) -> None:
    frame, columns = fit_mixed()
    numbers, codes = read_rows(frame, [column for column in columns if column.name == name])
    assert numbers.shape == (40, int(name == "area"))
    assert codes.shape == (40, int(name == "city"))


def test_a_column_that_is_gone_is_named() -> None:
    frame, columns = fit_mixed()
    with pytest.raises(ValueError, match="column 'sold' must be there, as in training"):
        read_rows(frame.drop("sold"), columns)


@pytest.mark.parametrize("scaling", ["robust", "quantile"])
def test_columns_survive_a_bare_checkpoint(scaling: str, tmp_path) -> None:
    frame, columns = fit_mixed(scaling)
    torch.save(to_plain(columns), tmp_path / "columns.pt")
    again = from_plain(torch.load(tmp_path / "columns.pt", weights_only=True))
    assert again == columns
    for first, second in zip(read_rows(frame, columns), read_rows(frame, again), strict=True):
        np.testing.assert_array_equal(first, second)


def test_codes_as_text_are_found_in_the_floats_of_pandas() -> None:
    column = fit(["10001", "10001", "20002", "20002", "03003", "03003"], "categorical")
    floats = column.read(pl.Series([10001.0, 20002.0, None]))
    assert floats.tolist() == column.read(pl.Series(["10001", "20002", None])).tolist()
    assert OTHER not in floats.tolist()


def test_whole_numbers_among_words_are_found_as_pandas_writes_them() -> None:
    column = fit(["1", "1", "2", "2", "A", "A"], "categorical")
    assert codes_of(column, ["1.0", "2.0", "A", None, "1.5", "3.0"]) == [2, 3, 4, 1, 0, 0]
    apart = fit(["1", "1", "1.0", "1.0", "A", "A"], "categorical")
    assert codes_of(apart, ["1", "1.0"]) == [2, 3]


def test_codes_as_text_with_a_point_are_found_in_floats() -> None:
    column = fit(["1.0", "1.0", "2.0", "2.0", "n/k", "n/k"], "categorical")
    assert column.read(pl.Series([1.0, 2.0])).tolist() == [2, 3]


def test_categories_that_are_numbers_are_found_in_single_precision() -> None:
    column = fit(["0.1", "0.1", "0.2", "0.2", "7", "7"], "categorical")
    numbers = pl.Series([0.1, 0.2, 7.0, float("nan")])
    assert column.read(numbers.cast(pl.Float32)).tolist() == column.read(numbers).tolist()
    assert OTHER not in column.read(numbers).tolist()


def test_names_of_an_older_checkpoint_are_as_they_are_read_now() -> None:
    (plain,) = to_plain([fit([1.5, 2.5], "numeric")])
    (column,) = from_plain([plain | {"name": "\ufeffprice\u00a0"}])
    assert column.name == "price"


def test_booleans_beside_other_words_are_the_training_files_words() -> None:
    column = fit(["True", "False", "unknown"] * 9, "categorical")
    written = codes_of(column, ["True", "False", None, "unknown"])
    assert OTHER not in written
    assert codes_of(column, [True, False, None]) == written[:3]


@pytest.mark.parametrize(
    ("pattern", "cells"),
    [
        ("%H:%M", [date(2024, 1, 1)]),
        ("%Y-%m-%d", [time(13, 8)]),
        ("%Y-%m-%d", [timedelta(days=3)]),
    ],
)
def test_times_of_a_day_are_no_days(pattern: str, cells: list) -> None:
    days = [datetime(2024, 1 + i % 12, 1 + i, i, 3 * i) for i in range(20)]
    column = fit([day.strftime(pattern) for day in days], pattern)
    with pytest.raises(ValueError, match=f"must hold dates such as {pattern}, got cells of"):
        column.read(pl.Series("x", cells))


def test_a_moment_has_a_time_of_the_day() -> None:
    times = [f"{i:02}:{3 * i:02}" for i in range(20)]
    column = fit(times, "%H:%M")
    moments = pandas.to_datetime(pandas.Series(times), format="%H:%M")
    found = column.read(pl.Series("x", moments.tolist()))
    assert found.to_list() == column.read(pl.Series("x", times)).to_list()


def test_a_column_that_is_written_in_another_way_throughout_is_no_single_cell() -> None:
    column = fit(["$1,000.5", "$2,000", "$3,500"], "numeric")
    for cells, way_out in (
        (["2.000 EUR", "3.000 EUR", None], "write the whole column so"),
        (["2.000 EUR", "$3,000"], "mend or empty the cell"),
    ):
        with pytest.raises(CellError, match=r"such as \$1,000.5, got '2.000 EUR'") as caught:
            column.read(pl.Series("x", cells))
        assert caught.value.way_out == way_out


@pytest.mark.parametrize(
    ("pattern", "cells", "new", "way_out"),
    [
        ("%H:%M", ["1:00", "12:59"], "27:15", "write minutes and seconds as 00:03:23, in training"),
        ("%Y-%m", ["2001-02", "2010-11"], "2012-13", "or train with data.columns.x=categorical if"),
        ("%Y-%m", ["2001-02", "2010-11"], "later", "mend or empty the cell"),
        ("%H:%M", ["1:00", "12:59"], "24:00", "mend or empty the cell, or train with data.columns"),
        ("%H:%M:%S", ["1:00:00", "12:59:00"], "10:70:00", "mend or empty the cell, or train"),
    ],
)
def test_cells_that_are_shaped_as_dates_but_are_none_get_their_way_out(
    pattern: str, cells: list[str], new: str, way_out: str
) -> None:
    column = fit(cells * 20, pattern)
    with pytest.raises(
        CellError, match=f"must hold dates such as {pattern}, got '{new}'"
    ) as caught:
        column.read(pl.Series("x", [cells[0], new]))
    assert way_out in caught.value.way_out
    assert ("minutes" in way_out) == ("minutes" in caught.value.way_out)
    if "%Y" in pattern and new != "later":
        with pytest.raises(CellError) as caught:
            column.read(pl.Series("x", [new, new]))
        assert caught.value.way_out.startswith("write the whole column so, or train with")
