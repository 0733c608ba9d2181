"""Importing what takes seconds to import."""

import gc
import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType


def load(module: str, *, freezes: bool) -> ModuleType:
    """Import a module that brings torch and Lightning along.

    These make a million objects that stay. The garbage collector would look through them again
    and again, in vain, and once more when the process ends: nearly two seconds of six.

    Args:
        module: Its name.
        freezes: Whether the collector never looks at what there is by now, which must not be a
            person's own.
    """
    is_collecting = gc.isenabled()
    gc.disable()
    try:
        with _without_scipy_signal():
            # First: torch would import it from C, where Ctrl-C is lost.
            importlib.import_module("numpy")
            return importlib.import_module(module)
    finally:
        if freezes:
            gc.freeze()
        if is_collecting:
            gc.enable()


@contextmanager
def _without_scipy_signal() -> Iterator[None]:
    """Spare an import of a second, which torchmetrics makes where scipy is installed.

    It is made for one name alone, which torchmetrics adds if it is not there, and which only some
    old package for audio needs. Whoever imports `scipy.signal` later gets the real one.
    """
    name = "scipy.signal"
    if name in sys.modules:
        yield
        return
    stand_in = ModuleType(name)
    # Of a module that is made here, the type checker knows no names.
    stand_in.hamming = None  # type: ignore[attr-defined]
    sys.modules[name] = stand_in
    try:
        yield
    finally:
        del sys.modules[name]
        if "scipy" in sys.modules:
            vars(sys.modules["scipy"]).pop("signal", None)
