"""What a run has come to at its end: `metrics.json`, and TensorBoard's HParams tab."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Trainer
from lightning.pytorch.loggers import TensorBoardLogger
from omegaconf import DictConfig
from torch import Tensor

from nnlab.atomic import replacing
from nnlab.checkpoints import best_checkpoint, previous, read_checkpoint
from nnlab.config import plain_arguments, reads_environment, target_class
from nnlab.data.module import InMemoryDataModule, in_order
from nnlab.environment import environment
from nnlab.loggers import CurvesLogger
from nnlab.models import SupervisedModule
from nnlab.models.metrics import predicted_classes
from nnlab.rules import METRICS, RULES, mode_of
from nnlab.scoring import run_network, score
from nnlab.spec import DataSpec, Task
from nnlab.stopwatch import stopwatch


def final_results(
    cfg: DictConfig,
    trainer: Trainer,
    data: InMemoryDataModule,
    run_dir: Path,
    *,
    seconds: float,
    timed_epochs: int,
) -> dict[str, Any]:
    """The metrics of the best epoch, what they depend on, and how fast they came.

    Args:
        cfg: The run's config.
        trainer: Lightning's, which has trained.
        data: What was trained on.
        run_dir: The run directory, which holds the best checkpoint.
        seconds: How long training took.
        timed_epochs: How many epochs it took so long for.
    """
    best = read_checkpoint(best_checkpoint(run_dir))
    best_module = target_class(cfg.model, SupervisedModule).from_checkpoint(best)
    outputs, targets = run_network(best_module, in_order(data.loaded.test))
    return {
        "monitor": cfg.monitor,
        "mode": mode_of(cfg.monitor, cfg.get("mode")),  # which a run of an earlier version has not
        "best_epoch": best["epoch"] + 1,
        "epochs": trainer.current_epoch,
        "max_epochs": cfg.trainer.max_epochs,
        # Not by the data loaders: what was trained on a GPU is scored on the CPU.
        "val": score(best_module, in_order(data.loaded.val)),
        "test": best_module.compute_metrics(outputs, targets),
        **_classes_predicted(best_module.spec, outputs),
        "seed": cfg.seed,
        **environment(str(trainer.strategy.root_device)),
        "wall_time_s": round(seconds, 3),
        "samples_per_second": round(_rows_of_epoch(trainer, data) * timed_epochs / seconds, 1),
        **_early_stop(trainer),
    }


def _classes_predicted(spec: DataSpec, outputs: Tensor) -> dict[str, int]:
    """How many classes the test rows are predicted to be of; nothing of numbers."""
    # A network of one's own may have other outputs.
    if spec.task == "regression" or outputs.shape[1:] != (spec.out_features,):
        return {}
    return {"test_classes_predicted": len(torch.unique(predicted_classes(spec, outputs)))}


def monitored(results: dict[str, Any]) -> float:
    """The value that chose the best epoch."""
    return float(results["val"][results["monitor"].removeprefix("val/")])


def _rows_of_epoch(trainer: Trainer, data: InMemoryDataModule) -> int:
    """How many rows an epoch trains on: all, unless `limit_train_batches` says fewer."""
    rows = len(data.loaded.train[0])
    if data.steps_per_block > 1:  # a limit is for batches, not for blocks of them
        return rows
    return min(rows, int(trainer.num_training_batches) * data.batch_size * trainer.world_size)


def _early_stop(trainer: Trainer) -> dict[str, int]:
    """After how many epochs or validations without a better one a run was ended early, if so."""
    stopping = trainer.early_stopping_callback
    if stopping is None or trainer.current_epoch == trainer.max_epochs:
        return {}
    if stopping.wait_count < max(stopping.patience, 1):
        return {}
    # It counts validations, of which an epoch may have several, or several epochs one.
    if trainer.val_check_batch != trainer.num_training_batches:
        return {"stopped_early_after_validations": stopping.wait_count}
    return {"stopped_early_after": stopping.wait_count * (trainer.check_val_every_n_epoch or 1)}


def log_hyperparameters(
    cfg: DictConfig,
    trainer: Trainer,
    task: Task,
    results: dict[str, Any],
    typed: Iterable[str],
) -> None:
    """Fill TensorBoard's HParams tab with the run's settings and its final metrics."""
    settings: dict[str, Any] = {"seed": cfg.seed, "precision": cfg.trainer.get("precision")}
    if cfg.callbacks and (stopping := cfg.callbacks.get("early_stopping")):
        settings["patience"] = stopping.get("patience")
    for group in ("data", "model", "optimizer", "scheduler", "trainer"):
        settings[group] = cfg[group]["_target_"].rpartition(".")[2]
        # What has a rule is a setting to tell runs apart by.
        settings |= {
            key: value
            for key, value in plain_arguments(cfg[group]).items()
            if key in RULES and not reads_environment(cfg[group], key)
        }
    final = {
        f"result/{split}_{name}": results[split][name]
        for split in ("val", "test")
        for name in ("loss", METRICS[task][0])
        if name in results[split]  # a network of one's own may have others
    }
    for logger in trainer.loggers:
        if isinstance(logger, CurvesLogger):
            # What a person changes is what a sweep varies.
            shown = {setting.rpartition(".")[2] for setting in typed}
            logger.log_settings(settings, final, trainer.global_step, shown=shown)
        else:
            # Other loggers than TensorBoard's take no metrics beside them.
            beside = [final, trainer.global_step] if isinstance(logger, TensorBoardLogger) else []
            logger.log_hyperparams(settings, *beside)
            logger.finalize("success")


def time_spent() -> dict[str, float]:
    """Seconds of each phase of this run; of the next one in the same process anew."""
    stopwatch.press("logging")
    seconds = {phase: round(spent, 4) for phase, spent in stopwatch.seconds.items()}
    stopwatch.reset()
    return seconds


def save_results(results: dict[str, Any], run_dir: Path) -> None:
    """Write `metrics.json`, by which the run is finished."""
    path = run_dir / "metrics.json"
    with replacing(path) as file:
        file.write(json.dumps(results, indent=2, allow_nan=False).encode() + b"\n")
    previous(path).unlink(missing_ok=True)
