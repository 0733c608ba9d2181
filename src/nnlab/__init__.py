"""nnlab trains neural networks from YAML configs.

Importing this package is cheap: torch is loaded by what needs it, not here.

    from nnlab import load_run
    model = load_run("RUN_DIR")
    predictions = model.predict(data_frame)
"""

from importlib.metadata import version
from typing import Any

from nnlab import stopwatch as stopwatch  # before all else: it measures what a start costs

__version__ = version("nnlab")


def __getattr__(name: str) -> Any:
    if name == "load_run":
        from nnlab.predictor import load_run

        return load_run
    raise AttributeError(f"module 'nnlab' has no attribute '{name}'")
