"""From a config to the parts of a training run: Lightning's Trainer, and the network."""

import functools
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, Trainer
from lightning.pytorch.accelerators import CUDAAccelerator, MPSAccelerator
from lightning.pytorch.callbacks import ModelCheckpoint, ProgressBar
from lightning.pytorch.loggers import Logger
from lightning.pytorch.profilers import PassThroughProfiler
from omegaconf import DictConfig, ListConfig
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from nnlab.callbacks import GoingOn, RunCheckpoint
from nnlab.checkpoint_files import CheckpointFiles
from nnlab.config import build, takes
from nnlab.config.agreement import steps_per_block
from nnlab.data.module import InMemoryDataModule
from nnlab.errors import first_line
from nnlab.models import SupervisedModule
from nnlab.resuming import SavedState
from nnlab.run_changes import result_settings


def build_trainer(cfg: DictConfig, run_dir: Path, saved: SavedState | None) -> Trainer:
    """Lightning's Trainer, which keeps all that it writes in the run directory.

    Args:
        cfg: The run's config.
        run_dir: The run directory.
        saved: What the run goes on from; None where it begins.

    Raises:
        ValueError: A part cannot be made, or the best epoch would not be kept.
    """
    _require_gpu(cfg)
    loggers = [
        build(node, Logger, save_dir=run_dir) for node in (cfg.logger or {}).values() if node
    ]
    callbacks = []
    for name, node in (cfg.callbacks or {}).items():
        if node:
            callback = build(_inside(run_dir, node), Callback)
            if isinstance(callback, ModelCheckpoint):
                _settle_files(callback, str(name), run_dir)
            callbacks.append(callback)
    if not any(isinstance(c, ModelCheckpoint) and c.filename == "best" for c in callbacks):
        raise ValueError(
            "callbacks.best_checkpoint must be there, because the best epoch is what is tested"
        )
    # It holds the state of all others, those that a person adds, too, so their turn is before.
    callbacks.sort(key=lambda c: isinstance(c, RunCheckpoint) and c.monitor is None)
    behind = {"steps": saved.steps, "epochs": saved.epochs} if saved else {"steps": 0, "epochs": 0}
    callbacks.append(GoingOn(**behind, results=run_dir / "metrics.json"))
    trainer = cfg.trainer.copy()
    more: dict[str, Any] = {} if trainer.get("profiler") else {"profiler": _NoProfiler()}
    if "enable_progress_bar" not in trainer:  # else Lightning adds one of its own
        more["enable_progress_bar"] = any(isinstance(c, ProgressBar) for c in callbacks)
    if steps_per_block(cfg) > 1:  # whose steps are clipped where they are taken
        trainer.gradient_clip_val = None
    return build(
        trainer,
        Trainer,
        default_root_dir=run_dir,
        logger=loggers,
        callbacks=callbacks,
        plugins=[
            CheckpointFiles(
                checkpoint_every_s=cfg.checkpoint_every_s,
                settings=result_settings(cfg),
                folder=run_dir,
            )
        ],
        model_registry=None,  # it would be sent there
        **more,
    )


def _require_gpu(cfg: DictConfig) -> None:
    """Say that there is no GPU; Lightning does so in words about itself."""
    has_cuda, has_mps = CUDAAccelerator.is_available(), MPSAccelerator.is_available()
    accelerator = cfg.trainer.get("accelerator")
    takes_cuda = has_cuda and accelerator in (None, "auto", "gpu", "cuda")
    if cfg.get("cuda_graphs") and not takes_cuda:
        raise ValueError(
            "cuda_graphs=true needs an NVIDIA GPU that torch can use, and a trainer that uses it; "
            "go on where there is one, or start a run with cuda_graphs=false"
        )
    precision = str(cfg.trainer.get("precision"))
    if precision in ("16-mixed", "16") and (accelerator == "cpu" or not (has_cuda or has_mps)):
        # Lightning would take the other without a word in the run's settings.
        raise ValueError(
            f"trainer.precision={precision} needs a GPU; set trainer.precision=bf16-mixed on a CPU"
        )
    wanted = _devices_wanted(cfg)
    if takes_cuda and wanted > torch.cuda.device_count():
        raise ValueError(
            f"trainer.devices={cfg.trainer.devices} needs {wanted} GPUs that torch can use, got "
            f"{torch.cuda.device_count()}; set trainer.devices=1, or trainer.accelerator=cpu"
        )
    setting, gpu, is_there = {
        "cuda": ("trainer=gpu", "an NVIDIA GPU", has_cuda),
        "mps": ("trainer.accelerator=mps", "a GPU of Apple's", has_mps),
        "gpu": ("trainer.accelerator=gpu", "a GPU", has_cuda or has_mps),
    }.get(str(accelerator), ("", "", True))
    if not is_there:
        raise ValueError(
            f"{setting} needs {gpu} that torch can use, but none was found; leave it out, or take "
            "trainer=cpu"
        )


def _devices_wanted(cfg: DictConfig) -> int:
    """How many there must be at least: a number may be given, or a list of indices from 0."""
    devices = cfg.trainer.get("devices")
    if isinstance(devices, ListConfig):
        return max((int(index) + 1 for index in devices), default=0)
    return int(devices) if str(devices).isdecimal() else 0


class _NoProfiler(PassThroughProfiler):
    """Lightning's own also records nothing, but at each hook takes several times as long for it."""

    # Lightning declares what its decorator makes of a generator.
    def profile(self, action_name: str) -> AbstractContextManager[None]:  # type: ignore[override]
        return _NOTHING


_NOTHING = nullcontext()


def _settle_files(callback: ModelCheckpoint, name: str, run_dir: Path) -> None:
    """Keep a callback's checkpoints in the run, and apart from the run's own two.

    Raises:
        ValueError: A callback that a person adds would write over these.
    """
    if callback.dirpath is None:
        # Not where the first logger writes, as Lightning has it.
        callback.dirpath = str(run_dir / "checkpoints")
    if isinstance(callback, RunCheckpoint):
        return
    callback.CHECKPOINT_NAME_LAST = f"{name}_last"  # of `save_last`
    if callback.filename in ("best", "last") and name != "best_checkpoint":
        raise ValueError(
            f"callbacks.{name}.filename must be another name than best and last, which are the "
            f"run's own checkpoints, got {callback.filename}"
        )


def _inside(run_dir: Path, callback: DictConfig) -> DictConfig:
    """Its settings, with a folder of its own inside the run directory, not the current folder."""
    if callback.get("dirpath"):
        callback = callback.copy()
        callback.dirpath = str(run_dir / callback.dirpath)
    return callback


def build_module(cfg: DictConfig, data: InMemoryDataModule) -> SupervisedModule:
    """The network that is to learn the data, with its loss, optimizer and schedule."""

    def schedule(optimizer: Optimizer, total_steps: int) -> LRScheduler:
        length = {"total_steps": total_steps} if takes(cfg.scheduler, "total_steps") else {}
        return build(cfg.scheduler, LRScheduler, optimizer, **length)

    module = build(
        cfg.model,
        SupervisedModule,
        **asdict(data.spec),
        optimizer=functools.partial(build, cfg.optimizer, Optimizer),
        scheduler=schedule,
        monitor=cfg.monitor,
        trains_blocks=data.steps_per_block > 1,
        gradient_clip_val=cfg.trainer.gradient_clip_val,
        **({"cuda_graphs": True} if cfg.get("cuda_graphs") else {}),
    )
    if type(module) is not SupervisedModule:
        _require_rebuildable(module)
    return module


def _require_rebuildable(module: SupervisedModule) -> None:
    """Refuse before training a network that could not be had from its checkpoint afterwards."""
    cls = type(module)
    try:
        with torch.random.fork_rng(devices=[]), torch.device("meta"):
            cls(**module.hparams)
    except (AttributeError, LookupError, TypeError) as error:
        raise ValueError(
            f"{cls.__name__}: its network must come from the arguments of its __init__ alone, as "
            f"a checkpoint builds it again, but does not ({first_line(error)}); name its own "
            "arguments, and hand the others on by super().__init__(**others)"
        ) from error
