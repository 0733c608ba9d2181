"""nnlab trains neural networks from YAML configs.

Importing this package is cheap: torch is loaded by what needs it, not here.

    import nnlab
    run = nnlab.train("data=csv", "data.path=houses.csv", "data.target=price")
    predictions = nnlab.load_run(run).predict(data_frame)
"""

from importlib import import_module
from importlib.metadata import version
from typing import Any

from nnlab import stopwatch as stopwatch  # before all else: it measures what a start costs

__version__ = version("nnlab")

_FROM = {"compose": "notebook", "train": "notebook", "load_run": "predictor"}

__all__ = ["__version__", *_FROM]


def __getattr__(name: str) -> Any:
    if name in _FROM:
        return getattr(import_module(f"nnlab.{_FROM[name]}"), name)
    raise AttributeError(f"module 'nnlab' has no attribute '{name}'")


def __dir__() -> list[str]:
    return __all__
