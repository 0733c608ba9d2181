"""A run directory: having it to oneself, its settings and those of its sweep."""

import contextlib
import json
import logging
import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import yaml
from omegaconf import DictConfig, OmegaConf

from nnlab.atomic import replacing
from nnlab.config.column_names import restore
from nnlab.run_changes import changed_settings, flat_settings

_log = logging.getLogger(__name__)

# What nnlab itself has Hydra do in a sweep.
_ADDED = ("hydra.job.config.override_dirname.exclude_keys=", "hydra.mode=", "hydra.sweep.dir=")


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


def settle_config(cfg: DictConfig, run_dir: Path) -> None:
    """Save the settings of a run that begins; of one that goes on, check that they are its own.

    Hydra would save them itself, over those of a run that is in the directory already.

    Raises:
        ValueError: The run was begun with settings that make it another one.
    """
    if not (run_dir / "checkpoints").is_dir():
        save_config(cfg, run_dir)
        return
    others = changed_settings(flat_settings(load_config(run_dir)), flat_settings(cfg))
    if others:
        raise ValueError(
            f"{run_dir} must be the directory of one run, but has one that was begun with other "
            f"settings, got {'; '.join(others)}; give the new run another directory"
        )


def load_config(run_dir: Path) -> DictConfig:
    """The settings of a run, as they were saved.

    Raises:
        ValueError: The file does not hold settings.
    """
    path = config_path(run_dir)
    settings = _load_yaml(path)
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


def _are_numbers(named: Mapping[str, Any]) -> bool:
    return all(isinstance(value, (int, float)) for value in named.values())


def load_sweep(sweep_dir: Path) -> list[str]:
    """The `setting=values` words that began the sweep in a sweep directory; none elsewhere.

    Raises:
        ValueError: The file that should hold them does not.
    """
    path, before = _sweep_files(sweep_dir)
    if not path.is_file() and not before.is_file():
        return []
    try:
        return _sweep_words(path)
    except (FileNotFoundError, ValueError):
        if not before.is_file():
            raise
        return _sweep_words(before)


def swept_in_files(sweep_dir: Path) -> list[str]:
    """The `setting=values` that configs have a sweep vary, beside what `load_sweep` gives."""
    for path in _sweep_files(sweep_dir):
        with contextlib.suppress(FileNotFoundError, ValueError):
            match _load_yaml(path):
                case {"hydra": {"sweeper": {"params": dict(params)}}}:
                    return [f"{name}={values}" for name, values in params.items()]
    return []


def keep_sweep(sweep_dir: str | Path) -> None:
    """Keep a copy of what began a sweep: Hydra writes it anew when the sweep goes on.

    Until `forget_kept_sweep` it serves `load_sweep` if that does not come to its end.

    Raises:
        OSError: It cannot be written.
    """
    path, before = _sweep_files(Path(sweep_dir))
    with contextlib.suppress(FileNotFoundError, ValueError):  # else the copy is what there is
        _sweep_words(path)
        with replacing(before) as file:
            file.write(path.read_bytes())


def forget_kept_sweep(sweep_dir: Path) -> None:
    """Remove the copy, as the sweep has been written."""
    _sweep_files(sweep_dir)[1].unlink(missing_ok=True)


def _sweep_files(sweep_dir: Path) -> tuple[Path, Path]:
    return sweep_dir / "multirun.yaml", sweep_dir / "multirun_before.yaml"


def _sweep_words(path: Path) -> list[str]:
    match _load_yaml(path):
        case {"hydra": {"overrides": {"task": [*_], "hydra": [*more]}}} if others := [
            word for word in more if not str(word).startswith(_ADDED)
        ]:
            raise ValueError(
                f"a sweep that sets something of Hydra's cannot be resumed, got {others[0]} in "
                f"{path}; resume its runs one by one"
            )
        case {"hydra": {"overrides": {"task": [*words]}}} if all(map(_is_own_setting, words)):
            return [_restore_name(word) for word in words]
    raise ValueError(f"{path} must hold the settings of a sweep as Hydra writes them")


def _is_own_setting(word: Any) -> bool:
    """Whether a word sets something of nnlab's.

    A sweep from elsewhere does not configure Hydra, or say where data is downloaded from.
    """
    ours = r"(?!hydra\b|data\.mirrors\b|data=\{)"
    pattern = rf"[+~]*{ours}\w[^=]*=|~{ours}[\w.]+$"
    return isinstance(word, str) and bool(re.match(pattern, word))


def _restore_name(word: str) -> str:
    """A setting as it was typed, if it names a column."""
    name, mark, value = word.partition("=")
    return restore(name) + mark + value


def _load_yaml(path: Path) -> dict[str, Any]:
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
