import numpy as np
import pytest

from nnlab.data.columns.sampling import spread_sample


@pytest.mark.parametrize(("rows", "most"), [(0, 5), (1, 5), (5, 5), (6, 5), (100, 7), (131, 10)])
def test_a_sample_is_of_the_wanted_size_at_most_and_all_of_few_rows(rows: int, most: int) -> None:
    sample = spread_sample(rows, most)
    assert len(sample) <= most
    assert np.all(np.diff(sample) > 0)
    assert np.all((sample >= 0) & (sample < rows))
    assert np.array_equal(sample, spread_sample(rows, most))
    if rows <= most:
        assert sample.tolist() == list(range(rows))


@pytest.mark.parametrize("period", [2, 3, 10])
def test_a_sample_has_a_part_of_each_of_those_that_take_turns(period: int) -> None:
    sample = spread_sample(10_000 * period, 10_000)
    shares = np.bincount(sample % period) / len(sample)
    np.testing.assert_allclose(shares, 1 / period, atol=0.02)
