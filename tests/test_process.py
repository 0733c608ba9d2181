"""The process that a run has to itself."""

import os
import subprocess
import sys

import pytest
import torch
from lightning.fabric.utilities.distributed import _set_num_threads_if_needed

from nnlab import process
from nnlab.process import fast_arithmetic


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
    monkeypatch, threads, multiplications, expected
) -> None:
    monkeypatch.setattr(process, "_default_threads", 4)
    before = torch.get_num_threads()
    with fast_arithmetic(threads, multiplications):
        assert torch.get_num_threads() == expected
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("of_the_shell", [None, "3"])
def test_lightning_leaves_a_distributed_run_its_threads(monkeypatch, of_the_shell) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if of_the_shell:
        monkeypatch.setenv("OMP_NUM_THREADS", of_the_shell)
    with fast_arithmetic(7, 0):
        _set_num_threads_if_needed(num_processes=2)  # as its launcher does in each process
        assert torch.get_num_threads() == 7
    assert os.environ.get("OMP_NUM_THREADS") == of_the_shell


SUBNORMALS = """
import torch
from nnlab.process import fast_arithmetic, set_threads
set_threads(1)
numbers = torch.full((1_000_000,), 1e-40)
print((numbers * 0.5).count_nonzero().item())
with fast_arithmetic(2, 0):
    print((numbers * 0.5).count_nonzero().item())
print((numbers * 0.5).count_nonzero().item())
"""


def test_subnormal_numbers_are_data_but_no_burden_of_training_in_any_thread() -> None:
    command = [sys.executable, "-c", SUBNORMALS]
    environment = {**os.environ, "OMP_NUM_THREADS": "2"}
    printed = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    assert printed.stdout.split() == ["1000000", "0", "1000000"]
