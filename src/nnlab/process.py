"""The process that a run has to itself: threads, seeds, quiet libraries, versions."""

import logging
import platform
import warnings
from importlib.metadata import version

import torch
from lightning.pytorch import seed_everything

_default_threads = torch.get_num_threads()


def set_threads(threads: int | None) -> None:
    """Use this many CPU threads for one operation; None for torch's own choice."""
    torch.set_num_threads(_default_threads if threads is None else threads)


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


def versions() -> dict[str, str]:
    """Versions of what a result depends on."""
    packages = ("nnlab", "lightning", "hydra-core", "polars", "numpy")
    # torch's own word has the build in it, such as +cpu; that of its package may not.
    return {"python": platform.python_version(), "torch": torch.__version__} | {
        name: version(name) for name in packages
    }
