"""Reading checkpoints without running anything that is in them."""

import pickle
import warnings
from pathlib import Path
from typing import Any

import torch


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Open a checkpoint, on the CPU, as tensors and plain data only.

    Args:
        path: A local file that nnlab wrote.

    Returns:
        The checkpoint's content; among it `hyper_parameters` and `state_dict`.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is not a checkpoint, is damaged, or holds more than tensors and plain data.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f"there is no checkpoint {path}; the run was stopped before its first one, or this is "
            "not a run directory"
        )
    try:
        with warnings.catch_warnings():
            # What torch would warn of is refused below.
            warnings.simplefilter("ignore")
            checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError) as error:
        unsafe = "weights_only" in str(error).lower() or "unsupported" in str(error).lower()
        reason = (
            "it holds more than tensors and plain data, and opening that could run code"
            if unsafe
            else "it is damaged or of another kind"
        )
        raise ValueError(f"{path} must be a checkpoint of nnlab, but {reason}") from error
    needed = ("epoch", "hyper_parameters", "state_dict")
    if not isinstance(checkpoint, dict) or any(key not in checkpoint for key in needed):
        raise ValueError(f"{path} must be a checkpoint of nnlab, with {', '.join(needed)} in it")
    return checkpoint
