"""How much memory there is."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


def memory_bytes() -> float:
    """The memory that this process may have: the machine's, or less in a container."""
    machine = float("inf")
    if hasattr(os, "sysconf"):
        machine = float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    return min([machine, *_container_limits()])


def _container_limits() -> Iterator[float]:
    """The limits of the control groups that the process is in, of either version of Linux's."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, controller, name = line.split(":", 2)
            if controller not in ("", "memory"):
                continue
            folder = Path("/sys/fs/cgroup", controller, name.lstrip("/"))
            file = "memory.limit_in_bytes" if controller else "memory.max"
            for group in (folder, *folder.parents):
                with contextlib.suppress(OSError, ValueError):  # none there, or `max`
                    yield float((group / file).read_text())
