"""The process that a run has to itself: threads, seeds, quiet libraries, versions."""

import contextlib
import functools
import logging
import os
import platform
import signal
import threading
import warnings
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import seed_everything

_default_threads = torch.get_num_threads()

# Up to so many multiplications a batch, a second core was seen to save a fifth of a step at best,
# and where other programs wanted that core, steps took ten times as long and more.
_ONE_THREAD_MULTIPLICATIONS = 12_000_000


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
    before = torch.get_num_threads()
    torch.set_flush_denormal(True)
    is_little = multiplications <= _ONE_THREAD_MULTIPLICATIONS
    chosen = 1 if threads is None and is_little else threads
    set_threads(chosen)
    try:
        with _kept_by_lightning(chosen):
            yield
    finally:
        torch.set_flush_denormal(False)
        torch.set_num_threads(before)


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


def set_seed(seed: int) -> None:
    """Seed Python, numpy and torch."""
    seed_everything(seed, workers=True, verbose=False)


def quiet_lightning() -> None:
    """Keep Lightning's advice about things that nnlab has decided out of a person's way."""
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", message="torch.distributed.nn.functional.all_gather is dep")
    # Lightning's own use of a name that torch 2.13 deprecates.
    warnings.filterwarnings("ignore", message=".*isinstance.treespec, LeafSpec.*")
    # Resuming writes into the run directory on purpose.
    warnings.filterwarnings("ignore", message=".*Checkpoint directory .* exists and is not empty.*")


def end_at_next_signal(*_: object) -> None:
    """Let a second Ctrl-C or SIGTERM end the process at once; also to be called by the first."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


@contextlib.contextmanager
def answering_sigterm() -> Iterator[None]:
    """Let SIGTERM raise SystemExit(143), but where Lightning listens, end training in its way.

    Lightning does so from a little after `fit` has begun until it ends, and then answers after a
    block of steps. A second signal ends the process at once.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def answer(number: int, _: object) -> None:
        lightning_listens = signal.getsignal(number) is not answer
        end_at_next_signal()
        if not lightning_listens:
            raise SystemExit(128 + number)

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGTERM, answer)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


def environment(device: str) -> dict[str, Any]:
    """What a result depends on beside the settings.

    Returns:
        `threads`, `device`, `processor`, `versions`, and on a CUDA device its model as `gpu`.
    """
    gpu = {"gpu": torch.cuda.get_device_name(device)} if device.startswith("cuda") else {}
    return {
        "threads": torch.get_num_threads(),
        "device": device,
        "processor": processor(),
        **gpu,
        "versions": versions(),
    }


@functools.cache
def processor() -> str:
    """The processor's model, with the instructions that torch takes: `AMD EPYC (AVX2)`."""
    name = platform.processor() or platform.machine()
    with contextlib.suppress(OSError), Path("/proc/cpuinfo").open(errors="replace") as lines:
        models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
        name = next(models, name)
    return f"{name} ({torch.backends.cpu.get_cpu_capability()})"


@functools.cache
def versions() -> dict[str, str]:
    """Versions of what a result depends on."""
    packages = ("nnlab", "lightning", "hydra-core", "polars", "numpy")
    # torch's own word has the build in it, such as +cpu; that of its package may not.
    return {"python": platform.python_version(), "torch": str(torch.__version__)} | {
        name: version(name) for name in packages
    }
