"""Training from Python: as the command does it, and leaving the process as it was."""

import logging
import os
import random
import re
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra._internal.sources_registry import SourcesRegistry
from hydra.core.global_hydra import GlobalHydra

import nnlab
from nnlab.checkpoints import read_checkpoint
from nnlab.config import config_folder
from nnlab.run_directory import load_config

NUMBERS = ("bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g", "year")
QUICK = ("data=penguins", "trainer.max_epochs=2", "model.hidden_sizes=[8]")


@pytest.fixture(autouse=True)
def in_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_run_is_that_of_the_command(tmp_path: Path, quick_command, capsys) -> None:
    run = nnlab.train(*QUICK)
    printed = capsys.readouterr().out
    quick_command("train.py", *QUICK)
    first, second = sorted((tmp_path / "outputs" / "penguins").iterdir())
    assert first.resolve() == run.resolve()
    assert load_config(first) == load_config(second) == nnlab.compose(*QUICK)
    assert {path.name for path in first.iterdir()} >= {"metrics.json", "train.log", "checkpoints"}
    logs = [
        # Up to the seconds, and without the times of day.
        re.sub(r"\[20.*?\]", "", (folder / "train.log").read_text().partition("time  ")[0])
        for folder in (first, second)
    ]
    assert "[nnlab.reporting][INFO] - best epoch" in logs[0]
    assert logs[0] == logs[1]
    assert "epoch 2/2" in printed
    mine, theirs = (read_checkpoint(path / "checkpoints" / "best.ckpt") for path in (first, second))
    for name, weights in mine["state_dict"].items():
        torch.testing.assert_close(weights, theirs["state_dict"][name], rtol=0, atol=0)


@pytest.mark.parametrize("context", [torch.inference_mode, torch.no_grad])
def test_what_a_notebook_has_set_for_its_tensors_is_none_of_the_runs(context) -> None:
    expected = read_checkpoint(nnlab.train(*QUICK) / "checkpoints" / "last.ckpt")
    torch.set_default_dtype(torch.float64)
    torch.set_default_device("meta")  # stands for a GPU
    try:
        with context():
            run = nnlab.train(*QUICK)
            rows = pl.DataFrame(
                {name: [1.0] for name in NUMBERS} | {"island": "Dream", "sex": None}
            )
            predicted = nnlab.load_run(run).predict(rows)
        assert torch.get_default_dtype() == torch.float64
        assert torch.get_default_device() == torch.device("meta")
    finally:
        torch.set_default_dtype(torch.float32)
        torch.set_default_device(None)
    assert predicted.equals(nnlab.load_run(run).predict(rows))
    found = read_checkpoint(run / "checkpoints" / "last.ckpt")
    for name, weights in expected["state_dict"].items():
        assert torch.equal(found["state_dict"][name], weights)


def process() -> dict[str, object]:
    """What of a process others may depend on."""
    log = logging.getLogger("nnlab")
    return {
        "log": (log.level, log.propagate, list(log.handlers)),
        "threads": torch.get_num_threads(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "variables": dict(os.environ),
        "hooks": (threading.excepthook, sys.excepthook),
        "hydra": GlobalHydra.instance().is_initialized(),
        "levels": [logging.getLogger(name).level for name in ("lightning", "lightning.pytorch")],
        "handlers": [*logging.getLogger("lightning").handlers],
        "told": logging.getLogger("nnlab.training").isEnabledFor(logging.INFO),
        "sources": dict(SourcesRegistry.instance().types),
    }


def test_the_process_stays_as_it_was(caplog) -> None:
    threads, drawn = torch.get_num_threads(), []
    torch.set_num_threads(3)
    before = process()
    try:
        for run in (False, True):
            random.seed(7)
            np.random.seed(7)
            torch.manual_seed(7)
            if run:
                nnlab.train(*QUICK)
            drawn.append((random.random(), np.random.rand(), float(torch.rand(()))))  # noqa: S311
        assert process() == before
    finally:
        torch.set_num_threads(threads)
    assert drawn[0] == drawn[1]
    assert not caplog.records


def test_an_application_of_hydras_may_train() -> None:
    with initialize_config_dir(str(config_folder()), version_base="1.3"):
        outer = GlobalHydra.instance()
        nnlab.train(*QUICK)
        assert GlobalHydra.instance().is_initialized()
        assert compose("train").seed == 0
        assert outer.is_initialized()


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        (["model.droput=0.1"], ValueError, "there is no setting model.droput; did you mean 'dr"),
        (["model.dropout=3"], ValueError, r"dropout must be a number in \[0, 1\), got model.drop"),
        (["data=csv", "data.path=no.csv", "data.target=y"], FileNotFoundError, "no file no.csv"),
        ([["data=penguins"]], TypeError, "settings must be texts such as"),
        (["seed=1,2"], ValueError, "must have one value in a single run, .*; call train for each"),
        (["hydra.run.dir=there"], ValueError, "settings of Hydra's are for the command line"),
        (["data=penguins", "data.target=spezies"], ValueError, "did you mean 'species'"),
    ],
)
def test_a_mistake_is_an_error_in_a_sentence_and_leaves_nothing(
    tmp_path: Path, settings: list[str], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        nnlab.train(*settings)
    assert not list(tmp_path.glob("outputs/*"))


def test_a_second_training_at_the_same_time_is_refused(tmp_path: Path, monkeypatch) -> None:
    said: list[str] = []

    def train_as_well(*_: object) -> None:
        def train() -> None:
            with pytest.raises(RuntimeError) as caught:
                nnlab.train(*QUICK)
            said.append(str(caught.value))

        thread = threading.Thread(target=train)
        thread.start()
        thread.join()

    with monkeypatch.context() as patch:
        patch.setattr("nnlab.callbacks.EpochProgress.on_fit_start", train_as_well, raising=False)
        nnlab.train(*QUICK)
    (message,) = said
    assert "one network at a time, but another thread trains already; wait for it" in message
    nnlab.train(*QUICK)
    assert len([*tmp_path.glob("outputs/*/*/metrics.json")]) == 2


def test_who_stops_a_run_is_told_how_to_go_on(monkeypatch, capsys) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("nnlab.callbacks.EpochProgress.on_validation_end", stop, raising=False)
    with pytest.raises(KeyboardInterrupt):
        nnlab.train(*QUICK)
    assert "stopped" in capsys.readouterr().out


def test_a_run_goes_on_as_if_it_had_not_ended(tmp_path: Path) -> None:
    settings = (*QUICK, "scheduler=constant", "callbacks.early_stopping=null")
    whole = nnlab.train(*settings, "trainer.max_epochs=4")
    run = nnlab.train(*settings)
    assert nnlab.train(f"resume={run}", "trainer.max_epochs=4") == run
    theirs, mine = (read_checkpoint(path / "checkpoints" / "last.ckpt") for path in (whole, run))
    assert mine["epoch"] == theirs["epoch"] == 3
    for name, weights in mine["state_dict"].items():
        torch.testing.assert_close(weights, theirs["state_dict"][name], rtol=0, atol=0)
    with pytest.raises(ValueError, match="with resume=RUN_DIR a run keeps its own settings"):
        nnlab.train(f"resume={run}", "optimizer.lr=1")
    with pytest.raises(FileNotFoundError, match="resume must be a run directory"):
        nnlab.train(f"resume={tmp_path}/nothing")
    with pytest.raises(ValueError, match="max_epochs="):
        nnlab.train(f"resume={run}", "trainer.max_epochs=[")
    # A process that has composed nothing yet goes on, too.
    again = f"import nnlab; nnlab.train('resume={run}')"
    subprocess.run([sys.executable, "-c", again], check=True, stdout=subprocess.DEVNULL)
    assert len(list((tmp_path / "outputs" / "penguins").iterdir())) == 2


def test_what_nnlab_offers_is_there() -> None:
    assert set(nnlab._FROM) == {"compose", "train", "load_run"}
    assert all(callable(getattr(nnlab, name)) for name in nnlab._FROM)
    with pytest.raises(AttributeError, match="'nnlab' has no attribute 'trian'"):
        nnlab.trian  # noqa: B018


def test_a_finished_run_is_told_of_though_its_table_has_gone(tmp_path: Path, capsys) -> None:
    table = tmp_path / "table.csv"
    table.write_text("x,y\n" + "".join(f"{i % 9},{i / 7}\n" for i in range(40)))
    run = nnlab.train("data=csv", f"data.path={table}", "data.target=y", "trainer.max_epochs=1")
    table.unlink()
    assert nnlab.train(f"resume={run}") == run
    assert "nothing is trained" in capsys.readouterr().out
