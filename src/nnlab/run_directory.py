"""Opening a run directory: its config, with the few changes that leave it the same run."""

import contextlib
import logging
import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf

from nnlab.atomic import replacing
from nnlab.config import check_config
from nnlab.config.column_names import restore
from nnlab.config.command_line import as_hydra_reads
from nnlab.config.interpolations import few_interpolations
from nnlab.suggestions import did_you_mean

_log = logging.getLogger(__name__)

DATA_PLACES = (
    "data.path",
    "data.val_path",
    "data.test_path",
    "data.root",
    "data.memory_map",
    "data.scratch",
)
"""Where a run's data lies, which leaves it the same data."""

CHANGEABLE = ("trainer.max_epochs", "threads", "checkpoint_every_s", *DATA_PLACES)
"""What may differ when a run is resumed; the rest would make it another run."""


# What nnlab itself has Hydra do in a sweep.
_ADDED = ("hydra.job.config.override_dirname.exclude_keys=", "hydra.mode=", "hydra.sweep.dir=")


def find_run(argument: str, path: str) -> Path:
    """A run directory that a person named.

    Args:
        argument: The name of the argument, for the message.
        path: What was named; `~` is the home folder.

    Raises:
        FileNotFoundError: It is not a run directory.
    """
    run_dir = Path(path).expanduser()
    if config_path(run_dir).is_file():
        return run_dir
    inside = sorted(found.parents[1] for found in run_dir.glob("**/.hydra/config.yaml"))
    hint = f"; the last of {len(inside)} in it is {inside[-1]}" if inside else ""
    raise FileNotFoundError(
        f"{argument} must be a run directory, with its config in .hydra/config.yaml, "
        f"got {argument}={path}{hint}"
    )


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


def flat_settings(cfg: DictConfig) -> dict[str, Any]:
    """The settings that make a run what it is, by their dotted names, as they are written."""
    flat = _flat("", OmegaConf.to_container(cfg))
    others = {"name", "output_dir", "data.mirrors"}
    return {name: flat[name] for name in flat if name not in {*CHANGEABLE, *others}}


def _flat(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or not value:
        return {name: value}
    flat: dict[str, Any] = {}
    for key, inner in value.items():
        flat |= _flat(f"{name}.{key}" if name else str(key), inner)
    return flat


def changed_settings(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """In words, the settings that are others than before."""
    return [
        f"{key}={now.get(key)} for {before.get(key)}"
        for key in sorted(before.keys() | now.keys())
        if before.get(key) != now.get(key)
    ]


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


def load_sweep(sweep_dir: Path) -> list[str]:
    """The `setting=values` words that began the sweep in a sweep directory; none elsewhere.

    Raises:
        ValueError: The file that should hold them does not.
    """
    path = sweep_dir / "multirun.yaml"
    if not path.is_file():
        return []
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
    text = path.read_text()
    # A few lines of aliases of aliases would make gigabytes; nnlab writes none.
    if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text)):
        raise ValueError(f"{path} must hold a run's settings as nnlab writes them, got an alias")
    try:
        parsed = yaml.safe_load(text)
    except RecursionError as error:
        raise ValueError(f"{path} must hold a run's settings, got lists in lists in ...") from error
    if parsed is None:
        raise ValueError(
            f"{path} is empty: the run was stopped before it had begun; start it again"
        )
    if not isinstance(parsed, dict):
        raise ValueError(f"{path} must hold a run's settings, got {parsed!r}")
    return parsed


def change_config(
    cfg: DictConfig, changes: Sequence[str], *, allowed: Sequence[str], argument: str
) -> None:
    """Apply `setting=value` words to a run's config, and check it.

    Raises:
        ValueError: A setting may not be changed, or a value breaks its rule.
    """
    refuse_others(changes, allowed=allowed, argument=argument)
    refuse_other_data(cfg, changes, allowed=allowed, argument=argument)
    with few_interpolations():  # on the way to a setting, too
        for override in OverridesParser.create().parse_overrides(as_hydra_reads(changes)):
            OmegaConf.update(cfg, override.key_or_group, override.value())
    check_config(cfg)


def refuse_others(words: Sequence[str], *, allowed: Sequence[str], argument: str) -> None:
    """Refuse words that would make another run of it.

    Raises:
        ValueError: A word does not begin with an allowed name and `=`.
    """
    for word in words:
        name = word.partition("=")[0]
        if name not in allowed:
            raise ValueError(
                f"with {argument}=RUN_DIR a run keeps its own settings; only "
                f"{', '.join(allowed)} may be given, got {word}{did_you_mean(name, allowed)}"
            )


def refuse_other_data(
    cfg: DictConfig, words: Sequence[str], *, allowed: Sequence[str], argument: str
) -> None:
    """Refuse settings of data of another kind: those of tables for images, and the reverse.

    Raises:
        ValueError: A word sets something of the data that a run's data has not.
    """
    data = OmegaConf.to_container(cfg.data) if OmegaConf.is_dict(cfg.get("data")) else {}
    for word in words:
        name = word.partition("=")[0].removeprefix("data.")
        if not word.startswith("data.") or not data or name in data:
            continue
        kind, others, place, example = "a table", "another is", "data.path", "FILE"
        if "root" in data:
            kind, others, place, example = "images", "others are", "data.root", "FOLDER"
        takes = [key for key in allowed if key.removeprefix("data.") in data or "data." not in key]
        hint = f"; {others} named by {place}={example}" if place in allowed else ""
        raise ValueError(
            f"{argument}=RUN_DIR is a run on {kind}, so only {', '.join(takes)} may be given, "
            f"got {word}{hint}"
        )
