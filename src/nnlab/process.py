"""The process that a run has to itself: its threads, and libraries that keep quiet."""

import contextlib
import logging
import os
import warnings
from collections.abc import Iterator
from typing import Any

import torch

from nnlab.environment import processor

_default_threads = torch.get_num_threads()

# Up to so many multiplications a batch, a second core was seen to save a fifth of a step at best,
# and where other programs wanted that core, steps took ten times as long and more.
_ONE_THREAD_MULTIPLICATIONS = 12_000_000

# From about so many a batch, oneDNN was seen to save time with batches of 128 and 256 rows; small
# matrices take it longer.
_ONEDNN_MULTIPLICATIONS = 5_000_000


@contextlib.contextmanager
def torch_defaults() -> Iterator[None]:
    """Make tensors of 32 bits on the CPU meanwhile, whatever the process has set for its own."""
    dtype, device = torch.get_default_dtype(), torch.get_default_device()
    torch.set_default_dtype(torch.float32)
    try:
        # Not where it is so already: torch then looks at each operation.
        with contextlib.nullcontext() if device.type == "cpu" else torch.device("cpu"):
            yield
    finally:
        torch.set_default_dtype(dtype)


def set_threads(threads: int | None) -> None:
    """Use this many CPU threads for one operation; None for torch's own choice."""
    torch.set_num_threads(_default_threads if threads is None else threads)


@contextlib.contextmanager
def fast_arithmetic(threads: int | None, multiplications: int) -> Iterator[None]:
    """Let torch use the threads that suit a network, and take what is below 1.2e-38 for zero.

    A processor computes with such numbers in software. The averages that Adam keeps of a dead
    unit's gradients come to that, and its steps then took more than twice as long. Not for data,
    since a column may hold nothing else: torch's other threads take this over for good when they
    are made, so let there be one until then.

    Args:
        threads: The CPU threads of one operation; None for one if the work is little, and else
            torch's own choice.
        multiplications: About how many a batch takes on its way forward.
    """
    before, flushed = torch.get_num_threads(), _flushes_denormal()
    torch.set_flush_denormal(True)
    is_little = multiplications <= _ONE_THREAD_MULTIPLICATIONS
    chosen = 1 if threads is None and is_little else threads
    set_threads(chosen)
    try:
        with _kept_by_lightning(chosen):
            yield
    finally:
        torch.set_flush_denormal(flushed)
        torch.set_num_threads(before)


def _flushes_denormal() -> bool:
    """Whether torch takes numbers below 1.2e-38 for zero; it does not say so itself."""
    return (torch.tensor(1e-40) * 1).item() == 0


@contextlib.contextmanager
def fast_products(multiplications: int) -> Iterator[None]:
    """Let torch multiply matrices of 32 bits by oneDNN where MKL uses half of a vector's width.

    That is on AMD's processors with AVX-512: on a Zen 5 oneDNN took half the time.
    torch turns to oneDNN once that may compute with 16 bits. For it to do so takes instructions
    (AMX) which these processors do not have, so that all 24 bits of a fraction count as ever;
    whether they do is tried out.

    Args:
        multiplications: About how many a batch takes on its way forward.
    """
    is_amd = processor().startswith("AMD") and "AVX512" in torch.backends.cpu.get_cpu_capability()
    matmul: Any = torch.backends.mkldnn.matmul  # type: ignore[attr-defined]  # there at run time
    before = matmul.fp32_precision
    # What else it is, a person has said.
    if multiplications < _ONEDNN_MULTIPLICATIONS or not is_amd or before not in ("none", "ieee"):
        yield
        return
    matmul.fp32_precision = "bf16"
    try:
        if not _keeps_all_bits():
            matmul.fp32_precision = before
        yield
    finally:
        matmul.fp32_precision = before


def _keeps_all_bits() -> bool:
    x = torch.full((128, 128), 1 + 2**-23, dtype=torch.float32)
    return torch.equal(x @ torch.eye(128, dtype=torch.float32), x)


@contextlib.contextmanager
def _kept_by_lightning(threads: int | None) -> Iterator[None]:
    """Let the processes of a distributed run keep to a number of threads, if one is chosen.

    Without this variable, Lightning gives each its share of the machine's cores.
    """
    name = "OMP_NUM_THREADS"
    before = os.environ.get(name)
    if threads is not None:
        os.environ[name] = str(threads)
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = before


def quiet_lightning() -> None:
    """Keep Lightning's advice about things that nnlab has decided out of a person's way."""
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # Whoever wants `trainer.profiler=simple` wants its report.
    logging.getLogger("lightning.pytorch.profilers").setLevel(logging.INFO)
    if logging.getLogger().hasHandlers():
        # Lightning has one of its own as well, and would print all twice.
        logging.getLogger("lightning").handlers.clear()
    warnings.filterwarnings("ignore", message="torch.distributed.nn.functional.all_gather is dep")
    # torch's compiler has a function in mind; here `trainer.precision` says how to compute.
    warnings.filterwarnings("ignore", message="TensorFloat32 tensor cores for float32 matrix")
    # Whoever says `trainer=cpu` knows.
    warnings.filterwarnings("ignore", message="GPU available but not used")
    # Of how Lightning begins a distributed run on a GPU; it waits once, at the first step.
    warnings.filterwarnings("ignore", message="The AccumulateGrad node's stream does not match")
    # Lightning's own use of a name that torch 2.13 deprecates.
    warnings.filterwarnings("ignore", message=".*isinstance.treespec, LeafSpec.*")
    # Resuming writes into the run directory on purpose.
    warnings.filterwarnings("ignore", message=".*Checkpoint directory .* exists and is not empty.*")
