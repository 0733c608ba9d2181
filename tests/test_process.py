"""The process that a run has to itself."""

import pytest
import torch

from nnlab import process
from nnlab.process import set_threads


@pytest.fixture
def four_threads(monkeypatch):
    before = torch.get_num_threads()
    monkeypatch.setattr(process, "_default_threads", 4)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("threads", "multiplications", "expected"),
    [
        (None, 64 * 30 * 64, 1),
        (None, 128 * 784 * 256, 4),
        (2, 64 * 30 * 64, 2),
        (1, 128 * 784 * 256, 1),
    ],
)
def test_a_small_network_gets_one_thread_unless_told_otherwise(
    four_threads, threads, multiplications, expected
) -> None:
    set_threads(threads, multiplications)
    assert torch.get_num_threads() == expected
