"""Training through Hydra: from the words of a command line to one run, or a sweep of them."""

import contextlib
import logging
import math
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import hydra
import hydra._internal.hydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from nnlab.config import check_config, config_folder, new_folders
from nnlab.config.command_line import MULTIRUN, as_hydra_reads, is_setting
from nnlab.config.composing import checked_composition
from nnlab.config.mistyped import refuse_mistyped
from nnlab.config.trust import check_downloads
from nnlab.explaining import explain
from nnlab.loading import load
from nnlab.logs import print_messages
from nnlab.paths import require_file
from nnlab.reporting import report_go_on, report_interrupted_sweep
from nnlab.resume_words import (
    SAME_SWEEP,
    add_settings,
    choose_config,
    config_dir_of,
    take_resume_anyway,
)
from nnlab.run_changes import settle_config
from nnlab.run_directory import alone_in, read_results
from nnlab.signals import answering_sigterm
from nnlab.stopwatch import stopwatch
from nnlab.suggestions import written
from nnlab.sweep_directory import forget_kept_sweep, keep_sweep
from nnlab.sweeping import configs_of_sweep

_log = logging.getLogger(__name__)


def launch(arguments: list[str]) -> None:
    """Train what a command line asks for.

    Raises:
        Exception: What went wrong, after the other jobs of a sweep have run.
    """
    refuse_mistyped(arguments)
    arguments = ["-m" if word == "hydra.mode=MULTIRUN" else word for word in arguments]
    failures: dict[str, Exception] = {}
    typed = [word.partition("=")[0].lstrip("+") for word in arguments if is_setting(word)]
    anyway, arguments = take_resume_anyway(arguments)
    config_name, more = choose_config(arguments)
    more = as_hydra_reads(more)
    if MULTIRUN & set(arguments):
        _check_sweep(more, config_dir_of(arguments))
    if SAME_SWEEP in more:
        keep_sweep(OmegaConf.create({"dir": SAME_SWEEP.partition("=")[2]}).dir)
    words = [sys.argv[0], *add_settings(_name_jobs_by_what_varies(more), more)]
    run_hydra = hydra.main(
        version_base="1.3", config_path=str(config_folder()), config_name=config_name
    )
    # What `--info` says; Hydra's own way is a traceback for each line once the reader has gone. The
    # type checker sees no name there that another module has defined.
    hydra._internal.hydra.simple_stdout_log_config = print_messages  # type: ignore[attr-defined]
    # Hydra raises with HYDRA_FULL_ERROR what it would otherwise print, at more length.
    with (
        _process(words, full_error="1") as before,
        checked_composition(),
        _stoppable_sweep(config_dir_of(arguments), is_sweep=bool(MULTIRUN & set(words))) as begun,
    ):
        run_hydra(_job(before, failures, begun, typed=typed, anyway=anyway))()
    if failures:
        raise next(iter(failures.values()))
    if word := next((word for word in more if "glob(" in word and not begun), None):
        raise ValueError(
            "glob must find options of a part, such as the files of configs/optimizer for "
            f"'optimizer=glob(*)', but found none, got {word}"
        )


def _check_sweep(words: Sequence[str], config_dir: Sequence[str]) -> None:
    """Refuse a sweep that has a value which no job can begin with; others may be hours away."""
    folders = [word.removeprefix("--config-dir=") for word in config_dir]
    for cfg in configs_of_sweep(words, [Path(f) for f in folders if not f.startswith("-")]):
        check_config(cfg)
        require_tables(cfg.get("data") or {})


# The statuses with which Ctrl-C and SIGTERM end a process.
_STOPPED = (128 + signal.SIGINT, 128 + signal.SIGTERM)

_Process = tuple[list[str], str | None]


@contextlib.contextmanager
def _stoppable_sweep(config_dir: Sequence[str], *, is_sweep: bool) -> Iterator[list[Path]]:
    """Tell how a sweep goes on that a signal ends, also one between two jobs.

    Yields where to put the sweep's folder once its first job begins.
    """
    begun: list[Path] = []
    try:
        with answering_sigterm() if is_sweep else contextlib.nullcontext():
            yield begun
    except (KeyboardInterrupt, SystemExit) as end:
        is_signal = isinstance(end, KeyboardInterrupt) or end.code in _STOPPED
        is_there = begun and (begun[0].resolve() not in new_folders or _has_begun(begun[0]))
        if is_signal and is_there:
            report_interrupted_sweep(begun[0], config_dir)
        raise


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


def _name_jobs_by_what_varies(arguments: list[str]) -> list[str]:
    """Of a sweep's settings, those that are the same in all jobs stay out of their names.

    So do those that stand for another value, which may be a secret of the environment.
    """
    if not MULTIRUN & set(arguments):
        return []
    settings = OverridesParser.create().parse_overrides(list(filter(is_setting, arguments)))
    left_out = [
        override.key_or_group
        for override in settings
        if not override.is_sweep_override() or "${" in str(override.input_line)
    ]
    return [f"hydra.job.config.override_dirname.exclude_keys={written(left_out)}"]


def _job(
    command: _Process,
    failures: dict[str, Exception],
    begun: list[Path],
    *,
    typed: Sequence[str],
    anyway: bool,
) -> Callable[[DictConfig], float | None]:
    """What Hydra calls once, or for each job of a sweep.

    Errors are kept in `failures`, the folder of a sweep in `begun`.
    """

    def job(cfg: DictConfig) -> float | None:
        run_dir = Path(HydraConfig.get().runtime.output_dir)
        is_sweep = HydraConfig.get().mode == RunMode.MULTIRUN
        if is_sweep:
            begun.append(Path(HydraConfig.get().sweep.dir))
            forget_kept_sweep(begun[-1])
        try:
            with alone_in(run_dir):
                settle_config(cfg, run_dir)
                check_config(cfg)
                check_downloads(cfg, typed)
                if read_results(run_dir) is None:
                    require_tables(cfg.get("data") or {})
                training = load("nnlab.training", freezes=True)
                # Lightning starts the other processes of a distributed run as this one was.
                with _process(*command):
                    result: float = training.train(cfg, run_dir, typed=typed, anyway=anyway)
                return result
        except KeyboardInterrupt:  # before training answers it
            if not is_sweep and (run_dir / "checkpoints").is_dir():
                report_go_on(run_dir)
            raise
        except Exception as error:
            # Not raised here: the other jobs of a sweep go on.
            failures[run_dir.name] = error
            stopwatch.reset()  # its seconds are none of the next job's
            if is_sweep:
                _log.error("%s failed: %s", run_dir.name, explain(error))
            return math.nan

    return job


def require_tables(data: Mapping[str, Any]) -> None:
    """Refuse files of a table that are not there, sooner than torch is loaded.

    Args:
        data: The settings of a run's data; what `path` is to another's class, nobody knows here.
    """
    if not str(data.get("_target_")).startswith("nnlab."):
        return
    for key in ("path", "val_path", "test_path"):
        if data.get(key) is not None:
            require_file(Path(data[key]).expanduser())


def remove_untouched_folders() -> None:
    """Remove what this process has made and no training has begun in: a mistake leaves nothing.

    Logs that lie in the folders are to be closed before.
    """
    for folder in new_folders:
        if not _has_begun(folder):
            shutil.rmtree(folder, ignore_errors=True)
            with contextlib.suppress(OSError):  # other runs are in it
                folder.parent.rmdir()
    new_folders.clear()


def _has_begun(folder: Path) -> bool:
    """Whether a training has begun in a folder, or in one of a sweep's."""
    names = [path.name for path in folder.rglob("*")]
    return any(name == "checkpoints" or name.endswith(".ckpt") for name in names)
