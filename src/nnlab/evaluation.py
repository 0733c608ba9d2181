"""The verb that tests a checkpoint, at the end of training or later."""

from pathlib import Path
from typing import Any

from lightning.pytorch import Trainer
from omegaconf import DictConfig

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
        ValueError: The checkpoint is not one, or the data changed.
    """
    set_threads(cfg.threads)
    path = run_dir / "checkpoints" / "best.ckpt"
    checkpoint = read_checkpoint(path)
    data = build(cfg.data, InMemoryDataModule)
    metrics = score(cfg, checkpoint, data)
    report_evaluation(metrics, run_dir)


def score(
    cfg: DictConfig, checkpoint: dict[str, Any], data: InMemoryDataModule
) -> dict[str, float]:
    """The validation and test metrics of a checkpoint.

    On one device, whatever trained it, so that the same rows give the same numbers.

    Args:
        cfg: The run's config.
        checkpoint: What `read_checkpoint` returned.
        data: The run's data; it takes its preprocessing from the checkpoint.

    Returns:
        `val/loss`, `test/accuracy` and so on.
    """
    data.load_state_dict(checkpoint[type(data).__name__])
    module = load_module(cfg, checkpoint)
    trainer = Trainer(
        accelerator=cfg.trainer.accelerator,
        precision=cfg.trainer.precision,
        devices=1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.validate(module, datamodule=data, verbose=False)
    trainer.test(module, datamodule=data, verbose=False)
    return module.latest_metrics


def load_module(cfg: DictConfig, checkpoint: dict[str, Any]) -> SupervisedModule:
    """The trained network of a checkpoint, on the CPU."""
    module = target_class(cfg.model, SupervisedModule)(**checkpoint["hyper_parameters"])
    module.load_state_dict(checkpoint["state_dict"])
    return module
