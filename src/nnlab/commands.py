"""The commands: from the words of a command line to a verb, and from an error to a sentence.

Nothing here loads torch: `--help` and mistakes in a config answer at once.
"""

import dis
import io
import logging
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import NoReturn

from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from nnlab.config import register_resolvers
from nnlab.config.mistyped import refuse_options
from nnlab.explaining import explain
from nnlab.finding import find_run
from nnlab.launching import launch, remove_untouched_folders
from nnlab.loading import load
from nnlab.logs import LogFile, print_messages
from nnlab.run_changes import DATA_PLACES, change_config, refuse_others
from nnlab.run_directory import load_config
from nnlab.signals import answering_sigterm
from nnlab.suggestions import command, did_you_mean

_USAGE = """nnlab trains neural networks from YAML configs.

    nnlab train [SETTING=VALUE ...]      train a network; on its own, on embedded digits
    nnlab evaluate run=RUN_DIR           test a finished run again, or on another file
    nnlab predict run=RUN_DIR input=FILE output=FILE
                                         predict new rows or images
    nnlab export run=RUN_DIR format=onnx the network with its preprocessing, for other programs

`nnlab VERB --help` tells more of each."""

_READING = (
    "separator",
    "encoding",
    "decimal",
    "quote",
    "null_values",
    "header",
    "column_names",
    "skip_lines",
    "comment",
)


@dataclass(frozen=True, kw_only=True)
class _Verb:
    """A command that works on a finished run.

    Attributes:
        usage: What `--help` prints.
        needs: Arguments that must be given, beside `run`, and how.
        takes: Arguments that may be given, and their values when they are not.
        may_change: Settings of the run that may be changed.
    """

    usage: str
    needs: dict[str, str] = field(default_factory=dict)
    takes: dict[str, str] = field(default_factory=dict)
    may_change: Sequence[str] = ("threads",)


_VERBS = {
    "evaluate": _Verb(
        usage="""Test a run's best checkpoint again, on its test rows or on another file.

    python scripts/evaluate.py run=RUN_DIR
    python scripts/evaluate.py run=RUN_DIR data.path=FILE

It prints every metric, and a confusion matrix or a summary of the residuals. Where FILE is the
file that the run was trained on, moved, its test rows are tested; of any other file all rows
that have a target. The metrics of another file are written to
RUN_DIR/evaluations/FILE/metrics.json.

How another file is written can be said as in training: data.separator, data.encoding ...""",
        may_change=("threads", *DATA_PLACES, *(f"data.{name}" for name in _READING)),
    ),
    "predict": _Verb(
        usage="""Predict new rows with a run's best checkpoint.

    python scripts/predict.py run=RUN_DIR input=new.csv output=predictions.csv
    python scripts/predict.py run=RUN_DIR input=IMAGES output=predictions.csv

The output has the columns of the input, then the prediction, and for classes a probability for
each; separator and decimal mark are those of the input. The input's columns may be in any order,
and more than are needed; CSV (also .gz) and Parquet files of any size. IMAGES is an IDX file or a
folder of PNG files.

    raw_cells=true      leave cells that a spreadsheet would run as a formula as they are; they
                        are written with a ' in front otherwise
    data.separator=tab  how the input is written, as in training: also data.encoding,
                        data.decimal ...""",
        needs={"input": "input=FILE", "output": "output=FILE"},
        takes={"raw_cells": "false"},
        may_change=("threads", *(f"data.{name}" for name in _READING)),
    ),
    "export": _Verb(
        usage="""Write a run's network, with its preprocessing, for other programs.

    python scripts/export.py run=RUN_DIR format=onnx
    python scripts/export.py run=RUN_DIR format=torch_export

The graph takes raw numbers (float64, NaN where missing) and category codes, or raw pixels. Beside
it lies a JSON file with the columns, the code of each category, and the names of the classes.

    output=FILE         where to; RUN_DIR/model.onnx or RUN_DIR/model.pt2 otherwise""",
        needs={"format": "format=onnx or format=torch_export"},
        takes={"output": ""},
    ),
}
_MODULES = {"evaluate": "evaluation", "predict": "prediction", "export": "exporting"}


def main() -> None:
    """The `nnlab` command: `nnlab VERB ...`."""
    verb = sys.argv[1] if len(sys.argv) > 1 else "--help"
    if verb in ("--help", "-h"):
        print(_USAGE)
    elif verb == "train" or verb in _VERBS:
        _run(verb, sys.argv[2:])
    else:
        verbs = ["train", *_VERBS]
        _fail(f"there is no command {verb}{did_you_mean(verb, verbs)}; see nnlab --help")


def train() -> None:
    """The `scripts/train.py` command."""
    _run("train", sys.argv[1:])


def evaluate() -> None:
    """The `scripts/evaluate.py` command."""
    _run("evaluate", sys.argv[1:])


def predict() -> None:
    """The `scripts/predict.py` command."""
    _run("predict", sys.argv[1:])


def export() -> None:
    """The `scripts/export.py` command."""
    _run("export", sys.argv[1:])


def _run(verb: str, arguments: list[str]) -> None:
    """Do what a command line says, and report what went wrong in a sentence."""
    show_traceback = os.environ.get("HYDRA_FULL_ERROR") == "1"
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by who started the process
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115 - until the end
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # where it takes ASCII alone, say
    register_resolvers()
    try:
        if verb == "train":
            launch(arguments)
        else:
            with answering_sigterm():  # so that nothing half-written stays
                _work_on_run(verb, arguments)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read along has gone, as in `... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(128 + signal.SIGPIPE) from None
    except Exception as error:
        _leave_nothing()
        if show_traceback or not _is_users_mistake(error):
            raise
        _fail(explain(error))
    except KeyboardInterrupt:
        _leave_nothing()
        print("stopped", file=sys.stderr)
        raise SystemExit(128 + signal.SIGINT) from None


def _leave_nothing() -> None:
    """Remove the folders of runs that have not begun."""
    log = logging.getLogger()
    for handler in [one for one in log.handlers if isinstance(one, LogFile)]:
        handler.close()
        log.removeHandler(handler)  # what others say at the end would open it again
    remove_untouched_folders()


def _work_on_run(name: str, arguments: list[str]) -> None:
    """A verb that works on a finished run: `run=RUN_DIR`, its own arguments, a few changes."""
    verb = _VERBS[name]
    if {"--help", "-h"} & set(arguments):
        print(verb.usage.replace(f"python scripts/{name}.py", command(name)))
        return
    needed = ("run", *verb.needs)
    refuse_options(arguments, names=(*needed, *verb.takes, *verb.may_change), needed=needed)
    own = {"run": "", **dict.fromkeys(verb.needs, ""), **verb.takes}
    changes = []
    for word in arguments:
        key, _, value = word.partition("=")
        if key in own:
            own[key] = value
        else:
            changes.append(word)
    allowed = (*own, *verb.may_change)
    if not own["run"]:
        raise ValueError("run must be given: add run=RUN_DIR to the command")
    refuse_others(changes, allowed=allowed, argument="run")
    for argument, example in verb.needs.items():
        if not own[argument]:
            raise ValueError(f"{argument} must be given: add {example} to the command")
    run_dir = find_run("run", own.pop("run"))
    cfg = load_config(run_dir)
    change_config(cfg, changes, allowed=allowed, argument="run")
    print_messages()
    module = load(f"nnlab.{_MODULES[name]}", freezes=True)
    getattr(module, name)(cfg, run_dir, changed=_names(changes), **own)


def _names(words: Sequence[str]) -> list[str]:
    return [word.partition("=")[0] for word in words]


def _is_users_mistake(error: BaseException) -> bool:
    """Whether a message is enough: an error of the system's, Hydra's, or one nnlab raised."""
    if isinstance(error, (HydraException, OmegaConfBaseException, OSError)):
        return True
    *_, last = _frames(error.__traceback__)
    package = str(last.tb_frame.f_globals.get("__name__", "")).partition(".")[0]
    if isinstance(error, ValueError) and package == "nnlab":
        # What Python itself raises there, such as of too many values to unpack, nobody wrote.
        return last.tb_frame.f_code.co_code[last.tb_lasti] == dis.opmap["RAISE_VARARGS"]
    # Of other packages only those that read what a person wrote.
    return package in ("hydra", "omegaconf", "yaml")


def _frames(traceback: TracebackType | None) -> Iterator[TracebackType]:
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next


def _fail(message: str) -> NoReturn:
    print(f"error: {message}", file=sys.stderr)
    raise SystemExit(1)
