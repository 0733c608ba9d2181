"""Windows of rows: every row once, in windows of the sizes that were promised."""

import pytest
import torch

from nnlab.data.windows import Windows

MIB = 2**20


def draw(windows: Windows, seed: int = 0) -> list[list[int]]:
    everything = torch.arange(windows.rows)
    drawn = windows.draw(torch.Generator().manual_seed(seed))
    return [torch.cat([everything[chunk] for chunk in chunks]).tolist() for chunks in drawn]


# Rows of 64 KiB, so that few make a window.
@pytest.mark.parametrize("step", [1, 3, 256, 5000])
@pytest.mark.parametrize("rows", [0, 1, 4096, 4097, 4100, 8192, 8193, 12_001, 20_480, 20_483])
def test_every_row_is_in_one_window_and_only_the_last_is_of_another_size(rows, step) -> None:
    windows = Windows(rows=rows, row_bytes=2**16, step=step)
    drawn = draw(windows)
    assert [len(window) for window in drawn] == windows.sizes
    assert sorted(row for window in drawn for row in window) == list(range(rows))
    assert len(set(windows.sizes[:-1])) <= 1
    assert all(size % step == 0 for size in windows.sizes[:-1])
    assert all(size >= min(step, rows) for size in windows.sizes)


def test_a_table_of_256_mib_is_one_window_and_of_more_none_is_much_larger() -> None:
    assert Windows(rows=256, row_bytes=MIB, step=8).sizes == [256]
    sizes = Windows(rows=1001, row_bytes=MIB, step=8).sizes
    assert len(sizes) > 1
    assert max(sizes) <= 128


def test_windows_are_drawn_from_the_whole_table_and_anew_each_time() -> None:
    windows = Windows(rows=10_000, row_bytes=2**16, step=4)
    first, *_ = draw(windows)
    # Some of random chunks: their middle is near the table's, and chunks are of few rows.
    assert abs(sum(first) / len(first) - 5000) < 500
    assert draw(windows, seed=1)[0] != first
    assert draw(windows)[0] == first
