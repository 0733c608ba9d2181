"""Training from Python, such as in a notebook, with the settings of the command line."""

import contextlib
import logging
import os
import random
import threading
import warnings
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import DictConfig, open_dict
from omegaconf.errors import OmegaConfBaseException

from nnlab.config import check_config, config_folder, new_folder, register_resolvers
from nnlab.config.command_line import MULTIRUN, as_hydra_reads
from nnlab.config.composing import checked_composition
from nnlab.config.trust import check_downloads
from nnlab.explaining import explain
from nnlab.finding import find_run
from nnlab.launching import remove_untouched_folders, require_tables
from nnlab.loading import load
from nnlab.logs import LogFile, Printer
from nnlab.resume_words import is_resume, take_resume_anyway
from nnlab.run_changes import CHANGEABLE, change_config, settle_config
from nnlab.run_directory import alone_in, load_config, read_results
from nnlab.stopwatch import stopwatch

# Whose messages a run keeps to itself.
_OF_LIGHTNING = (
    "lightning",
    "lightning.pytorch",
    "lightning.fabric",
    "lightning.pytorch.profilers",
)
# Where a run's seed and its order of additions are left for other processes.
_SET_BY_LIGHTNING = ("PL_GLOBAL_SEED", "PL_SEED_WORKERS", "CUBLAS_WORKSPACE_CONFIG")

_training = threading.Lock()


def compose(*settings: str) -> DictConfig:
    """The config that settings come to, as `python scripts/train.py SETTINGS --cfg job` prints it.

    `nnlab.config.build` makes its parts.

    Args:
        *settings: Such as `"data=csv", "data.path=houses.csv"`, without a shell's quotes.

    Raises:
        ValueError: There is no such setting, or a value breaks its rule.

    Example:
        `build(compose("data=penguins").data, TabularDataModule).loaded.column_table`
    """
    return _compose(settings)[0]


def train(*settings: str) -> Path:
    """Train what settings say, as `python scripts/train.py SETTINGS` does.

    Args:
        *settings: Such as `"data=csv", "data.path=houses.csv"`, without a shell's quotes, or
            `"resume=RUN_DIR"` to go on with a run.

    Returns:
        The run directory, for `nnlab.load_run`; its `metrics.json` has the results.

    Raises:
        FileNotFoundError: The data is not there, or no run to go on with.
        ValueError: The settings are wrong, or do not fit the data.
        RuntimeError: Another thread of this process trains.
        KeyboardInterrupt: It was stopped; what was printed says how to go on.

    Example:
        `load_run(train("data=penguins", "trainer.max_epochs=20"))`
    """
    for word in settings:
        if not isinstance(word, str):
            raise TypeError(f'settings must be texts such as "data=penguins", got {word!r}')
    # They would draw from the same random numbers.
    if not _training.acquire(blocking=False):
        raise RuntimeError(
            "a process trains one network at a time, but another thread trains already; wait for "
            "it, or train in processes of their own"
        )
    try:
        return _train(settings)
    finally:
        _training.release()


def _train(settings: Sequence[str]) -> Path:
    stopwatch.reset()  # what the process did before is none of the run's time
    anyway, words = take_resume_anyway(list(settings))
    saved = _find_run(words)
    cfg, data = (_load(saved, words), "") if saved else _compose(words)
    typed = [word.partition("=")[0].lstrip("+") for word in words]
    check_downloads(cfg, typed)
    if saved is None or read_results(saved) is None:
        require_tables(cfg.data)
    training = load("nnlab.training", freezes=False)
    time = datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
    run_dir = saved or new_folder(cfg.output_dir, cfg.name, data, time)
    try:
        with alone_in(run_dir), _messages(run_dir), _same_process():
            settle_config(cfg, run_dir)
            training.train(cfg, run_dir, typed=typed, anyway=anyway)
    except SystemExit:
        raise KeyboardInterrupt from None
    finally:
        remove_untouched_folders()
    return run_dir


def _find_run(settings: Sequence[str]) -> Path | None:
    """The run directory that is to go on; None for a run that begins."""
    named = [word.partition("=")[2] for word in settings if is_resume(word)]
    return find_run("resume", named[-1]) if named else None


def _load(run_dir: Path, settings: Sequence[str]) -> DictConfig:
    """The config of a run that goes on, checked, with what may be other than it was."""
    changes = [word for word in settings if not is_resume(word)]
    register_resolvers()
    with _explained():
        cfg = load_config(run_dir)
        change_config(cfg, changes, allowed=CHANGEABLE, argument="resume")
    return cfg


def _compose(settings: Sequence[str]) -> tuple[DictConfig, str]:
    """A config, checked, and the name of its data."""
    if MULTIRUN & set(settings):
        raise ValueError("a sweep is for the command line, got -m; call train for each run instead")
    for word in settings:
        if word.lstrip("+~").startswith("hydra."):
            raise ValueError(
                "settings of Hydra's are for the command line, where it makes the run directory, "
                f"got {word}; name the folder with output_dir=FOLDER and name=NAME"
            )
    register_resolvers()
    with _explained(), _own_hydra(), checked_composition():
        cfg = hydra.compose("train", as_hydra_reads(settings), return_hydra_config=True)
    data = str(cfg.hydra.runtime.choices.data)
    with open_dict(cfg):
        del cfg["hydra"]
    check_config(cfg)
    return cfg, data


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    """Say in a sentence what Hydra and OmegaConf refuse."""
    try:
        yield
    except (HydraException, OmegaConfBaseException) as error:
        said = explain(error).replace("add -m to try each", "call train for each")
        raise ValueError(said) from error


@contextlib.contextmanager
def _own_hydra() -> Iterator[None]:
    """Start Hydra, and leave it as it was: the process may be an application of Hydra's."""
    outer = GlobalHydra.instance().hydra
    GlobalHydra.instance().clear()
    try:
        with hydra.initialize_config_dir(str(config_folder()), version_base="1.3"):
            yield
    finally:
        GlobalHydra.instance().hydra = outer


@contextlib.contextmanager
def _messages(run_dir: Path) -> Iterator[None]:
    """Print what a run has to say, and write it down beside its results."""
    log = logging.getLogger("nnlab")
    before = log.level, log.propagate
    file = LogFile(run_dir / "train.log", delay=True)
    # As Hydra does it.
    file.setFormatter(logging.Formatter("[%(asctime)s][%(name)s][%(levelname)s] - %(message)s"))
    handlers = [Printer(), file]
    log.setLevel(logging.INFO)
    log.propagate = False  # a notebook may have handlers of its own
    for handler in handlers:
        log.addHandler(handler)
    try:
        yield
    finally:
        log.setLevel(before[0])
        log.propagate = before[1]
        for handler in handlers:
            log.removeHandler(handler)
            handler.close()


@contextlib.contextmanager
def _same_process() -> Iterator[None]:
    """Leave the process as it was, which goes on: threads, random numbers, variables, hooks.

    Nor does what the process has set for tensors of its own reach the run.
    """
    import numpy as np
    import torch

    from nnlab.process import torch_defaults

    threads, hook = torch.get_num_threads(), threading.excepthook
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    of_gpus = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    logs = [logging.getLogger(name) for name in _OF_LIGHTNING]
    levels, handlers = [log.level for log in logs], [[*log.handlers] for log in logs]
    benchmark = torch.backends.cudnn.benchmark
    is_deterministic = torch.are_deterministic_algorithms_enabled()
    warns = torch.is_deterministic_algorithms_warn_only_enabled()
    variables = {name: os.environ.get(name) for name in _SET_BY_LIGHTNING}
    try:
        with (
            warnings.catch_warnings(),
            torch_defaults(),
            torch.inference_mode(False),
            torch.enable_grad(),
        ):
            yield
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(is_deterministic, warn_only=warns)
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.set_rng_state(states[2])
        if of_gpus:
            torch.cuda.set_rng_state_all(of_gpus)
        torch.backends.cudnn.benchmark = benchmark
        for log, level, before in zip(logs, levels, handlers, strict=True):
            log.setLevel(level)
            log.handlers[:] = before
        threading.excepthook = hook
        for name, value in variables.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
