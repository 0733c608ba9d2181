"""nnlab trains neural networks from YAML configs.

Importing this package is cheap: torch is loaded by `nnlab.models` and `nnlab.data`, not here.
"""

from importlib.metadata import version

__version__ = version("nnlab")
