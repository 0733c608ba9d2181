"""What a result depends on beside the settings, and what of it differs between two runs."""

import contextlib
import functools
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch


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


def differences(before: dict[str, Any], now: dict[str, Any]) -> dict[str, str]:
    """In what two environments differ, each as `polars 1.40 for 1.38`.

    What the first one does not tell, as those of the first version do not tell the processor, is
    no difference.
    """
    machine = ("device", "threads", "processor", "gpu")
    then, here = (
        {**e["versions"], **{name: e[name] for name in machine if name in e}} for e in (before, now)
    )
    return {
        name: f"{name} {here[name]} for {then[name]}"
        for name in here
        if name in then and here[name] != then[name]
    }


def means_the_same(name: str, before: dict[str, Any], now: dict[str, Any]) -> bool:
    """Whether a difference cannot change a result."""
    if name == "device":  # which of several; the model of each is compared as well
        return _start(before["device"], ":", 1) == _start(now["device"], ":", 1)
    if name == "python":  # 3.12 adds up otherwise than 3.11, but 3.11.9 as 3.11.8
        return _start(before["versions"][name], ".", 2) == _start(now["versions"][name], ".", 2)
    return name == "hydra-core"  # it reads settings, which are compared themselves


def _start(text: Any, mark: str, parts: int) -> list[str]:
    return str(text).split(mark)[:parts]
