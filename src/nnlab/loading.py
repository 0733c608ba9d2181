"""Importing what takes seconds to import."""

import gc
import importlib
from types import ModuleType


def load(module: str) -> ModuleType:
    """Import a module that brings torch and Lightning along.

    These make a million objects that stay. The garbage collector would look through them again
    and again, in vain, and once more when the process ends: nearly two seconds of six.
    """
    gc.disable()
    try:
        return importlib.import_module(module)
    finally:
        gc.freeze()  # it need not look at what there is by now
        gc.enable()
