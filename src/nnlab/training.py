"""The verb that trains: from a config to a run directory."""

import contextlib
import math
import signal
from collections.abc import Collection, Iterator
from pathlib import Path

import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch import Trainer, seed_everything
from omegaconf import DictConfig

from nnlab.assembling import build_module, build_trainer
from nnlab.checkpoints import best_checkpoint
from nnlab.config import build
from nnlab.config.agreement import require_agreement, steps_per_block
from nnlab.data.module import InMemoryDataModule
from nnlab.environment import environment
from nnlab.errors import first_line, out_of_memory
from nnlab.models import SupervisedModule
from nnlab.process import fast_arithmetic, fast_products, quiet_lightning, set_threads
from nnlab.reporting import (
    report_ended,
    report_finished,
    report_finished_before,
    report_interrupted,
    report_start,
)
from nnlab.results import (
    final_results,
    log_hyperparameters,
    monitored,
    save_results,
    time_spent,
)
from nnlab.resuming import (
    SavedState,
    check_length,
    find_saved_state,
    other_length,
    require_best,
    require_likeness,
)
from nnlab.run_changes import result_settings
from nnlab.run_directory import finished_results, save_config
from nnlab.signals import answering_sigterm
from nnlab.stopwatch import stopwatch


def train(
    cfg: DictConfig, run_dir: Path, *, typed: Collection[str] = (), anyway: bool = False
) -> float:
    """Train, keep the best epoch, test it once, and leave everything in the run directory.

    A run directory that has a last checkpoint is continued from there; a finished one is only
    reported again.

    Args:
        cfg: The composed config, checked by `nnlab.config.check_config`.
        run_dir: An existing folder, the run's own.
        typed: The settings that the command line names, which are asked for.
        anyway: Whether a run goes on with what changes its result, such as another version.

    Returns:
        The best value of `cfg.monitor`, which a sweeper optimises.

    Raises:
        ValueError: The config does not fit the data, the loss is no longer finite, or the run would
            go on with what changes its result, and not `anyway`.
        OSError: Data is missing, or the run directory cannot be written.
    """
    finished = finished_results(cfg, run_dir)
    if finished is not None:
        require_best(run_dir)
        report_finished_before(finished["epochs"])
        report_finished(finished, run_dir)
        return monitored(finished)
    saved = find_saved_state(run_dir)
    if saved is None and (run_dir / "metrics.json").exists():
        raise ValueError(
            f"{run_dir} must have checkpoints/last.ckpt to go on with, but it is gone; start a new "
            "run"
        )
    # Other threads add up in another order, so a run keeps to as many unless others are asked for.
    threads = cfg.threads or (saved.environment["threads"] if saved else None)
    quiet_lightning()
    trainer = build_trainer(cfg, run_dir, saved)
    if saved:
        check_length(cfg, run_dir, saved.epochs)
        if trainer.is_global_zero:
            here = environment(str(trainer.strategy.root_device)) | {"threads": threads}
            settings = result_settings(cfg)
            require_likeness(saved, environment=here, settings=settings, typed=typed, anyway=anyway)
    module, data = _assemble(cfg, trainer)
    if trainer.is_global_zero:
        report_start(module, data)

    work = module.multiplications * data.batch_size
    on_cpu = trainer.strategy.root_device.type == "cpu"
    with (
        fast_arithmetic(threads, work),
        _telling_how_to_go_on(cfg, trainer, run_dir),
    ):
        if saved and trainer.is_global_zero:
            save_config(cfg, run_dir)  # for the next time
        stopwatch.begin_training(saved.spent if saved else None)
        with fast_products(work) if on_cpu else contextlib.nullcontext():
            _fit(trainer, module, data, run_dir, saved)
        seconds = stopwatch.spent().training
        stopwatch.press("loop")
        if not trainer.is_global_zero:
            return math.nan  # the first process has what remains to be done
        not_timed = saved.epochs if saved and saved.spent is None else 0
        timed_epochs = trainer.current_epoch - not_timed
        results = final_results(
            cfg, trainer, data, run_dir, seconds=seconds, timed_epochs=timed_epochs
        )
        stopwatch.press("test")
        log_hyperparameters(cfg, trainer, data.spec.task, results, typed)
        results["time_s"] = time_spent()
        save_results(results, run_dir)
    if saved and trainer.current_epoch == saved.epochs < cfg.trainer.max_epochs:
        report_ended(saved.epochs)
    report_finished(results, run_dir)
    return monitored(results)


def _assemble(cfg: DictConfig, trainer: Trainer) -> tuple[SupervisedModule, InMemoryDataModule]:
    """The network, as the trainer computes, and the data, which has been read."""
    set_threads(1)  # to read with; see `fast_arithmetic`
    seed_everything(cfg.seed, workers=True, verbose=False)
    stopwatch.press("start_up")
    data = build(cfg.data, InMemoryDataModule)
    rows, batches = len(data.loaded.train[0]), len(data.train_dataloader())
    require_agreement(cfg, data.spec, rows=rows, batches=batches)
    stopwatch.press("data")
    data.steps_per_block = steps_per_block(cfg)
    module = build_module(cfg, data)
    # Now, because the weights of a checkpoint would lose digits that the module has not yet.
    trainer.precision_plugin.convert_module(module)
    if cfg.compile:
        module.network.compile(mode=cfg.compile)
    return module, data


@contextlib.contextmanager
def _telling_how_to_go_on(cfg: DictConfig, trainer: Trainer, run_dir: Path) -> Iterator[None]:
    """Let Ctrl-C and SIGTERM end a run that can be resumed, with 130 and 143."""
    try:
        with answering_sigterm():
            yield
    except (KeyboardInterrupt, SystemExit) as end:  # Lightning makes the one of the other
        if not trainer.is_global_zero:
            raise
        now = find_saved_state(run_dir)
        report_interrupted(now.epochs if now else 0, run_dir, other_length(cfg))
        by_sigterm = trainer.received_sigterm or end.args == (128 + signal.SIGTERM,)
        raise SystemExit(128 + (signal.SIGTERM if by_sigterm else signal.SIGINT)) from None


def _fit(
    trainer: Trainer,
    module: SupervisedModule,
    data: InMemoryDataModule,
    run_dir: Path,
    saved: SavedState | None,
) -> None:
    try:
        trainer.fit(
            module,
            datamodule=data,
            ckpt_path=saved.path if saved else None,
            weights_only=True,
        )
    except MisconfigurationException as error:
        raise ValueError(f"trainer: {first_line(error)}") from error
    except torch.OutOfMemoryError as error:
        raise ValueError(
            f"{trainer.strategy.root_device} must have memory for the network and a batch, but "
            f"{out_of_memory(error)}; end what else uses it, or lower data.batch_size"
        ) from error
    except ModuleNotFoundError as error:  # which a part of Lightning's needs
        raise ValueError(f"trainer, callbacks and logger: {first_line(error)}") from error
    except (AssertionError, AttributeError, LookupError, RuntimeError, TypeError) as error:
        if saved and not module.is_restored:
            raise ValueError(
                f"{saved.path} must be a checkpoint of this run as nnlab wrote it, but training "
                f"cannot go on from it ({first_line(error)}); start a new run"
            ) from error
        if "Early stopping conditioned on metric" not in str(error):
            raise
        if any(name.startswith("val/") for name in trainer.callback_metrics):
            raise ValueError(f"callbacks: {first_line(error)}") from error
    if not best_checkpoint(run_dir).exists() and trainer.is_global_zero:
        raise ValueError(
            "trainer must let an epoch end with a validation, because the best one is tested, but "
            "none did; see trainer.max_epochs and what was added: max_steps, "
            "check_val_every_n_epoch, fast_dev_run ..."
        )
