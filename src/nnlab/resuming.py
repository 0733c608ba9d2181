"""What a run directory has behind it, and how to go on from there."""

import logging
import math
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from nnlab.checkpoints import is_checkpoint, previous, read_checkpoint, write_checkpoint
from nnlab.config import takes, target_class
from nnlab.environment import differences, means_the_same
from nnlab.rules import check
from nnlab.run_changes import changed_settings
from nnlab.run_directory import config_path
from nnlab.stopwatch import PHASES, Spent

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class SavedState:
    """The newest checkpoint of a run that is whole.

    Attributes:
        path: Its file.
        epochs: The epochs behind it.
        steps: The optimizer steps behind it.
        environment: What the result depends on beside the settings (`nnlab.environment`).
        settings: Those it was trained with, by their dotted names; None if it does not say.
        spent: The time that it took; None if it does not say.
    """

    path: Path
    epochs: int
    steps: int
    environment: dict[str, Any]
    settings: dict[str, Any] | None
    spent: Spent | None


def find_saved_state(run_dir: Path) -> SavedState | None:
    """What to go on from: the last checkpoint, or the one before if the last is damaged.

    The best one, which it holds as well, is written again if it is damaged or gone, or of an epoch
    that is to be trained again.

    Returns:
        None for a run that has none yet.

    Raises:
        FileNotFoundError: The best checkpoint is lost.
        ValueError: No checkpoint is whole, or it is of no training run.
    """
    folder = run_dir / "checkpoints"
    for unfinished in folder.glob(".*.ckpt.*"):  # what a killed process was writing
        unfinished.unlink(missing_ok=True)  # other processes of the run do so, too
    last = folder / "last.ckpt"
    candidates = [path for path in (last, previous(last)) if path.is_file()]
    if not candidates:
        return None
    for path in candidates:
        try:
            checkpoint = read_checkpoint(path)
        except ValueError as error:
            if path == candidates[-1]:
                raise ValueError(
                    f"{error}; no other can be gone on from: start a new run"
                ) from error
            _log.warning("warning: %s; going on from the one before", error)
            # Out of the way, so that the next one to be written does not push out the whole one.
            path.rename(path.with_suffix(".damaged"))
            continue
        break
    saved = _saved_state(path, checkpoint)
    # Better now than when training is over; without a validation there is none yet.
    if checkpoint.get("best", ...) is not None or (folder / "best.ckpt").exists():
        _restore_best(folder / "best.ckpt", checkpoint.get("best"), saved.epochs)
    return saved


def require_best(run_dir: Path) -> None:
    """See to it that a finished run's best checkpoint is whole; the last one holds it as well.

    Raises:
        ValueError: It is lost.
    """
    try:
        read_checkpoint(run_dir / "checkpoints" / "best.ckpt")
    except (ValueError, FileNotFoundError) as error:
        if find_saved_state(run_dir) is None:
            raise ValueError(f"{error}; no other holds it: start a new run") from error


def _restore_best(path: Path, kept: Any, epochs: int) -> None:
    """Write the best checkpoint again if it is damaged, or of a later epoch than the last.

    A run that is stopped has a later one where that epoch was not due to be saved as the last.

    Args:
        path: The best checkpoint.
        kept: What the last one holds of it; None in those of the first version.
        epochs: The epochs behind the last one.

    Raises:
        ValueError: It is damaged, and not kept.
        FileNotFoundError: It is gone, and not kept.
    """
    try:
        epoch = read_checkpoint(path).get("epoch")
        if isinstance(epoch, int) and epoch >= epochs and is_checkpoint(kept):
            write_checkpoint(kept, path)
    except (ValueError, FileNotFoundError) as error:
        if not is_checkpoint(kept):
            raise
        reason: object = f"{path} is gone"
        if path.exists():
            reason = error
            path.rename(path.with_suffix(".damaged"))
        _log.warning("warning: %s; it is written again, as the last checkpoint holds it", reason)
        write_checkpoint(kept, path)


def _saved_state(path: Path, checkpoint: dict[str, Any]) -> SavedState:
    match checkpoint:
        case {
            "epoch": int(epoch),
            "global_step": int(steps),
            "environment": {"threads": int(threads), "device": str(), "versions": dict()},
        } if isinstance(checkpoint.get("settings"), dict | None):
            check(threads=threads)  # as many are started
            return SavedState(
                path=path,
                epochs=epoch + 1,
                steps=steps,
                environment=checkpoint["environment"],
                settings=checkpoint.get("settings"),
                spent=_spent(checkpoint.get("time")),
            )
    raise ValueError(
        f"{path} must be a checkpoint of a training run, with its epoch, environment and settings "
        "in it; start a new run"
    )


def _spent(content: Any) -> Spent | None:
    """What a checkpoint says of its time, which may be nothing, or made up."""
    match content:
        case {"phases": dict(phases), "training": float(training)} if phases.keys() == set(PHASES):
            seconds = [*phases.values(), training]
            if all(isinstance(s, float) and 0 <= s < math.inf for s in seconds):
                return Spent(phases=phases, training=training)
    return None


def other_length(cfg: DictConfig) -> str | None:
    """The setting by which a run ends after some steps or hours, if there is one.

    Such a run cannot be resumed: Lightning would end it where it was stopped, or within an epoch.
    """
    from lightning.pytorch.callbacks import Timer

    unset = {"max_steps": -1, "max_time": None}
    limits = [f"trainer.{n}" for n in unset if cfg.trainer.get(n, unset[n]) != unset[n]]
    limits += [
        f"callbacks.{name}"
        for name, node in (cfg.callbacks or {}).items()
        if node and issubclass(target_class(node, object), Timer)
    ]
    return limits[0] if limits else None


def check_length(cfg: DictConfig, run_dir: Path, epochs_before: int) -> None:
    """Refuse a length that a run which is resumed cannot have.

    Raises:
        ValueError: It is told in steps or time, or it has more epochs behind it, or its schedule
            was laid out for another number of them.
    """
    if limit := other_length(cfg):
        value = OmegaConf.select(cfg, limit)
        value = value._target_ if isinstance(value, DictConfig) else value
        raise ValueError(
            f"{limit} must not be set in a run that is to be resumed, got {limit}={value}; start a "
            "new run, with trainer.max_epochs"
        )
    wanted = cfg.trainer.max_epochs
    planned = OmegaConf.load(config_path(run_dir)).trainer.max_epochs
    if wanted < epochs_before:
        raise ValueError(
            f"trainer.max_epochs must be at least the {epochs_before} epochs that {run_dir} has "
            f"behind it, got trainer.max_epochs={wanted}"
        )
    if wanted != planned and takes(cfg.scheduler, "total_steps"):
        schedule = cfg.scheduler["_target_"].rpartition(".")[2]
        raise ValueError(
            f"trainer.max_epochs must stay {planned} in {run_dir}, whose learning rates "
            f"({schedule}) were laid out for so many epochs, got trainer.max_epochs={wanted}; "
            "start a new run"
        )


def require_likeness(
    saved: SavedState,
    *,
    environment: dict[str, Any],
    settings: dict[str, Any],
    typed: Container[str],
    anyway: bool,
) -> None:
    """Refuse to go on with what would change the result, unless a person has asked for it.

    What was asked for, and what differs but changes nothing, is told.

    Args:
        saved: What it goes on from.
        environment: That of this process.
        settings: Those of this process, which somebody may have changed in the run directory.
        typed: The settings that this command names.
        anyway: Whether the person goes on whatever differs.

    Raises:
        ValueError: Settings, versions, the device or its model, or threads are others.
    """
    length = "trainer.max_epochs"
    if saved.settings is not None and length not in saved.settings:
        settings = {name: value for name, value in settings.items() if name != length}
    edited = changed_settings(saved.settings, settings) if saved.settings is not None else []
    others = differences(saved.environment, environment)
    harmless = {name for name in others if means_the_same(name, saved.environment, environment)}
    changes = [*edited, *(others[name] for name in others if name not in harmless)]
    asked_for = [others["threads"]] if "threads" in others and "threads" in typed else []
    if len(changes) > len(asked_for) and not anyway:
        raise ValueError(
            f"{saved.path.parents[1]} must go on with what it was trained with so far, or its "
            f"result is another, got {'; '.join(changes)}; restore that, or add "
            "resume_anyway=true to the command"
        )
    if changes:
        _log.warning(
            "warning: the run goes on with other things than it was trained with so far, so its "
            "result may be another than without a stop: %s",
            "; ".join(changes),
        )
    if harmless:
        _log.info(
            "the run goes on with %s, which leaves its result as it is",
            "; ".join(others[name] for name in sorted(harmless)),
        )
