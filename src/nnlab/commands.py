"""The commands: from the command line through Hydra to a verb, and from an error to a sentence.

Nothing here loads torch: `--help` and mistakes in a config answer at once.
"""

import contextlib
import importlib
import logging
import math
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import NoReturn

import hydra
from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from nnlab.config import check_config, config_folder, explain, new_folders, register_resolvers
from nnlab.rules import did_you_mean

_USAGE = """nnlab trains neural networks from YAML configs.

    nnlab train [SETTING=VALUE ...]      train a network; on its own, on embedded digits
    nnlab evaluate run=RUN_DIR           test a finished run again

`nnlab train --help` tells the settings."""

_log = logging.getLogger(__name__)

_EVALUATE_USAGE = """Test a run's best checkpoint again, on the test rows of its data.

    python scripts/evaluate.py run=RUN_DIR
    python scripts/evaluate.py run=RUN_DIR data.path=FILE    where the data has moved

It prints the test metrics, and whether they are those of RUN_DIR/metrics.json."""

# Verb: where it is, and the argument that names a run directory to work in.
_VERBS = {"train": ("nnlab.training", "resume"), "evaluate": ("nnlab.evaluation", "run")}
# What may differ from the run's own settings; the rest would make it another run.
_CHANGEABLE = {
    "train": ("trainer.max_epochs", "threads", "data.path", "data.root"),
    "evaluate": ("threads", "data.path", "data.root"),
}


def main() -> None:
    """The `nnlab` command: `nnlab VERB ...`."""
    verb = sys.argv[1] if len(sys.argv) > 1 else "--help"
    if verb in ("--help", "-h"):
        print(_USAGE)
    elif verb in _VERBS:
        _run(verb, sys.argv[2:])
    else:
        _fail(f"there is no command {verb}{did_you_mean(verb, _VERBS)}; see nnlab --help")


def train() -> None:
    """The `scripts/train.py` command."""
    _run("train", sys.argv[1:])


def evaluate() -> None:
    """The `scripts/evaluate.py` command."""
    _run("evaluate", sys.argv[1:])


def _run(verb: str, arguments: list[str]) -> None:
    """Hand a verb's arguments to Hydra and report what went wrong."""
    if verb == "evaluate" and {"--help", "-h"} & set(arguments):
        print(_EVALUATE_USAGE)
        return
    register_resolvers()
    failures: dict[str, Exception] = {}
    show_traceback = os.environ.get("HYDRA_FULL_ERROR") == "1"
    try:
        config_name, more = _choose_config(verb, arguments)
        words = [sys.argv[0], *_add_settings(_name_jobs_by_what_varies(more), more)]
        run_hydra = hydra.main(
            version_base="1.3", config_path=str(config_folder()), config_name=config_name
        )
        # Hydra raises with HYDRA_FULL_ERROR what it would otherwise print, at more length.
        with _process(words, full_error="1") as before:
            run_hydra(_job(verb, before, failures))()
        for error in failures.values():
            raise error
    except Exception as error:
        _remove_untouched_folders()
        if show_traceback or not _is_users_mistake(error):
            raise
        _fail(explain(error))
    except KeyboardInterrupt:
        _remove_untouched_folders()
        print("stopped", file=sys.stderr)
        raise SystemExit(128 + signal.SIGINT) from None


_MULTIRUN = {"-m", "--multirun"}

_Process = tuple[list[str], str | None]


@contextlib.contextmanager
def _process(argv: list[str], full_error: str | None) -> Iterator[_Process]:
    """Change the command line and Hydra's environment variable for a while; yields the former."""
    before = sys.argv, os.environ.get("HYDRA_FULL_ERROR")
    _set_process(argv, full_error)
    try:
        yield before
    finally:
        _set_process(*before)


def _set_process(argv: list[str], full_error: str | None) -> None:
    sys.argv = argv
    if full_error is None:
        os.environ.pop("HYDRA_FULL_ERROR", None)
    else:
        os.environ["HYDRA_FULL_ERROR"] = full_error


def _choose_config(verb: str, arguments: list[str]) -> tuple[str, list[str]]:
    """The config to start from, and the arguments that remain for Hydra.

    Raises:
        FileNotFoundError: What was named is not a run directory.
        ValueError: None was named where one must be, or a setting is not to be changed.
    """
    _, argument = _VERBS[verb]
    named = [word for word in arguments if word.startswith(f"{argument}=")]
    if not named and verb == "evaluate":
        raise ValueError("run must be given: add run=RUN_DIR to the command")
    if not named:
        return verb, arguments
    # Settings of Hydra's come from Lightning, for the other processes of a distributed run.
    allowed = (argument, *_CHANGEABLE[verb], "--cfg", "job")
    for word in arguments:
        if not word.startswith("hydra.") and word.partition("=")[0] not in allowed:
            raise ValueError(
                f"with {argument}=RUN_DIR a run keeps its own settings; only "
                f"{', '.join(_CHANGEABLE[verb])} may be changed, got {word}"
            )
    run_dir = Path(named[-1].partition("=")[2]).expanduser()
    saved = run_dir / ".hydra" / "config.yaml"
    if not saved.is_file():
        raise FileNotFoundError(
            f"{argument} must be a run directory, with its config in .hydra/config.yaml, "
            f"got {argument}={run_dir}"
        )
    if "${" in str(run_dir.resolve()):
        raise ValueError(f"{argument} must be a path without ${{, which Hydra takes for a variable")
    config = OmegaConf.to_container(OmegaConf.load(saved))
    if not isinstance(config, dict):
        raise ValueError(f"{saved} must hold a run's settings, got {config!r}")
    # The run's own config, but nothing in it may configure Hydra.
    node = {key: value for key, value in config.items() if key not in ("hydra", "defaults")}
    ConfigStore.instance().store(
        name="saved_run", node={"defaults": [{"hydra": "default"}, "_self_"], **node}
    )
    # Through a resolver, because a path may hold anything that means something to Hydra.
    OmegaConf.register_new_resolver("nnlab.run_dir", lambda: str(run_dir.resolve()), replace=True)
    settings = ["hydra.run.dir=${nnlab.run_dir:}", "hydra.output_subdir=null"]
    settings.append(f"hydra.job.name={verb}")
    return "saved_run", _add_settings(settings, [word for word in arguments if word not in named])


def _name_jobs_by_what_varies(arguments: list[str]) -> list[str]:
    """Of a sweep's settings, those that are the same in all jobs stay out of their names."""
    if not _MULTIRUN & set(arguments):
        return []
    settings = OverridesParser.create().parse_overrides(list(filter(_is_setting, arguments)))
    fixed = [override.key_or_group for override in settings if not override.is_sweep_override()]
    return [f"hydra.job.config.override_dirname.exclude_keys=[{','.join(fixed)}]"]


def _add_settings(settings: list[str], arguments: list[str]) -> list[str]:
    """Put settings beside those of the command line: argparse wants them all in one place."""
    flags = [word for word in arguments if word in _MULTIRUN]
    rest = [word for word in arguments if word not in _MULTIRUN]
    place = next((i for i, word in enumerate(rest) if _is_setting(word)), len(rest))
    return [*flags, *rest[:place], *settings, *rest[place:]]


def _is_setting(word: str) -> bool:
    return "=" in word and not word.startswith("-")


def _job(
    verb: str, command: _Process, failures: dict[str, Exception]
) -> Callable[[DictConfig], float | None]:
    """What Hydra calls once, or for each job of a sweep; errors are kept in `failures`."""
    module, _ = _VERBS[verb]

    def job(cfg: DictConfig) -> float | None:
        run_dir = Path(HydraConfig.get().runtime.output_dir)
        try:
            check_config(cfg)
            # Lightning starts the other processes of a distributed run as this one was started.
            with _process(*command):
                result: float | None = getattr(importlib.import_module(module), verb)(cfg, run_dir)
            return result
        except Exception as error:
            # Not raised here: the other jobs of a sweep go on.
            failures[run_dir.name] = error
            if HydraConfig.get().mode == RunMode.MULTIRUN:
                _log.error("%s failed: %s", run_dir.name, explain(error))
            return math.nan

    return job


def _remove_untouched_folders() -> None:
    """Remove what this process has made and no training has begun in: a mistake leaves nothing."""
    logging.shutdown()  # closes the logs, which lie in the folders
    for folder in new_folders:
        if not any(folder.rglob("checkpoints")):
            shutil.rmtree(folder, ignore_errors=True)
            with contextlib.suppress(OSError):  # other runs are in it
                folder.parent.rmdir()
    new_folders.clear()


def _is_users_mistake(error: BaseException) -> bool:
    """Whether a message is enough: an error of the system's, Hydra's, or one nnlab raised."""
    if isinstance(error, (HydraException, OmegaConfBaseException, OSError)):
        return True
    if isinstance(error, ValueError) and _raised_in(error.__traceback__) == "nnlab":
        return True
    # Of other packages only those that read what a person wrote.
    return _raised_in(error.__traceback__) in ("hydra", "omegaconf", "yaml")


def _raised_in(traceback: TracebackType | None) -> str:
    """The package of the frame that an error comes from."""
    name = ""
    while traceback is not None:
        name = traceback.tb_frame.f_globals.get("__name__", "")
        traceback = traceback.tb_next
    return name.partition(".")[0]


def _fail(message: str) -> NoReturn:
    print(f"error: {message}", file=sys.stderr)
    raise SystemExit(1)
