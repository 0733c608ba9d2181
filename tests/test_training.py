"""Training as a whole: what it refuses, and what it can take."""

import json
import math
import os
import random
import shutil
import signal
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from conftest import Command, run_script
from lightning.pytorch import Trainer

from nnlab import training
from nnlab.checkpoints import read_checkpoint


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("max_steps=3", "trainer must let an epoch end with a validation"),
        ("fast_dev_run=true", "trainer must let an epoch end with a validation"),
        ("check_val_every_n_epoch=9", "trainer must let an epoch end with a validation"),
        ("limit_train_batches=0.0001", "Please increase the `limit_train_batches` argument"),
        ("limit_val_batches=0", "limit_val_batches must be a number above 0"),
    ],
)
def test_a_run_without_a_batch_or_a_validation_says_so(
    quick_command: Command, setting: str, message: str
) -> None:
    process = quick_command(
        "train.py", f"+trainer.{setting}", "trainer.max_epochs=2", succeed=False
    )
    assert process.returncode == 1
    (line,) = process.stderr.splitlines()
    assert line.startswith("error: ")
    assert message in line


def test_what_was_trained_on_another_device_is_scored_on_the_cpu(
    quick_command: Command, tmp_path: Path, monkeypatch
) -> None:
    fit = training._fit

    def fit_elsewhere(trainer: Trainer, *arguments: object) -> None:
        fit(trainer, *arguments)
        # A tensor there computes nothing with one on the CPU, like one on a GPU.
        trainer.strategy._accelerator = SimpleNamespace()
        trainer.strategy.parallel_devices = None
        monkeypatch.setattr(type(trainer.strategy), "root_device", torch.device("meta"))

    monkeypatch.setattr(training, "_fit", fit_elsewhere)
    quick_command("train.py", "data=penguins", "trainer.max_epochs=1")
    (path,) = (tmp_path / "outputs" / "penguins").glob("*/metrics.json")
    results = json.loads(path.read_text())
    assert results["device"] == "meta"
    assert all(map(math.isfinite, [*results["val"].values(), *results["test"].values()]))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_after_training_says_how_to_go_on(
    quick_command: Command, tmp_path: Path, monkeypatch, number: signal.Signals
) -> None:
    monkeypatch.setattr(training, "score", lambda *_: os.kill(os.getpid(), number))
    process = quick_command("train.py", "data=penguins", "trainer.max_epochs=1", succeed=False)
    assert process.returncode == 128 + number
    (run_dir,) = (tmp_path / "outputs" / "penguins").iterdir()
    go_on = f"resume=outputs/penguins/{run_dir.name}"
    assert process.stdout.endswith(f"python scripts/train.py {go_on}\n")
    monkeypatch.undo()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    quick_command("train.py", f"resume={run_dir}")
    assert json.loads((run_dir / "metrics.json").read_text())["epochs"] == 1


def test_rows_that_are_looked_at_before_training_change_nothing(
    quick_command: Command, tmp_path: Path
) -> None:
    watching = ["data=penguins", "scheduler=plateau", "scheduler.patience=0", "optimizer.lr=0.3"]
    settings = [*watching, "trainer.max_epochs=4", "callbacks.early_stopping=null"]
    for name, checked in (("a", 0), ("b", 1)):
        extra = (f"trainer.num_sanity_val_steps={checked}", f"name={name}")
        quick_command("train.py", *settings, *extra)
    rates = []
    for name in ("a", "b"):
        (path,) = (tmp_path / "outputs" / name).glob("*/checkpoints/last.ckpt")
        rates.append(read_checkpoint(path)["lr_schedulers"])
    assert rates[0] == rates[1]


@pytest.mark.parametrize("length", ["max_steps=16", "max_time=00:01:00:00"])
def test_a_run_of_some_steps_or_hours_says_that_it_cannot_go_on(
    quick_command: Command, tmp_path: Path, length: str
) -> None:
    quick_command("train.py", "data=penguins", f"+trainer.{length}", "trainer.max_epochs=2")
    (run_dir,) = (tmp_path / "outputs" / "penguins").iterdir()
    (run_dir / "metrics.json").unlink()
    process = quick_command("train.py", f"resume={run_dir}", succeed=False)
    name = length.partition("=")[0]
    assert f"trainer.{name} must not be set in a run that is to be resumed" in process.stderr


@pytest.mark.parametrize("scaling", ["robust", "standard", "quantile"])
def test_a_table_of_extremes_trains_to_finite_numbers(
    quick_command: Command, tmp_path: Path, scaling: str
) -> None:
    chance = random.Random(0)  # noqa: S311
    largest, smallest = sys.float_info.max, 5e-324
    rows = []
    for _ in range(101):  # 61 for training: the last batch of each epoch is of one row
        sign = chance.choice([1, -1])
        ordinary = sign + chance.gauss(0, 0.3)
        huge, tiny = sign * largest, sign * smallest * chance.randint(1, 9)
        mixed = chance.choice([huge, tiny, ordinary])
        rows.append(f"{huge!r},{tiny!r},{mixed!r},7,,{ordinary!r},{'b' if sign > 0 else 'a'}\n")
    header = "huge,tiny,mixed,constant,missing,ordinary,y\n"
    (tmp_path / "t.csv").write_text(header + "".join(rows))
    table = ["data=csv", "data.path=t.csv", "data.target=y", f"data.scaling={scaling}"]
    batches = ["data.batch_size=20", "model.batch_norm=true", "trainer.max_epochs=20"]
    process = quick_command("train.py", *table, *batches)
    assert "constant  left out" in process.stdout
    (run_dir,) = (tmp_path / "outputs" / "csv").iterdir()
    results = json.loads((run_dir / "metrics.json").read_text())
    assert all(map(math.isfinite, [*results["val"].values(), *results["test"].values()]))
    assert results["test"]["accuracy"] == 1


# Compiled, dropout draws other numbers.
PENGUINS = ["data=penguins", "model.hidden_sizes=[8]", "model.dropout=0", "trainer.max_epochs=2"]


def train_compiled(folder: Path) -> None:
    # torch's compiler uses what torch itself calls deprecated.
    run_script(folder, "train.py", *PENGUINS, "compile=default", PYTHONWARNINGS="default")


@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")
@pytest.mark.prepare.with_args(train_compiled)
def test_a_compiled_network_learns_the_same_and_is_saved_as_any_other(
    prepared, quick_command: Command, tmp_path: Path
) -> None:
    folder, _ = prepared
    quick_command("train.py", *PENGUINS)
    contents = [
        read_checkpoint(next(run.glob("outputs/penguins/*/checkpoints/best.ckpt")))["state_dict"]
        for run in (folder, tmp_path)
    ]
    assert contents[0].keys() == contents[1].keys()
    for name, weights in contents[0].items():
        torch.testing.assert_close(weights, contents[1][name], rtol=1e-4, atol=1e-5)
    (run_dir,) = (folder / "outputs" / "penguins").iterdir()
    assert "exactly as in" in quick_command("evaluate.py", f"run={run_dir}").stdout
