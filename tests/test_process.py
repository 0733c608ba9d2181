"""The process that a run has to itself."""

import os
import subprocess
import sys

import pytest
import torch
from lightning.fabric.utilities.distributed import _set_num_threads_if_needed

from nnlab import process
from nnlab.process import fast_arithmetic, fast_products


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


@pytest.mark.parametrize("is_flushed", [True, False])
def test_small_numbers_are_afterwards_what_they_were(is_flushed: bool) -> None:
    torch.set_flush_denormal(is_flushed)
    try:
        with fast_arithmetic(1, 10):
            assert (torch.tensor(1e-40) * 1).item() == 0
        assert ((torch.tensor(1e-40) * 1).item() == 0) == is_flushed
    finally:
        torch.set_flush_denormal(False)


MANY = 128 * 784 * 256
PRECISION = torch.backends.mkldnn


@pytest.mark.parametrize("name", ["AMD AVX512", "AMD AVX2", "Intel AVX512"])
@pytest.mark.parametrize("multiplications", [MANY, 64 * 30 * 64])
def test_products_keep_all_their_bits(monkeypatch, name: str, multiplications: int) -> None:
    name, capability = name.split()
    monkeypatch.setattr(process, "processor", lambda: name)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    before = PRECISION.matmul.fp32_precision
    torch.manual_seed(0)
    x, weights = torch.randn(128, 784), torch.randn(784, 256)
    exact = x.double() @ weights.double()
    error = (x @ weights - exact).abs().max()
    with fast_products(multiplications):
        products = x @ weights
        chosen = PRECISION.matmul.fp32_precision
    assert (products - exact).abs().max() < 4 * error  # of 16 bits it would be a thousand times
    if (name, capability) != ("AMD", "AVX512") or multiplications < MANY:
        assert chosen == before
    assert PRECISION.matmul.fp32_precision == before
    assert torch.backends.cuda.matmul.fp32_precision == "none"


def test_products_are_left_alone_where_bits_would_be_lost(monkeypatch) -> None:
    take_for_amd(monkeypatch)
    for keeps, chosen in ((True, "bf16"), (False, "none")):
        monkeypatch.setattr(process, "_keeps_all_bits", lambda keeps=keeps: keeps)
        with fast_products(MANY):
            assert PRECISION.matmul.fp32_precision == chosen


def test_lost_bits_are_noticed() -> None:
    assert process._keeps_all_bits()
    with torch.autocast("cpu", torch.bfloat16):
        assert not process._keeps_all_bits()


@pytest.mark.parametrize("where", [torch.backends, PRECISION, PRECISION.matmul])
def test_what_a_person_has_said_about_products_stays(monkeypatch, where) -> None:
    take_for_amd(monkeypatch)
    monkeypatch.setattr(process, "_keeps_all_bits", lambda: True)
    where.fp32_precision = "tf32"
    try:
        with fast_products(MANY):
            assert PRECISION.matmul.fp32_precision == "tf32"
        assert PRECISION.matmul.fp32_precision == "tf32"
    finally:
        where.fp32_precision = "none"


def take_for_amd(monkeypatch) -> None:
    monkeypatch.setattr(process, "processor", lambda: "AMD EPYC")
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX512")


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
