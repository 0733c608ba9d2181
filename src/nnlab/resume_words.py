"""The words of a command line that goes on with a run or a sweep, as Hydra is to be given them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from hydra.core.config_store import ConfigStore
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from nnlab.config.command_line import MULTIRUN, is_setting
from nnlab.finding import find_run
from nnlab.run_changes import CHANGEABLE, refuse_other_data, refuse_others
from nnlab.run_directory import load_config
from nnlab.sweep_directory import load_sweep, swept_in_files

SAME_SWEEP = "hydra.sweep.dir=${nnlab.run_dir:}"
"""The setting by which a sweep goes on in the folder that it has."""

# Of Hydra's options those that make sense where a run goes on.
_WITH_RESUME = ("--cfg", "job", "--help", "-h")


def is_resume(word: str) -> bool:
    """Whether a word names what is to go on."""
    return word.lstrip("+").startswith("resume=")


def take_resume_anyway(arguments: list[str]) -> tuple[bool, list[str]]:
    """Whether to go on with a run whatever differs, and the arguments that remain.

    It is said of one command, and no setting of the run.

    Raises:
        ValueError: It is neither true nor false, or no run is to be resumed.
    """
    name = "resume_anyway"
    given = [word for word in arguments if word.partition("=")[0] == name and "=" in word]
    if not given:
        return False, arguments
    value = given[-1].partition("=")[2].lower()
    if value not in ("true", "false"):
        raise ValueError(f"{name} must be true or false, got {given[-1]}")
    if not any(map(is_resume, arguments)):
        raise ValueError(f"{name} must come with resume=RUN_DIR, got {given[-1]} without it")
    return value == "true", [word for word in arguments if word not in given]


def choose_config(arguments: list[str]) -> tuple[str, list[str]]:
    """The config to start from, and the arguments that remain for Hydra.

    Raises:
        FileNotFoundError: What was named is not a run directory.
        ValueError: A setting of a run that is resumed is not to be changed.
    """
    named = list(filter(is_resume, arguments))
    if not named:
        return "train", arguments
    # Settings of Hydra's come from Lightning, for the other processes of a distributed run.
    changes = [word for word in arguments if word not in named and not word.startswith("hydra.")]
    others = (*_WITH_RESUME, *config_dir_of(changes))
    own = [word for word in changes if word not in others]
    refuse_others(own, allowed=(*CHANGEABLE, "resume_anyway"), argument="resume")
    path = named[-1].partition("=")[2]
    sweep = load_sweep(Path(path).expanduser())
    run_dir = Path(path).expanduser() if sweep else find_run("resume", path)
    if "${" in str(run_dir.resolve()):
        raise ValueError("resume must be a path without ${, which Hydra takes for a variable")
    # Through a resolver, because a path may hold anything that means something to Hydra.
    OmegaConf.register_new_resolver("nnlab.run_dir", lambda: str(run_dir.resolve()), replace=True)
    rest = [word for word in arguments if word not in named]
    if sweep:
        _refuse_varying([*sweep, *swept_in_files(run_dir)], own)
        options = [word for word in rest if not is_setting(word)]
        changed = [word for word in rest if is_setting(word)]
        # Its jobs have the folders they had, so that each goes on, or tells what came of it.
        return "train", ["-m", *options, *sweep, SAME_SWEEP, *changed]
    saved = load_config(run_dir)
    refuse_other_data(saved, own, allowed=CHANGEABLE, argument="resume")
    settings = cast(dict[str, Any], OmegaConf.to_container(saved))
    ConfigStore.instance().store(
        name="saved_run", node={"defaults": [{"hydra": "default"}, "_self_"], **settings}
    )
    return "saved_run", add_settings(["hydra.run.dir=${nnlab.run_dir:}"], rest)


def _refuse_varying(sweep: Sequence[str], changes: Sequence[str]) -> None:
    """Refuse a change of what tells the jobs of a sweep apart: they would be others."""
    overrides = OverridesParser.create().parse_overrides(list(filter(is_setting, sweep)))
    varying = {o.key_or_group for o in overrides if o.is_sweep_override()}
    for word in changes:
        if (name := word.partition("=")[0].lstrip("+")) in varying:
            raise ValueError(
                f"{name} varies in this sweep and cannot be changed, got {word}; resume a job of "
                "it, or start a new sweep"
            )


def config_dir_of(arguments: Sequence[str]) -> list[str]:
    """The words that name a folder of configs, in which the options of a sweep may lie."""
    names = ("--config-dir", "-cd")
    return [
        word
        for before, word in zip(["", *arguments], arguments, strict=False)
        if before in names or word in names or word.startswith("--config-dir=")
    ]


def add_settings(settings: list[str], arguments: list[str]) -> list[str]:
    """Put settings beside those of the command line: argparse wants them all in one place."""
    flags = [word for word in arguments if word in MULTIRUN]
    rest = [word for word in arguments if word not in MULTIRUN]
    place = next((i for i, word in enumerate(rest) if is_setting(word)), len(rest))
    return [*flags, *rest[:place], *settings, *rest[place:]]
