"""What a person sees while a run goes on."""

import os
import pty
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import run_quickly


def read_to_the_end(master: int) -> str:
    seen = b""
    while True:
        try:
            seen += os.read(master, 65536)
        except OSError:  # the other end is closed
            os.close(master)
            return seen.decode()


def test_on_a_terminal_one_bar_spans_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"TERM": "xterm", "COLUMNS": "120", "LINES": "40"}.items():
        monkeypatch.setenv(name, value)
    master, slave = pty.openpty()
    with ThreadPoolExecutor() as pool:
        seen = pool.submit(read_to_the_end, master)
        with os.fdopen(slave, "w") as terminal:
            run_quickly(tmp_path, "train.py", "trainer.max_epochs=3", terminal=terminal)
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", seen.result())
    bars = [line for line in re.split(r"[\r\n]+", text) if "━" in line]
    assert bars[-1].startswith("epoch 3/3 ")
    assert re.search(r"train/loss [\d.]+ +val/loss [\d.]+ +val/accuracy [\d.]+", bars[-1])
    # Ended early, it is at the epoch that its numbers are of.
    stops = ("callbacks.early_stopping.patience=1", "optimizer.lr=1", "trainer.max_epochs=30")
    master, slave = pty.openpty()
    with ThreadPoolExecutor() as pool:
        seen_of_stopped = pool.submit(read_to_the_end, master)
        with os.fdopen(slave, "w") as terminal:
            run_quickly(tmp_path, "train.py", *stops, terminal=terminal)
    stopped = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", seen_of_stopped.result())
    *_, bar = [line for line in re.split(r"[\r\n]+", stopped) if "━" in line]
    (epochs,) = re.findall(r"best epoch +\d+ of (\d+)", stopped)
    assert bar.startswith(f"epoch {epochs}/30 ")
    # Nothing but the bar speaks of epochs while it runs.
    assert all("━" in line for line in re.split(r"[\r\n]+", text) if line.startswith("epoch "))


def test_validation_metrics_are_shown_for_epochs_that_were_validated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nnlab.callbacks.epoch_progress._LINE_INTERVAL", 0)
    every_second = "+trainer.check_val_every_n_epoch=2"
    printed = run_quickly(
        tmp_path, "train.py", "data=penguins", "trainer.max_epochs=5", every_second
    ).stdout
    lines = [line for line in printed.splitlines() if line.startswith("epoch ")]
    assert len(lines) == 5
    assert ["val/loss" in line for line in lines] == [False, True, False, True, False]
    assert all("train/loss" in line for line in lines)


def test_there_is_no_bar_of_lightnings_in_its_place(tmp_path: Path) -> None:
    short = ("data=penguins", "trainer.max_epochs=2")
    process = run_quickly(tmp_path, "train.py", *short, "callbacks.progress=null")
    assert "epoch 2/2" in run_quickly(tmp_path, "train.py", *short).stdout
    assert "poch 1/" not in process.stdout + process.stderr
    assert "━" not in process.stdout + process.stderr


def test_a_run_that_trains_no_further_prints_no_epoch(tmp_path: Path) -> None:
    stops = ("callbacks.early_stopping.patience=1", "optimizer.lr=1", "trainer.max_epochs=30")
    run_quickly(tmp_path, "train.py", "data=penguins", "scheduler=constant", *stops)
    (run_dir,) = (tmp_path / "outputs" / "penguins").iterdir()
    more = (f"resume={run_dir}", "trainer.max_epochs=31")
    printed = run_quickly(tmp_path, "train.py", *more).stdout
    assert "no epoch is added" in printed
    assert not [line for line in printed.splitlines() if line.startswith("epoch ")]
