"""A run directory: having it to oneself, its settings and its results."""

import contextlib
import json
import logging
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import yaml
from omegaconf import DictConfig, OmegaConf

from nnlab.atomic import replacing

_log = logging.getLogger(__name__)


@contextlib.contextmanager
def alone_in(run_dir: Path) -> Iterator[None]:
    """Have a run directory to oneself; the system ends that with the process, however it dies.

    Where the system cannot do so, as on Windows, it is left to the person. The processes of a
    distributed run share theirs: the first has it.

    Raises:
        ValueError: Another process trains in it.
    """
    # The variables by which Lightning knows, too.
    ranks = (os.environ.get(name) for name in ("RANK", "LOCAL_RANK", "SLURM_PROCID"))
    if sys.platform == "win32" or any(int(rank or 0) > 0 for rank in ranks):
        yield
        return
    import fcntl

    folder = os.open(run_dir, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ValueError(
                f"one process at a time may train in {run_dir}, and another one does; wait for it, "
                "or stop it first"
            ) from error
        except OSError:
            _log.debug("%s cannot be locked", run_dir, exc_info=True)
        yield
    finally:
        os.close(folder)


def config_path(run_dir: Path) -> Path:
    """Where a run's settings are."""
    return run_dir / ".hydra" / "config.yaml"


def save_config(cfg: DictConfig, run_dir: Path) -> None:
    """Save the settings of a run, as they are written: a variable's name, not its value."""
    path = config_path(run_dir)
    path.parent.mkdir(exist_ok=True)
    with replacing(path) as file:
        file.write(OmegaConf.to_yaml(cfg).encode())


def load_config(run_dir: Path) -> DictConfig:
    """The settings of a run, as they were saved.

    Raises:
        ValueError: The file does not hold settings.
    """
    path = config_path(run_dir)
    settings = load_yaml(path)
    data = settings.get("data")
    if isinstance(data, str):
        raise ValueError(f"{path} must hold data's settings as nnlab writes them, got {data}")
    # A run directory may come from elsewhere: nothing in it configures Hydra, or is sent for.
    if isinstance(data, dict) and "mirrors" in data:
        data["mirrors"] = []
    for key in ("hydra", "defaults"):
        settings.pop(key, None)
    return OmegaConf.create(settings)


def read_results(run_dir: Path) -> dict[str, Any] | None:
    """What a run wrote into `metrics.json` at its end; None where that is not there, or damaged."""
    try:
        content = json.loads((run_dir / "metrics.json").read_bytes())
    except (FileNotFoundError, ValueError, RecursionError):
        return None
    match content:
        case {
            "monitor": str(monitor),
            "best_epoch": int(),
            "epochs": int(),
            "max_epochs": int(),
            "val": dict(val),
            "test": dict(test),
            "threads": int(),
            "device": str(),
            "versions": dict(),
            "time_s": dict(seconds),
        } if monitor.removeprefix("val/") in val and all(map(_are_numbers, (val, test, seconds))):
            return cast(dict[str, Any], content)
    return None


def finished_results(cfg: DictConfig, run_dir: Path) -> dict[str, Any] | None:
    """What a run wrote at its end, if it has come to the end that the config asks for."""
    wanted = cfg.trainer.max_epochs  # also to find out now, and not at the end, if it is not there
    results = read_results(run_dir)
    return results if results and results["max_epochs"] == wanted else None


def _are_numbers(named: Mapping[str, Any]) -> bool:
    return all(isinstance(value, (int, float)) for value in named.values())


def load_yaml(path: Path) -> dict[str, Any]:
    """The content of a file that a run has left.

    Raises:
        ValueError: It is not of a run.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} must hold a run's settings as nnlab writes them, got bytes that are no text "
            f"({error.reason}); start a new run"
        ) from error
    try:
        # A few lines of aliases of aliases would make gigabytes; nnlab writes none.
        has_alias = any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text))
        parsed = None if has_alias else yaml.safe_load(text)
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        raise ValueError(
            f"{path} must hold a run's settings as nnlab writes them, but cannot be read ({reason})"
        ) from error
    except RecursionError as error:
        raise ValueError(f"{path} must hold a run's settings, got lists in lists in ...") from error
    if has_alias:
        raise ValueError(f"{path} must hold a run's settings as nnlab writes them, got an alias")
    if parsed is None:
        raise ValueError(
            f"{path} is empty: the run was stopped before it had begun; start it again"
        )
    if not isinstance(parsed, dict):
        raise ValueError(f"{path} must hold a run's settings, got '{text[:40]}...'")
    return parsed
