"""The commands, run as a person runs them."""

import contextlib
import functools
import importlib
import inspect
import json
import os
import pickle
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import fields
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import numpy as np
import pytest
import torch
from conftest import ENVIRONMENT, ROOT, Command, run_script, side_by_side
from runs import PENGUINS, SHORT, only_run, read_events, results, same, weights
from tensorboard.plugins.hparams import plugin_data_pb2

from nnlab import commands, launching
from nnlab import environment as nnlab_environment
from nnlab.checkpoints import read_checkpoint
from nnlab.data import TabularDataModule
from nnlab.data.csv.options import CsvOptions
from nnlab.rules import RULES
from nnlab.stopwatch import PHASES, stopwatch

# What a run leaves behind


def test_the_default_run_learns_the_digits_and_says_where_it_is(digits_run) -> None:
    run_dir, printed = digits_run
    metrics = results(run_dir)
    assert metrics["test"]["accuracy"] > 0.95
    assert f"{metrics['test']['accuracy']:.4f}" in printed
    if not torch.cuda.is_available():  # where other roundings may have it find a better one
        assert metrics["epochs"] == metrics["best_epoch"] + 20
        assert "\nstopped early  no better epoch in 20\n" in printed
    assert f"run directory  outputs/digits/{run_dir.name}" in printed
    assert f"tensorboard --logdir outputs/digits/{run_dir.name}" in printed
    assert "\x1b" not in printed  # no colours or moving bars in a pipe
    assert len([line for line in printed.splitlines() if line.startswith("epoch ")]) < 20


def test_metrics_json_tells_what_the_result_depends_on(digits_run) -> None:
    run_dir, _ = digits_run
    metrics = results(run_dir)
    assert set(metrics) >= {"val", "test", "best_epoch", "wall_time_s", "samples_per_second"}
    device = "cuda:0" if torch.cuda.is_available() else "cpu"
    assert (metrics["seed"], metrics["device"]) == (0, device)
    assert metrics["threads"] == torch.get_num_threads()
    assert metrics["versions"]["torch"] == torch.__version__
    assert metrics["processor"] == nnlab_environment.processor()
    assert 1 <= metrics["best_epoch"] <= metrics["epochs"] <= metrics["max_epochs"]
    assert set(metrics["test"]) == {"loss", "accuracy", "precision", "recall", "f1", "auroc"}


def test_a_run_tells_where_its_time_went(digits_run) -> None:
    run_dir, printed = digits_run
    metrics = results(run_dir)
    spent = metrics["time_s"]
    assert list(spent) == list(PHASES)
    assert all(spent[phase] > 0 for phase in PHASES)
    assert sum(spent.values()) > metrics["wall_time_s"]
    assert (
        f"time           {sum(spent.values()):.1f} s: start-up {spent['start_up']:.1f}" in printed
    )


def test_tensorboard_has_the_curves_against_steps_and_epochs(digits_run) -> None:
    run_dir, _ = digits_run
    metrics, events = results(run_dir), read_events(run_dir)
    steps_per_epoch = 18  # 1,150 training rows in batches of 64
    for name in ("train/loss", "train/accuracy", "val/loss", "val/accuracy", "val/auroc"):
        by_step, by_epoch = events.Scalars(name), events.Scalars(f"epoch/{name}")
        assert [point.step for point in by_epoch] == list(range(1, metrics["epochs"] + 1))
        assert [point.step for point in by_step] == [
            epoch * steps_per_epoch - 1 for epoch in range(1, metrics["epochs"] + 1)
        ]
        assert [point.value for point in by_step] == [point.value for point in by_epoch]
    val_losses = [point.value for point in events.Scalars("val/loss")]
    assert min(val_losses) == pytest.approx(metrics["val"]["loss"], rel=1e-5)
    assert val_losses.index(min(val_losses)) + 1 == metrics["best_epoch"]
    assert len(events.Scalars("train/loss_step")) == len(events.Scalars("lr"))
    assert events.Scalars("lr")[0].value == pytest.approx(3e-3)


def test_the_hparams_tab_has_the_settings_and_the_real_result(digits_run) -> None:
    run_dir, _ = digits_run
    events = read_events(run_dir)
    content = events.summary_metadata["_hparams_/session_start_info"].plugin_data.content
    settings = plugin_data_pb2.HParamsPluginData.FromString(content).session_start_info.hparams
    assert settings["lr"].number_value == 3e-3
    assert settings["optimizer"].string_value == "AdamW"
    assert settings["dropout"].number_value == 0.2
    assert settings["batch_norm"].string_value == "false"
    (point,) = events.Scalars("result/test_accuracy")
    assert point.value == pytest.approx(results(run_dir)["test"]["accuracy"])
    assert "hp_metric" not in events.Tags()["scalars"]


def test_the_hparams_tab_shows_first_what_a_person_has_changed(
    quick_command: Command, tmp_path: Path
) -> None:
    quick_command("train.py", *SHORT, "optimizer=sgd", "model.dropout=0.1")
    events = read_events(only_run(tmp_path))
    content = events.summary_metadata["_hparams_/experiment"].plugin_data.content
    settings = plugin_data_pb2.HParamsPluginData.FromString(content).experiment.hparam_infos
    changed = {"max_epochs", "hidden_sizes", "optimizer", "dropout"}
    assert {setting.name for setting in settings if setting.differs} == changed


def test_the_run_directory_has_its_config_checkpoints_and_log(digits_run) -> None:
    run_dir, printed = digits_run
    names = sorted(path.name for path in (run_dir / "checkpoints").iterdir())
    assert names == ["best.ckpt", "last.ckpt", "last_before.ckpt"]
    assert (run_dir / ".hydra" / "config.yaml").is_file()
    log = (run_dir / "train.log").read_text()
    assert printed.splitlines()[0] in log


class UsedAgain(NamedTuple):
    """What other processes make of a run: a stranger's, and `evaluate.py`."""

    stranger: subprocess.CompletedProcess[str]
    evaluated: subprocess.CompletedProcess[str]
    metrics_before: str


@pytest.fixture(scope="module")
def used_again(digits_run, tmp_path_factory: pytest.TempPathFactory) -> UsedAgain:
    run_dir, _ = digits_run
    metrics_before = (run_dir / "metrics.json").read_text()
    code = (
        "import sys; from nnlab.models import SupervisedModule;"
        "module = SupervisedModule.load_from_checkpoint(sys.argv[1], weights_only=True);"
        "print(module.spec.class_names, module.spec.input_shape)"
    )
    words = [sys.executable, "-c", code, str(run_dir / "checkpoints" / "best.ckpt")]
    folder = tmp_path_factory.mktemp("again")
    stranger, evaluated = side_by_side(
        lambda: subprocess.run(words, capture_output=True, text=True, check=False),
        lambda: run_script(folder, "evaluate.py", f"run={run_dir}", succeed=False),
    )
    return UsedAgain(stranger, evaluated, metrics_before)


def test_a_checkpoint_carries_what_a_stranger_needs(digits_run, used_again) -> None:
    run_dir, _ = digits_run
    process = used_again.stranger
    assert process.returncode == 0, process.stderr
    assert process.stdout.strip().endswith(f"{[str(i) for i in range(10)]} [8, 8]")
    checkpoint = torch.load(run_dir / "checkpoints" / "best.ckpt", weights_only=True)
    assert checkpoint["ImageDataModule"]["preprocessing"]["std"] > 0
    assert checkpoint["nnlab_version"]


# Again: evaluate, resume, repeat


def test_evaluate_reproduces_the_test_metrics_exactly(digits_run, used_again) -> None:
    run_dir, _ = digits_run
    process = used_again.evaluated
    assert process.returncode == 0, process.stderr
    assert "exactly as in" in process.stdout
    assert re.search(rf"^loss +{results(run_dir)['test']['loss']:.4f}$", process.stdout, re.M)
    assert (run_dir / "metrics.json").read_text() == used_again.metrics_before


def test_evaluate_says_so_when_the_metrics_are_others(
    digits_run, quick_command: Command, tmp_path: Path
) -> None:
    moved = tmp_path / "moved run"
    shutil.copytree(digits_run[0], moved)
    changed = results(moved)
    changed["test"]["accuracy"] = 0.5
    (moved / "metrics.json").write_text(json.dumps(changed))
    printed = quick_command("evaluate.py", f"run={moved}").stdout
    assert repr(changed["test"]["loss"]) in printed  # what differs may be a last digit
    assert "warning: NOT as in moved run/metrics.json; versions, threads and processor" in printed
    changed["versions"]["polars"] = "0.1"
    (moved / "metrics.json").write_text(json.dumps(changed))
    printed = quick_command("evaluate.py", f"run={moved}").stdout
    assert f"metrics.json; this was computed with polars {version('polars')} for 0.1\n" in printed


def test_evaluate_says_that_a_run_is_not_finished(
    digits_run, quick_command: Command, tmp_path: Path
) -> None:
    stopped = tmp_path / "stopped"
    shutil.copytree(digits_run[0], stopped)
    (stopped / "metrics.json").unlink()
    printed = quick_command("evaluate.py", f"run={stopped}").stdout
    best = results(digits_run[0])["best_epoch"]
    said = f"not finished; its best epoch so far, {best}, is tested; to go on:\n"
    assert f"{said}python scripts/train.py resume=stopped\n" in printed
    printed = quick_command("evaluate.py", f"run={digits_run[0]}").stdout
    assert "not finished" not in printed


def test_the_same_seed_repeats_a_run_bit_for_bit(quick_command: Command, tmp_path: Path) -> None:
    for name, seed in (("first", 7), ("again", 7), ("other", 8)):
        quick_command("train.py", *SHORT, f"seed={seed}", f"name={name}")
    first, again, other = (
        next((tmp_path / "outputs" / name).iterdir()) for name in ("first", "again", "other")
    )
    assert same(weights(first), weights(again))
    assert results(first)["test"] == results(again)["test"]
    assert not same(weights(first), weights(other))


@pytest.mark.filterwarnings("ignore:.*ckpt_path:UserWarning")  # Lightning's, of OnException...
def test_checkpoints_of_ones_own_lie_in_the_run_directory_too(
    quick_command: Command, tmp_path: Path
) -> None:
    mine = "+callbacks.{}={{_target_: lightning.pytorch.callbacks.{}, dirpath: {}}}"
    others = tmp_path / "outputs" / "other" / "checkpoints"
    words = [
        mine.format("mine", "ModelCheckpoint", "outputs/other/checkpoints"),
        mine.format("crash", "OnExceptionCheckpoint", "crash"),
    ]
    quick_command("train.py", *PENGUINS, *words)
    run_dir = only_run(tmp_path)
    (path,) = (run_dir / "outputs" / "other" / "checkpoints").iterdir()
    assert read_checkpoint(path)["epoch"] == 1
    assert not others.exists()
    shutil.rmtree(run_dir)
    quick_command("train.py", *PENGUINS, *words, "optimizer.lr=1e30", succeed=False)
    (path,) = only_run(tmp_path).rglob("*.ckpt")
    assert path.relative_to(only_run(tmp_path)) == Path("crash/on_exception.ckpt")
    assert read_checkpoint(path)["epoch"] == 0


def test_fashion_mnist_reads_files_in_the_format_of_mnist(
    quick_command: Command, mnist_folder: Path
) -> None:
    limits = (*SHORT, "+trainer.limit_train_batches=2")
    quick_command("train.py", "data=fashion_mnist", f"data.root={mnist_folder}", *limits)


def test_evaluating_on_data_that_does_not_fit_says_what_is_wrong(
    quick_command: Command, tmp_path: Path
) -> None:
    rows = [f"{i * 0.5},{'ab'[i % 2]},{'pqr'[i % 3]}" for i in range(60)]
    good = tmp_path / "good.csv"
    good.write_text("x,c,y\n" + "\n".join(rows) + "\n")
    quick_command("train.py", "data=csv", f"data.path={good}", "data.target=y", *SHORT)
    run_dir = only_run(tmp_path)
    other = tmp_path / "other.csv"
    for text, message in [
        ("c,y\na,p\nb,q\na,r\nb,q\n", "column 'x' must be in other.csv, as in training"),
        (
            "x,c,y\n1,a,p\n2,b,q\nthree,a,r\n4,a,p\n",
            "column 'x' must hold finite numbers, got 'three' in other.csv, line 4",
        ),
        ("x,c,y\n1,a,p\n2,b,q\n3,a,z\n4,a,p\n", "target 'y' must be one of p, q, r, got 'z'"),
        ("x,c\n1,a\n2,b\n", "target must be a column of other.csv, got target='y'"),
    ]:  # fmt: skip
        other.write_text(text)
        process = quick_command(
            "evaluate.py", f"run={run_dir}", f"data.path={other}", succeed=False
        )
        assert message in process.stderr
    # Two of three classes, and numbers where categories were: both can be evaluated.
    other.write_text("x,c,y\n" + "".join(f"{i},{i},{'pq'[i % 2]}\n" for i in range(20)))
    quick_command("evaluate.py", f"run={run_dir}", f"data.path={other}")


@pytest.mark.prepare(run_script, "train.py", *SHORT, "trainer=ddp", "trainer.accelerator=cpu")
def test_two_processes_train_one_network(prepared, quick_command: Command) -> None:
    folder, process = prepared
    run_dir = only_run(folder)
    assert process.stdout.count("run directory") == 1
    # 575 of the 1,150 rows each, in batches of 64.
    assert [point.step for point in read_events(run_dir).Scalars("train/loss")] == [8, 17]
    found = results(run_dir)
    assert found["samples_per_second"] * found["wall_time_s"] == pytest.approx(2300, rel=0.1)
    # To start the second process is none of the training.
    assert found["wall_time_s"] < sum(found["time_s"].values()) - found["time_s"]["start_up"]
    assert "exactly as in" in quick_command("evaluate.py", f"run={run_dir}").stdout


# Sweeps


@pytest.mark.prepare(
    run_script, "train.py", "-m", "model.dropout=0,0.2", "optimizer=sgd,adamw", *SHORT
)
def test_a_sweep_gives_a_run_directory_per_job_and_a_table_best_first(prepared) -> None:
    folder, process = prepared
    (sweep,) = (folder / "outputs" / "digits").iterdir()
    jobs = sorted(path.name for path in sweep.iterdir() if path.is_dir())
    assert jobs == [
        "0_dropout-0_optimizer-sgd",
        "1_dropout-0_optimizer-adamw",
        "2_dropout-0.2_optimizer-sgd",
        "3_dropout-0.2_optimizer-adamw",
    ]
    by_loss = sorted(jobs, key=lambda job: results(sweep / job)["val"]["loss"])
    table = process.stdout.split("best epoch\n")[-1]
    assert sorted(jobs, key=table.index) == by_loss
    assert f"sweep directory  outputs/digits/{sweep.name}" in process.stdout


def test_ctrl_c_at_the_start_of_a_job_says_how_to_go_on(
    quick_command: Command, tmp_path: Path, monkeypatch
) -> None:
    left = [0, 1, 0, 0]  # jobs that may begin before each Ctrl-C

    def load_or_stop(module: str, *, freezes: bool) -> ModuleType:
        if left[0] == 0:
            del left[0]
            raise KeyboardInterrupt
        left[0] -= 1
        return importlib.import_module(module)

    monkeypatch.setattr("nnlab.launching.load", load_or_stop)
    sweep = ("train.py", "-m", "data=penguins", "model.dropout=0,0.2", *SHORT)
    process = quick_command(*sweep, succeed=False)
    assert process.stderr == "stopped\n"
    assert "resume=" not in process.stdout
    assert not list(tmp_path.glob("outputs/*"))  # and there is nothing to go on with

    process = quick_command(*sweep, succeed=False)
    (sweep_dir,) = tmp_path.glob("outputs/*/*")
    go_on = f"python scripts/train.py resume=outputs/penguins/{sweep_dir.name}"
    assert process.stdout.endswith(f"{go_on}\n")
    process = quick_command("train.py", f"resume={sweep_dir}", succeed=False)
    assert process.stdout.endswith(f"{go_on}\n")
    (job,) = sweep_dir.glob("0_*")
    process = quick_command("train.py", f"resume={job}", succeed=False)
    assert process.stdout.endswith(f"to go on:\n{go_on}/{job.name}\n")
    assert process.returncode == 130


def test_a_signal_between_two_jobs_says_how_to_go_on(tmp_path: Path, caplog) -> None:
    caplog.set_level("INFO")

    def sweep() -> None:
        with launching._stoppable_sweep(["--config-dir", "a b"], is_sweep=True) as begun:
            begun.append(tmp_path / "sweep")
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)

    with pytest.raises(SystemExit) as end:
        sweep()
    assert end.value.code == 128 + signal.SIGTERM
    assert "train.py --config-dir 'a b' resume=" in caplog.messages[-1]
    assert caplog.messages[-1].endswith("sweep")


def test_a_sweep_over_options_of_ones_own_goes_on(quick_command: Command, tmp_path: Path) -> None:
    (tmp_path / "own" / "optimizer").mkdir(parents=True)
    adagrad = tmp_path / "own" / "optimizer" / "adagrad.yaml"
    adagrad.write_text("_target_: torch.optim.Adagrad\nlr: 0.1\n")
    own = ("train.py", "--config-dir", str(tmp_path / "own"))
    quick_command(*own, "-m", "data=penguins", "optimizer=adamw,adagrad", *SHORT)
    (sweep_dir,) = tmp_path.glob("outputs/*/*")
    (job,) = sweep_dir.glob("*adagrad")
    (job / "metrics.json").unlink()
    assert "sweep directory" in quick_command(*own, f"resume={sweep_dir}").stdout
    assert (job / "metrics.json").is_file()


def test_a_fixed_setting_is_not_in_the_names_of_jobs(
    quick_command: Command, tmp_path: Path
) -> None:
    quick_command("train.py", "seed=0,1", "data=penguins", *SHORT, "-m")
    (sweep,) = (tmp_path / "outputs" / "penguins").iterdir()
    assert sorted(path.name for path in sweep.iterdir() if path.is_dir()) == [
        "0_seed-0",
        "1_seed-1",
    ]


def test_a_kind_that_varies_is_in_the_names_of_jobs(quick_command: Command, tmp_path: Path) -> None:
    names = "data.column_names=[island,a,b,c,d,its sex (m/f),the year,species]"
    said = ["data.columns.the year=numeric,categorical", "data.columns.its sex (m/f)=categorical"]
    quick_command("train.py", *said, "data=penguins", "data.header=true", names, *SHORT, "-m")
    (sweep,) = (tmp_path / "outputs" / "penguins").iterdir()
    assert sorted(path.name for path in sweep.iterdir() if path.is_dir()) == [
        "0_the-year-numeric",
        "1_the-year-categorical",
    ]
    assert (
        "  columns:\n    the year: categorical\n    its sex (m/f): categorical\n"
        in (sweep / "1_the-year-categorical" / ".hydra" / "config.yaml").read_text()
    )


def test_a_failing_job_does_not_take_the_sweep_with_it(
    quick_command: Command, tmp_path: Path
) -> None:
    stopwatch.seconds["loop"] = 1e6  # which the first job has spent
    limits = "+trainer.max_steps=3,999"
    process = quick_command("train.py", "-m", *SHORT, limits, succeed=False)
    assert process.returncode == 1
    assert "trainer must let an epoch end with a validation" in process.stderr
    assert "Traceback" not in process.stderr
    table = process.stdout.split("best epoch\n")[-1]
    assert "1  1_max_steps-999" in table
    assert "0_max_steps-3    no result" in table
    (result,) = tmp_path.glob("outputs/*/*/1_max_steps-999/metrics.json")
    assert json.loads(result.read_text())["time_s"]["loop"] < 1e6


@pytest.mark.parametrize(
    ("swept", "message"),
    [
        (["optimizer.lr=0.01,-1"], "lr must be a number above 0, got optimizer.lr=-1"),
        (["optimizer=adamw,sdg"], "got optimizer=sdg; did you mean 'sgd'?"),
        (["seed=range(0,3)", "optimizer=choice(sgd,adam)", "optimizer.momentum=0.9"], "momentum"),
        (["data=csv", "data.target=y", "data.path=no.csv,none.csv"], "there is no file no.csv"),
    ],
)
def test_a_sweep_with_a_value_that_no_job_can_have_does_not_begin(
    quick_command: Command, tmp_path: Path, swept: list[str], message: str
) -> None:
    process = quick_command("train.py", "-m", *SHORT, *swept, succeed=False)
    assert process.returncode == 1
    (line,) = process.stderr.splitlines()
    assert message in line
    assert not list(tmp_path.rglob("*"))


def train_twice_at_once(folder: Path, *settings: str) -> None:
    side_by_side(*[lambda: run_script(folder, "train.py", *settings)] * 2)


SAME_SECOND = "hydra.run.dir='${nnlab.new_folder:outputs,x,y,same-second}'"


@pytest.mark.prepare(train_twice_at_once, *SHORT, SAME_SECOND)
def test_runs_that_start_together_get_directories_of_their_own(prepared) -> None:
    folder = prepared[0] / "outputs" / "x"
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["same-second", "same-second_2"]
    assert len({(folder / name / "metrics.json").stat().st_ino for name in names}) == 2


# Tables


def write_houses(folder: Path) -> None:
    rows = [f"{7000 + i % 5},{i * 0.5},{'ab'[i % 2]},{i % 7 + i * 0.1}" for i in range(80)]
    (folder / "houses.csv").write_text("house no,size,side,price\n" + "\n".join(rows) + "\n")


HOUSES = ["data=csv", "data.path=houses.csv", "data.target=price"]


def test_what_the_columns_hold_is_shown_and_can_be_said(
    quick_command: Command, tmp_path: Path
) -> None:
    write_houses(tmp_path)
    printed = quick_command("train.py", *HOUSES, *SHORT).stdout
    assert "house no numeric 5 1 input" in squeezed(printed)
    assert "task regression, from 80 values of price" in squeezed(printed)
    said = ["data.columns.side=boolean", "data.columns={house no: categorical}", "data.drop=[size]"]
    process = quick_command("train.py", *HOUSES, *SHORT, *said, succeed=False)
    assert "data.columns.side=boolean needs values such as true and false" in process.stderr
    printed = quick_command("train.py", *HOUSES, *SHORT, *said[1:]).stdout
    assert "house no categorical 5 5 inputs" in squeezed(printed)
    assert "size left out 48 as data.drop says" in squeezed(printed)
    printed = quick_command("train.py", *HOUSES, *SHORT, "data.group=house no").stdout
    assert "split rows with the same house no stay together; it is no input" in squeezed(printed)
    more = ["data.time=size", "data.columns.house no=categorical"]
    printed = quick_command("train.py", *HOUSES, *SHORT, *more).stdout
    assert any(line.startswith("split the latest rows by size") for line in squeezed(printed))
    assert "house no categorical 5 5 inputs" in squeezed(printed)


def squeezed(printed: str) -> list[str]:
    """Lines with single spaces."""
    return [" ".join(line.split()) for line in printed.splitlines()]


def test_a_column_that_gives_the_target_away_is_warned_of(
    quick_command: Command, tmp_path: Path
) -> None:
    rows = "\n".join(f"{i * i % 97},{i * i % 97 * 2 + 1}" for i in range(200))
    (tmp_path / "houses.csv").write_text(f"double,price\n{rows}\n")
    printed = quick_command("train.py", *HOUSES, *SHORT).stdout
    assert "warning: 'double' gives 'price' away: on its own it predicts 99.9% of it" in printed
    assert "data.drop=[double]" in printed


def test_a_sweep_over_folds_tests_on_each_row_once(quick_command: Command, tmp_path: Path) -> None:
    write_houses(tmp_path)
    printed = quick_command("train.py", "-m", *HOUSES, *SHORT, "data.folds=4", "data.fold=0,1,2,3")
    assert printed.stdout.count("45 training, 15 validation, 20 test rows") == 4
    assert "3_fold-3" in printed.stdout
    (sweep,) = (tmp_path / "outputs").glob("*/*")
    rmse = [json.loads(path.read_text())["test"]["rmse"] for path in sweep.glob("*/metrics.json")]
    mean = f"{np.mean(rmse):.4f} ± {np.std(rmse, ddof=1):.4f}"
    assert re.search(rf"mean of 4 folds .*{re.escape(mean)}", printed.stdout)


# Help and mistakes


def test_help_answers_without_torch_for_someone_who_has_never_seen_hydra() -> None:
    code = (
        "import runpy, sys; sys.argv = sys.argv[1:];"
        "sys.modules['torch'] = sys.modules['lightning'] = None;"
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    cases = [
        ("train.py", ["--help"], "python scripts/train.py 'model.hidden_sizes=[64,64]' model.dr"),
        ("train.py", ["--cfg", "job"], "hidden_sizes:"),
        ("train.py", ["model.dropout=2"], "dropout must be a number in [0, 1)"),
        ("train.py", ["optimizer=adamv"], "did you mean 'adam'?"),
        ("train.py", ["data=csv", "data.path=no.csv", "data.target=y"], "there is no file no.csv"),
        ("train.py", ["data=penguins", "data.test_path=no.csv"], "there is no file no.csv"),
        ("evaluate.py", ["--help"], "run=RUN_DIR"),
        ("predict.py", ["--help"], "input=new.csv output=predictions.csv"),
        ("predict.py", ["run=nowhere", "input=a", "output=b"], "run must be a run directory"),
        ("export.py", ["--help"], "format=onnx"),
    ]

    def answer(script: str, arguments: list[str]) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-c", code, str(ROOT / "scripts" / script), *arguments]
        return subprocess.run(words, capture_output=True, text=True, check=False)

    answers = side_by_side(*(functools.partial(answer, *case[:2]) for case in cases))
    for process, (*_, expected) in zip(answers, cases, strict=True):
        assert expected in process.stdout + process.stderr, process.stderr


def test_hydras_own_help_is_there(quick_command: Command) -> None:
    assert "Hydra (" in quick_command("train.py", "--hydra-help").stdout


def test_a_process_without_an_output_trains(quick_command: Command, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(sys, "argv", ["scripts/train.py", *PENGUINS])
    monkeypatch.chdir(tmp_path)
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, None)
    commands.train()
    sys.stdout.close()
    sys.stderr.close()
    assert results(only_run(tmp_path))["epochs"] == 2


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("words", [("evaluate.py", "--help"), ("train.py", "--info")])
def test_a_reader_who_goes_is_no_error(unbuffered: str, words: tuple[str, str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, str(ROOT / "scripts" / words[0]), words[1]]
    process = subprocess.run(
        command,
        stdout=writing,
        stderr=subprocess.PIPE,
        env={**ENVIRONMENT, "PYTHONUNBUFFERED": unbuffered},
        check=False,
    )
    os.close(writing)
    assert process.stderr == b""
    assert process.returncode == 128 + signal.SIGPIPE


@pytest.mark.parametrize("verb", ["train", "evaluate", "predict", "export"])
def test_help_speaks_of_the_command_that_was_typed(verb: str, monkeypatch, capsys) -> None:
    monkeypatch.setattr("sys.argv", ["/venv/bin/nnlab", verb, "--help"])
    with contextlib.suppress(SystemExit):  # so Hydra ends
        commands.main()
    helped = capsys.readouterr().out
    assert f"    nnlab {verb} " in helped
    assert "scripts/" not in helped


def test_how_a_file_is_written_can_be_said_of_every_file() -> None:
    names = {field.name for field in fields(CsvOptions)}
    assert names == set(commands._READING)
    assert names <= set(RULES)
    assert names <= set(inspect.signature(TabularDataModule).parameters)


def test_nnlab_names_its_commands() -> None:
    nnlab = Path(sys.executable).with_name("nnlab")
    helped = subprocess.run([nnlab, "--help"], capture_output=True, text=True, check=True)
    assert "nnlab train" in helped.stdout
    for verb in ("evaluate", "predict", "export"):
        assert f"nnlab {verb}" in helped.stdout
    mistyped = subprocess.run([nnlab, "trian"], capture_output=True, text=True, check=False)
    assert mistyped.returncode == 1
    assert "did you mean 'train'?" in mistyped.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("model.droput=0.3", "there is no setting model.droput; did you mean 'dropout'?"),
        ("optimzer=sgd", "there is no setting optimzer; did you mean 'optimizer'?"),
        ("optimizer=sdg", "adam, adamw, rmsprop, sgd, got optimizer=sdg; did you mean 'sgd'?"),
        ("experiment=mnst", "did you mean 'mnist'?"),
        ("model.activation=rleu", "got model.activation=rleu; did you mean 'relu'?"),
        ("model.dropout=1.5", "dropout must be a number in [0, 1), got model.dropout=1.5"),
        ("model.hidden_sizes=[1,2", "cannot read 'model.hidden_sizes=[1,2'"),
        ("optimizer.lr=abc", "lr must be a number above 0, got optimizer.lr=abc"),
        ("optimizer=sgd optimizer.momentum=0", "set optimizer.nesterov=false"),
        ("seed=-1", "seed must be a whole number in [0, 4294967295], got seed=-1"),
        ("threads=0", "threads must be a whole number in [1, 1024] or null"),
        ("monitor=val/rmse", "monitor must be a metric of the task, multiclass"),
        ("model.loss=huber", "loss must suit the task, multiclass"),
        ("trainer=gpu", "trainer=gpu needs an NVIDIA GPU that torch can use, but none was found; "),
        ("trainer.accelerator=gpu", "needs a GPU that torch can use, but none was found; leave it"),
        ("+trainer.foo=1", "Trainer: got an unexpected keyword argument 'foo'"),
        ("data=csv", "data.path and data.target must be given"),
        ("data=csv data.path=no.csv data.target=y", "there is no file no.csv"),
        ("data=penguins data.target=speces", "did you mean 'species'?"),
        ("data=mnist data.root=no data.mirrors=[]", "no/train-images-idx3-ubyte (or train"),
        ("data=digits data.root=no", "data.mirrors, which is empty here as in every saved run, "),
        ("output_dir=file", "output_dir must be a folder that can be written, got output_dir=file"),
        ("resume=nowhere", "resume must be a run directory"),
        ("resume=x resume_anyway=ja", "resume_anyway must be true or false, got resume_anyway=ja"),
        ("resume_anyway=true", "resume_anyway must come with resume=RUN_DIR, got"),
        ("+resume=x resume_anyway=true", "resume must be a run directory"),
        ("model.hidden_sizes=8", "; write 'model.hidden_sizes=[8]'"),
        ("data=penguins data.drop=year", "; write 'data.drop=[year]'"),
        ("callbacks.early_stopping=false", "; write callbacks.early_stopping=null"),
        ("run=a", "write resume=a to go on with it, or python scripts/evaluate.py run=a to test"),
        ("a.csv", "'a.csv' is no setting: write data=csv data.path=a.csv data.target=COLUMN"),
        ("seed", "'seed' is no setting: write SETTING=VALUE"),
        ("++=1", "'++=1' is no setting: write SETTING=VALUE"),
        ("--data=csv", "settings are written without dashes, got --data=csv; write data=csv"),
        ("logger=null", "logger must be one of tensorboard, got logger=null; write logger.tensor"),
        ("--lr 0.1", "settings are written without dashes, got --lr 0.1; write optimizer.lr=0.1"),
        ("+trainer.max_epoch=3", "keyword argument 'max_epoch'; did you mean 'max_epochs'?"),
        ("data=penguins data.columns.Größe=date", "must name features of the table, got 'Größe'"),
        ("name=a/b", "name must be the name of a folder, not a path, got name=a/b"),
        ("data=penguins data.path=5", "there is no file 5; relative paths"),
        ("data=penguins data.path=", "path must be a text"),
        ("monitor=null", "monitor must be a metric such as val/loss"),
        ("data.batch_size=1 model.batch_norm=true", "batch_norm needs at least two rows"),
        ("+callbacks.x=3", "callbacks.x must be null, to leave it out, or a _target_"),
        ("+resume=nowhere", "resume must be a run directory"),
        ("callbacks.best_checkpoint=null", "callbacks.best_checkpoint must be there"),
        ("optimizer.betas=[0.9]", "betas must be a list such as [0.9,0.999]"),
        ("-m model.dropout=1.5,2", "dropout must be a number in [0, 1)"),
        ("model.droput=0,0.1 -m", "did you mean 'dropout'?"),
        ("-m model.activation=glob(*)", "glob must find options of a part, such as the files of"),
        ("trainer=cpu cuda_graphs=true", "cuda_graphs=true needs an NVIDIA GPU that torch can use"),
        ("trainer=cpu trainer.precision=16-mixed", "set trainer.precision=bf16-mixed on a CPU"),
        ("model._target_=os.system", "model._target_ must be of a trusted package"),
        ("model._target_=nnlab.commands.main", "model._target_ must name nnlab.models.Sup"),
        ("optimizer._target_=torch.os.system", "_target_ must be of a trusted package"),
        ("~trainer.max_epochs", "trainer.max_epochs must be there, but the config has none"),
        (f"data.batch_size={'9' * 401}", "batch_size must be a whole number"),
        ("optimizer.lr=1e30", "loss must stay finite, got nan in epoch 1; lower optimizer.lr"),
    ],
)  # fmt: skip
def test_a_mistake_gets_one_sentence_and_leaves_nothing(
    quick_command: Command, tmp_path: Path, arguments: str, message: str
) -> None:
    (tmp_path / "file").touch()
    if "gpu" in arguments and torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    process = quick_command("train.py", *arguments.split(), succeed=False)
    assert process.returncode == 1
    (line,) = process.stderr.splitlines()
    assert line.startswith("error: ")
    assert message in line
    assert not list(tmp_path.glob("outputs/*"))


@pytest.mark.parametrize("arguments", ["hydra.run.dir=mine model.dropout=2", "resume=mine seed=3"])
def test_a_mistake_touches_no_folder_that_was_there(
    quick_command: Command, tmp_path: Path, arguments: str
) -> None:
    (tmp_path / "mine" / ".hydra").mkdir(parents=True)
    (tmp_path / "mine" / ".hydra" / "config.yaml").write_text("seed: 0\n")
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    assert quick_command("train.py", *arguments.split(), succeed=False).returncode == 1
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"


@pytest.mark.parametrize("setting", ["optimizer.lr=1", "seed=1", "optimizer=sgd", "-m"])
@pytest.mark.parametrize(
    ("script", "more"),
    [
        ("train.py", []),
        ("evaluate.py", []),
        ("predict.py", ["input=a.csv", "output=b.csv"]),
        ("export.py", ["format=onnx"]),
    ],
)
def test_a_run_keeps_its_own_settings(
    digits_run, quick_command: Command, script: str, more: list[str], setting: str
) -> None:
    argument = "resume" if script == "train.py" else "run"
    process = quick_command(script, f"{argument}={digits_run[0]}", *more, setting, succeed=False)
    assert process.returncode == 1
    assert "a run keeps its own settings; only " in process.stderr
    assert f"got {setting}" in process.stderr


@pytest.mark.parametrize(
    ("script", "given", "missing"),
    [
        ("evaluate.py", [], "run must be given: add run=RUN_DIR to the command"),
        (
            "predict.py",
            ["run=a", "input=b"],
            "output must be given: add output=FILE to the command",
        ),
        (
            "export.py",
            ["run=a"],
            "format must be given: add format=onnx or format=torch_export to the command",
        ),
    ],
)
def test_an_argument_that_was_not_given_is_asked_for(
    quick_command: Command, script: str, given: list[str], missing: str
) -> None:
    process = quick_command(script, *given, succeed=False)
    assert process.returncode == 1
    assert process.stderr == f"error: {missing}\n"


@pytest.mark.parametrize(
    ("script", "typed", "message"),
    [
        ("evaluate.py", "--run DIR", "without dashes, got --run DIR; write run=DIR"),
        ("evaluate.py", "DIR", "'DIR' is no setting: write run=DIR"),
        ("evaluate.py", "run= DIR", "a blank ends a setting, got run= DIR; write run=DIR"),
        ("predict.py", "run=a --input=b", "without dashes, got --input=b; write input=b"),
        ("predict.py", "run=a --raw-cells true", "got --raw-cells true; write raw_cells=true"),
        ("predict.py", "run=a b.csv", "'b.csv' is no setting: write input=b.csv"),
        ("export.py", "--run=a format=onnx", "got --run=a; write run=a"),
        ("export.py", "run=a onnx", "'onnx' is no setting: write format=onnx"),
    ],
)
def test_a_word_that_is_no_setting_of_a_command_on_a_run_is_mended(
    quick_command: Command, script: str, typed: str, message: str
) -> None:
    process = quick_command(script, *typed.split(), succeed=False)
    assert process.returncode == 1
    (line,) = process.stderr.splitlines()
    assert line.endswith(message)


class Payload:
    """Unpickling it makes a file."""

    def __reduce__(self):
        return os.system, ("touch executed",)


@pytest.mark.parametrize("script", ["train.py", "evaluate.py"])
@pytest.mark.parametrize("kind", ["payload", "torch payload", "text", "truncated"])
def test_what_is_no_checkpoint_is_refused_and_not_run(
    digits_run, quick_command: Command, tmp_path: Path, script: str, kind: str
) -> None:
    run_dir = tmp_path / "run"
    shutil.copytree(digits_run[0], run_dir)
    (run_dir / "metrics.json").unlink()
    for path in (run_dir / "checkpoints").iterdir():
        whole = path.read_bytes()
        if kind == "payload":
            path.write_bytes(pickle.dumps({"state_dict": Payload()}))
        elif kind == "torch payload":
            torch.save({"state_dict": {}, "hyper_parameters": Payload()}, path)
        elif kind == "text":
            path.write_text("not a checkpoint")
        else:
            path.write_bytes(whole[: len(whole) // 2])
    argument = "resume" if script == "train.py" else "run"
    process = quick_command(script, f"{argument}={run_dir}", succeed=False)
    assert process.returncode == 1
    (line,) = process.stderr.splitlines()
    assert line.startswith("error: ")
    assert str(run_dir / "checkpoints") in line
    assert not (tmp_path / "executed").exists()
    assert (run_dir / ".hydra" / "config.yaml").is_file()


def test_a_run_without_a_checkpoint_cannot_be_evaluated(
    digits_run, quick_command: Command, tmp_path: Path
) -> None:
    run_dir = tmp_path / "run"
    shutil.copytree(digits_run[0], run_dir)
    (run_dir / "checkpoints" / "best.ckpt").unlink()
    process = quick_command("evaluate.py", f"run={run_dir}", succeed=False)
    assert process.stderr.startswith(f"error: there is no checkpoint {run_dir}/checkpoints/best")


@pytest.mark.parametrize("sweeps", [False, True])
def test_a_secret_of_the_environment_is_not_saved(
    quick_command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sweeps: bool
) -> None:
    monkeypatch.setenv("TOKEN", "s3cr3t")
    table = (ROOT / "src/nnlab/data/embedded/penguins.csv").read_bytes()
    (tmp_path / "s3cr3t").mkdir()
    for name in ("a.csv", "b.csv"):
        (tmp_path / "s3cr3t" / name).write_bytes(table)
    paths = "data.path='${oc.env:TOKEN}/a.csv'" + ",'${oc.env:TOKEN}/b.csv'" * sweeps
    settings = ["data=csv", paths, "data.target=species", *SHORT, *(["-m"] * sweeps)]
    quick_command("train.py", *settings)
    files = [path for path in (tmp_path / "outputs").rglob("*") if path.is_file()]
    kinds = {"config.yaml", "last.ckpt", "metrics.json", "train.log"}
    assert kinds <= {path.name for path in files}
    assert not [path for path in files if "s3cr3t" in str(path) or b"s3cr3t" in path.read_bytes()]


def test_a_strangers_run_directory_cannot_configure_hydra(
    digits_run, quick_command: Command, tmp_path: Path
) -> None:
    run_dir = tmp_path / "run"
    shutil.copytree(digits_run[0], run_dir)
    config = run_dir / ".hydra" / "config.yaml"
    callback = "{_target_: os.system, command: touch executed}"
    config.write_text(config.read_text() + f"\nhydra: {{callbacks: {{bad: {callback}}}}}\n")
    quick_command("evaluate.py", f"run={run_dir}")
    assert not (tmp_path / "executed").exists()
    plain = config.read_text()
    bomb = "".join(f"a{i + 1}: &a{i + 1} [*a{i},*a{i},*a{i},*a{i},*a{i}]\n" for i in range(20))
    config.write_text(f"{plain}\na0: &a0 [x]\n{bomb}")
    began = time.monotonic()
    process = quick_command("evaluate.py", f"run={run_dir}", succeed=False)
    assert "as nnlab writes them, got an alias" in process.stderr
    assert time.monotonic() - began < 60  # of the age of the universe
    config.write_text(plain.replace("nnlab.data.ImageDataModule", "os.system"))
    process = quick_command("evaluate.py", f"run={run_dir}", succeed=False)
    assert "_target_ must be of a trusted package" in process.stderr
