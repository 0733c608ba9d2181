"""The settings of a run that may change when it is opened again, and those that make it another."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf

from nnlab.config import check_config, takes
from nnlab.config.command_line import as_hydra_reads
from nnlab.config.interpolations import few_interpolations
from nnlab.run_directory import load_config, save_config
from nnlab.suggestions import did_you_mean

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


def flat_settings(cfg: DictConfig) -> dict[str, Any]:
    """The settings that make a run what it is, by their dotted names, as they are written."""
    flat = _flat("", OmegaConf.to_container(cfg))
    others = {"name", "output_dir", "data.mirrors"}
    return {name: flat[name] for name in flat if name not in {*CHANGEABLE, *others}}


def result_settings(cfg: DictConfig) -> dict[str, Any]:
    """The settings that a result depends on; the length where a schedule is laid out for it."""
    is_planned = takes(cfg.scheduler, "total_steps")
    length = {"trainer.max_epochs": cfg.trainer.max_epochs} if is_planned else {}
    return flat_settings(cfg) | length


def _flat(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        return {name: value}
    flat: dict[str, Any] = {}
    for key, inner in value.items():
        flat |= _flat(f"{name}.{key}" if name else str(key), inner)
    return flat


def changed_settings(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """In words, the settings that are others than before; a group without any is none."""
    before, now = ({k: v for k, v in flat.items() if v != {}} for flat in (before, now))
    return [
        f"{key}={now.get(key)} for {before.get(key)}"
        for key in sorted(before.keys() | now.keys())
        if before.get(key) != now.get(key)
    ]


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
            # Nothing is swept here: commas are a text's own.
            text = str(override.input_line).partition("=")[2]
            value = text if override.is_sweep_override() else override.value()
            OmegaConf.update(cfg, override.key_or_group, value)
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
        names = [key for key in allowed if key.removeprefix("data.") in data or "data." not in key]
        hint = f"; {others} named by {place}={example}" if place in allowed else ""
        raise ValueError(
            f"{argument}=RUN_DIR is a run on {kind}, so only {', '.join(names)} may be given, "
            f"got {word}{hint}"
        )


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
