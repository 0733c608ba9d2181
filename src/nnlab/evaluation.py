"""The verb that tests a checkpoint, at the end of training or later."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig
from torch import Tensor

from nnlab.checkpoints import read_checkpoint
from nnlab.config import build, target_class
from nnlab.data.module import InMemoryDataModule
from nnlab.models import SupervisedModule
from nnlab.process import set_threads
from nnlab.reporting import report_evaluation


def evaluate(cfg: DictConfig, run_dir: Path) -> None:
    """Test a run's best checkpoint again and print the metrics.

    Args:
        cfg: The run's config.
        run_dir: The run directory.

    Raises:
        FileNotFoundError: The run has no best checkpoint yet, or its data is gone.
        ValueError: The checkpoint is not one, or does not fit the config.
    """
    set_threads(cfg.threads)
    checkpoint = read_checkpoint(run_dir / "checkpoints" / "best.ckpt")
    data = build(cfg.data, InMemoryDataModule)
    kind = type(data).__name__
    if kind not in checkpoint:
        raise ValueError(f"{run_dir} must have been trained on {kind}, but its checkpoint was not")
    data.load_state_dict(checkpoint[kind])
    module = load_module(cfg, checkpoint)
    report_evaluation(score(module, data.test_dataloader()), run_dir)


def load_module(cfg: DictConfig, checkpoint: dict[str, Any]) -> SupervisedModule:
    """The trained network of a checkpoint."""
    module = target_class(cfg.model, SupervisedModule)(**checkpoint["hyper_parameters"])
    module.load_state_dict(checkpoint["state_dict"])
    return module


def score(module: SupervisedModule, batches: Iterable[tuple[Tensor, Tensor]]) -> dict[str, float]:
    """The loss and metrics of a network over all rows of some batches.

    On the CPU in float32, whatever device and precision trained it, so that a checkpoint scores
    the same wherever it is tested.
    """
    module.eval()
    with torch.inference_mode():
        kept = [(module(x), targets) for x, targets in batches]
    outputs, targets = (torch.cat(parts) for parts in zip(*kept, strict=True))
    return module.compute_metrics(outputs, targets)
