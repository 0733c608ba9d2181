"""Runs that were stopped, damaged or finished, and are gone on with by the command."""

import errno
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from conftest import ENVIRONMENT, ROOT, Command
from runs import SHORT, curves, only_run, results, same, weights

from nnlab import environment as nnlab_environment
from nnlab.checkpoints import read_checkpoint, write_checkpoint
from nnlab.stopwatch import PHASES
from nnlab.sweep_directory import load_sweep


def test_resuming_a_finished_run_only_reports_it(digits_run, quick_command: Command) -> None:
    run_dir, printed = digits_run
    before = {path: path.stat().st_mtime_ns for path in run_dir.rglob("*.ckpt")}
    again = quick_command("train.py", f"resume={run_dir}").stdout
    assert again.startswith("nothing is trained: the run had finished already, with epoch ")
    assert again.split("metric")[1].split("run directory")[0] in printed
    assert {path: path.stat().st_mtime_ns for path in run_dir.rglob("*.ckpt")} == before
    helped = quick_command("train.py", f"resume={run_dir}", "--help").stdout
    assert "SETTING=VALUE changes a setting" in helped


@pytest.mark.parametrize("loss", ["damaged", "gone"])
def test_the_best_checkpoint_of_a_finished_run_is_written_again(
    quick_command: Command, tmp_path: Path, loss: str
) -> None:
    quick_command("train.py", "data=penguins", *SHORT)
    run_dir = only_run(tmp_path)
    best = weights(run_dir, "best")
    path = run_dir / "checkpoints" / "best.ckpt"
    path.write_bytes(path.read_bytes()[:5000]) if loss == "damaged" else path.unlink()
    printed = quick_command("train.py", f"resume={run_dir}").stdout
    assert "it is written again, as the last checkpoint holds it" in printed
    assert "nothing is trained: the run had finished already" in printed
    assert same(weights(run_dir, "best"), best)


def stop_after_a_checkpoint(
    folder: Path, how: signal.Signals, settings: list[str]
) -> subprocess.CompletedProcess[str]:
    """Train in a folder, and send a signal soon after the first checkpoint."""
    with subprocess.Popen(
        [sys.executable, str(ROOT / "scripts" / "train.py"), *settings],
        cwd=folder,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            deadline = time.monotonic() + 120
            while not list(folder.glob("outputs/*/*/checkpoints/last.ckpt")):
                assert process.poll() is None, process.communicate()
                assert time.monotonic() < deadline
                time.sleep(0.01)
            time.sleep(0.1)
            process.send_signal(how)
            printed, errors = process.communicate(timeout=120)
        finally:
            process.kill()
    return subprocess.CompletedProcess(process.args, process.returncode, printed, errors)


def to_be_killed(scheduler: str) -> list[str]:
    extra = ["scheduler.patience=0"] if scheduler == "plateau" else []
    return [
        *extra,
        "trainer.max_epochs=80",
        "checkpoint_every_s=0",
        "callbacks.early_stopping=null",
        "model.dropout=0.3",
        "model.hidden_sizes=[32]",
        f"scheduler={scheduler}",
        "data=penguins",
    ]


@pytest.mark.parametrize(
    "scheduler",
    [
        pytest.param(
            name,
            marks=pytest.mark.prepare(stop_after_a_checkpoint, signal.SIGKILL, to_be_killed(name)),
        )
        for name in ("plateau", "one_cycle")
    ],
)
def test_a_killed_run_resumes_to_the_result_of_an_uninterrupted_one(
    prepared, quick_command: Command, tmp_path: Path, scheduler: str
) -> None:
    quick_command("train.py", *to_be_killed(scheduler))
    whole = only_run(tmp_path)

    folder, process = prepared
    assert process.returncode == -signal.SIGKILL
    killed = only_run(folder)
    assert not (killed / "metrics.json").exists()

    moved = killed.rename(tmp_path / "it's moved=elsewhere, {1}")
    quick_command("train.py", f"resume={moved}")
    assert same(weights(moved), weights(whole))
    assert same(weights(moved, "best"), weights(whole, "best"))
    assert results(moved)["test"] == results(whole)["test"]
    assert results(moved)["best_epoch"] == results(whole)["best_epoch"]
    assert curves(moved) == curves(whole)


ENDLESS = ["trainer.max_epochs=100000", "callbacks.early_stopping=null", "data=penguins"]


@pytest.mark.parametrize(
    ("how", "status"),
    [
        pytest.param(how, status, marks=pytest.mark.prepare(stop_after_a_checkpoint, how, ENDLESS))
        for how, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143))
    ],
)
def test_ctrl_c_and_sigterm_say_how_to_go_on(prepared, how, status) -> None:
    folder, process = prepared
    assert process.returncode == status
    assert "Traceback" not in process.stderr
    name = only_run(folder).name
    assert process.stdout.endswith(f"python scripts/train.py resume=outputs/penguins/{name}\n")


def test_a_run_cannot_be_made_shorter_than_it_is(digits_run, quick_command, tmp_path) -> None:
    run_dir = tmp_path / "run"
    shutil.copytree(digits_run[0], run_dir)
    process = quick_command("train.py", f"resume={run_dir}", "trainer.max_epochs=1", succeed=False)
    assert "trainer.max_epochs must be at least the" in process.stderr
    assert (run_dir / "metrics.json").is_file()


def shorten(run_dir: Path, name: str) -> None:
    path = run_dir / "checkpoints" / name
    path.write_bytes(path.read_bytes()[:-1000])


def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(
    quick_command: Command, tmp_path: Path
) -> None:
    settings = ("data=penguins", "trainer.max_epochs=5", "checkpoint_every_s=0")
    quick_command("train.py", *settings)
    run_dir = only_run(tmp_path)
    whole = weights(run_dir)
    (run_dir / "metrics.json").unlink()
    shorten(run_dir, "last.ckpt")
    (run_dir / "checkpoints" / ".best.ckpt.123").write_bytes(b"half a checkpoint")
    printed = quick_command("train.py", f"resume={run_dir}").stdout
    assert "last.ckpt must be a checkpoint" in printed
    assert "going on from the one before" in printed
    names = sorted(path.name for path in (run_dir / "checkpoints").iterdir())
    assert names == ["best.ckpt", "last.ckpt", "last.damaged", "last_before.ckpt"]
    assert "epoch 4/5" not in printed
    assert "epoch 5/5" in printed
    assert same(weights(run_dir), whole)


@pytest.mark.parametrize("loss", ["damaged", "gone"])
def test_a_best_checkpoint_that_is_lost_is_written_again(
    quick_command: Command, tmp_path: Path, loss: str
) -> None:
    quick_command("train.py", "data=penguins", "monitor=val/accuracy", "trainer.max_epochs=8")
    run_dir = only_run(tmp_path)
    whole, best = results(run_dir), weights(run_dir, "best")
    assert whole["best_epoch"] < 8  # the last network is another
    path = run_dir / "checkpoints" / "best.ckpt"
    (run_dir / "metrics.json").unlink()
    shorten(run_dir, "best.ckpt") if loss == "damaged" else path.unlink()
    printed = quick_command("train.py", f"resume={run_dir}").stdout
    assert "best.ckpt " in printed
    assert "it is written again" in printed
    assert same(weights(run_dir, "best"), best)
    assert results(run_dir)["test"] == whole["test"]
    assert path.with_suffix(".damaged").exists() == (loss == "damaged")


def test_a_best_epoch_that_is_to_be_trained_again_is_none(
    quick_command: Command, tmp_path: Path
) -> None:
    settings = ("data=penguins", "scheduler=constant", "optimizer.lr=1e-4")  # each is a better one
    quick_command("train.py", *settings, "trainer.max_epochs=3")
    run_dir = only_run(tmp_path)
    expected, best = results(run_dir), weights(run_dir, "best")
    assert expected["best_epoch"] == 3
    last = run_dir / "checkpoints" / "last.ckpt"
    saved = last.read_bytes()
    quick_command("train.py", f"resume={run_dir}", "trainer.max_epochs=6")
    assert results(run_dir)["best_epoch"] == 6
    # As where it is killed before a later epoch was due to be saved.
    last.write_bytes(saved)
    (run_dir / "metrics.json").unlink()
    quick_command("train.py", f"resume={run_dir}", "trainer.max_epochs=3")
    assert same(weights(run_dir, "best"), best)
    for name in ("best_epoch", "epochs", "val", "test"):
        assert results(run_dir)[name] == expected[name]


def test_checkpoints_of_a_callback_go_on_too(quick_command: Command, tmp_path: Path) -> None:
    mine = "{_target_: lightning.pytorch.callbacks.ModelCheckpoint, monitor: val/loss}"
    settings = ("data=penguins", "scheduler=constant", "optimizer.lr=0.05", f"+callbacks.m={mine}")
    states = []
    for folder, lengths in (("whole", [8]), ("stopped", [6, 8])):
        run_dir = tmp_path / folder
        quick_command(
            "train.py", *settings, f"trainer.max_epochs={lengths[0]}", f"hydra.run.dir={run_dir}"
        )
        for length in lengths[1:]:
            quick_command("train.py", f"resume={run_dir}", f"trainer.max_epochs={length}")
        checkpoint = read_checkpoint(run_dir / "checkpoints" / "last.ckpt")
        (state,) = (s for key, s in checkpoint["callbacks"].items() if key.startswith("Model"))
        names = {path.name for path in (run_dir / "checkpoints").glob("epoch*")}
        states.append((names, Path(state["best_model_path"]).name, state["best_model_score"]))
    assert states[0][0] == {states[0][1]}
    assert "epoch=7" not in states[0][1]  # the last is not the best
    assert states[1] == states[0]


def test_a_damaged_best_checkpoint_of_the_first_version_is_noticed_before_training(
    quick_command: Command, tmp_path: Path
) -> None:
    quick_command("train.py", *SHORT)
    run_dir = only_run(tmp_path)
    (run_dir / "metrics.json").unlink()
    shorten(run_dir, "best.ckpt")
    last = run_dir / "checkpoints" / "last.ckpt"
    checkpoint = read_checkpoint(last)
    del checkpoint["best"]
    write_checkpoint(checkpoint, last)
    process = quick_command("train.py", f"resume={run_dir}", succeed=False)
    assert process.stderr.startswith(f"error: {run_dir}/checkpoints/best.ckpt must be a checkpoint")


def of_another_run(kind: str, checkpoint: dict, run_dir: Path) -> None:
    """Alter a checkpoint as one from elsewhere may be."""
    if kind == "a wrong shape":
        checkpoint["optimizer_states"][0]["state"][0]["exp_avg"] = torch.zeros(3)
    elif kind == "a folder to be removed":
        (state,) = (s for s in checkpoint["callbacks"].values() if s.get("kth_best_model_path"))
        mine = f"{run_dir}/checkpoints/.."
        state.update(best_k_models={mine: torch.tensor(99.0)}, kth_best_model_path=mine)
        state.update(best_model_path=mine, kth_value=torch.tensor(99.0))
    else:
        checkpoint.update(
            {
                "other parts": {"optimizer_states": [{"a": 1}]},
                "other loops": {"loops": {"fit_loop": 5}},
                "other callbacks": {"callbacks": [1]},
                "another network": {"state_dict": {"weight": torch.zeros(2)}},
                "no environment": {"environment": "x"},
                "no epoch": {"epoch": "x"},
            }[kind]
        )


def files_of(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("a wrong shape", "the optimizer's exp_avg must lie in memory as its parameter"),
        ("a folder to be removed", "a checkpoint must name a .ckpt file of its run to be removed"),
        ("other parts", "must be a checkpoint of this run as nnlab wrote it"),
        ("other loops", "must be a checkpoint of this run as nnlab wrote it"),
        ("other callbacks", "must be a checkpoint of this run as nnlab wrote it"),
        ("another network", "must be a checkpoint of this run as nnlab wrote it"),
        ("no environment", "must be a checkpoint of a training run"),
        ("no epoch", "must be a checkpoint of a training run"),
    ],
)
def test_a_run_does_not_go_on_from_the_checkpoint_of_another(
    quick_command: Command, tmp_path: Path, kind: str, said: str
) -> None:
    quick_command("train.py", *SHORT, "callbacks.early_stopping=null")
    run_dir = only_run(tmp_path)
    path = run_dir / "checkpoints" / "last.ckpt"
    checkpoint = read_checkpoint(path)
    of_another_run(kind, checkpoint, run_dir)
    write_checkpoint(checkpoint, path)
    # Curves are written anew, and results are put aside once training goes on.
    before = {file for file in files_of(run_dir) if "tfevents" not in file.name}
    process = quick_command("train.py", f"resume={run_dir}", "trainer.max_epochs=4", succeed=False)
    assert said in process.stderr
    assert process.stderr.count("\n") == 1
    now = (
        file.with_name(file.name.replace("_before.json", ".json")) for file in run_dir.rglob("*")
    )
    assert before <= set(now)


def test_a_resumed_run_keeps_its_threads_and_says_what_differs(
    quick_command: Command, tmp_path: Path, monkeypatch
) -> None:
    quick_command("train.py", *SHORT, "threads=2", "callbacks.early_stopping=null")
    run_dir = only_run(tmp_path)
    config = run_dir / ".hydra" / "config.yaml"
    config.write_text(config.read_text().replace("threads: 2", "threads: null"))
    monkeypatch.setattr("nnlab.environment.version", lambda name: f"9 of {name}")
    nnlab_environment.versions.cache_clear()
    command = ("train.py", f"resume={run_dir}", "trainer.max_epochs=3")
    (line,) = quick_command(*command, succeed=False).stderr.splitlines()
    assert line.startswith(f"error: {run_dir} must go on with what it was trained with so far")
    assert "polars 9 of polars for " in line
    assert "threads" not in line
    assert "hydra" not in line
    printed = quick_command(*command, "resume_anyway=true").stdout
    assert results(run_dir)["threads"] == 2
    assert "its result may be another than without a stop: torch " not in printed
    assert "polars 9 of polars for " in printed
    assert "goes on with hydra-core 9 of hydra-core for " in printed

    config.write_text(config.read_text().replace("threads: null", "threads: 3"))
    command = ("train.py", f"resume={run_dir}", "trainer.max_epochs=4")
    assert "got threads 3 for 2; " in quick_command(*command, succeed=False).stderr
    assert "threads 1 for 2" in quick_command(*command, "threads=1").stdout
    nnlab_environment.versions.cache_clear()


def test_a_directory_is_of_one_run(quick_command: Command, tmp_path: Path) -> None:
    command = ("train.py", "data=penguins", "scheduler=constant", *SHORT, "hydra.run.dir=mine")
    quick_command(*command)
    run_dir = tmp_path / "mine"
    saved = {path: path.read_bytes() for path in run_dir.rglob("*.[yj]*")}
    process = quick_command(*command, "seed=9", "model.dropout=0.5", succeed=False)
    assert "was begun with other settings, got model.dropout=0.5 for 0.2; seed=9 for 0" in (
        process.stderr
    )
    assert {path: path.read_bytes() for path in run_dir.rglob("*.[yj]*")} == saved
    assert "best epoch" in quick_command(*command).stdout
    assert (run_dir / "metrics.json").read_bytes() == saved[run_dir / "metrics.json"]

    config = run_dir / ".hydra" / "config.yaml"
    config.write_text(config.read_text().replace("dropout: 0.2", "dropout: 0.4"))
    command = ("train.py", "resume=mine", "trainer.max_epochs=3")
    process = quick_command(*command, succeed=False)
    assert "got model.dropout=0.4 for 0.2; restore that, or add resume_anyway=true" in (
        process.stderr
    )
    printed = quick_command(*command, "resume_anyway=true").stdout
    assert "its result may be another than without a stop: model.dropout=0.4 for 0.2\n" in printed
    assert "resume_anyway" not in config.read_text()
    # From here on it is trained with that.
    quick_command("train.py", "resume=mine", "trainer.max_epochs=4")


def test_a_length_that_was_edited_in_the_run_directory_is_noticed(
    quick_command: Command, tmp_path: Path
) -> None:
    settings = ("data=penguins", "scheduler=cosine", "callbacks.early_stopping=null", *SHORT)
    quick_command("train.py", *settings)
    run_dir = only_run(tmp_path)
    config = run_dir / ".hydra" / "config.yaml"
    config.write_text(config.read_text().replace("max_epochs: 2", "max_epochs: 3"))
    process = quick_command("train.py", f"resume={run_dir}", succeed=False)
    assert "got trainer.max_epochs=3 for 2; restore that" in process.stderr


def test_a_run_that_stopped_early_says_why_it_is_not_made_longer(
    quick_command: Command, tmp_path: Path
) -> None:
    early = ("callbacks.early_stopping.patience=1", "optimizer.lr=0.1", "trainer.max_epochs=40")
    quick_command("train.py", "scheduler=constant", *early)
    run_dir = only_run(tmp_path)
    epochs = results(run_dir)["epochs"]
    assert epochs < 40
    printed = quick_command("train.py", f"resume={run_dir}", "trainer.max_epochs=50").stdout
    assert f"no epoch is added: the run ended after {epochs}, as" in printed


@pytest.mark.parametrize("data", ["digits", "penguins"])
def test_a_run_of_an_earlier_version_goes_on(
    quick_command: Command, tmp_path: Path, data: str
) -> None:
    settings = ("scheduler=cosine", "callbacks.early_stopping=null")
    quick_command("train.py", f"data={data}", *settings, *SHORT)
    run_dir = only_run(tmp_path)
    path = run_dir / "checkpoints" / "last.ckpt"
    checkpoint = read_checkpoint(path)
    for state in checkpoint.values():
        if isinstance(state, dict) and "preprocessing" in state:
            for key in ("digest", "held_out_digests"):  # which came later
                state["preprocessing"].pop(key, None)
    del checkpoint["settings"]["trainer.max_epochs"]
    checkpoint["settings"] |= {"data.columns": {}, "data.sha256": {}}
    write_checkpoint(checkpoint, path)
    (run_dir / "metrics.json").unlink()
    assert "best epoch" in quick_command("train.py", f"resume={run_dir}").stdout


def test_a_sweep_that_was_stopped_goes_on(
    quick_command: Command, tmp_path: Path, monkeypatch
) -> None:
    quick_command("train.py", "-m", "data=penguins", "model.dropout=0,0.2,0.4", *SHORT)
    (sweep,) = (tmp_path / "outputs" / "penguins").iterdir()
    first, second, third = sorted(path for path in sweep.iterdir() if path.is_dir())
    whole = {path: results(path) for path in (first, second, third)}
    written = (first / "checkpoints" / "last.ckpt").stat().st_mtime_ns
    (second / "metrics.json").unlink()
    shutil.rmtree(third)
    monkeypatch.setattr("nnlab.environment.processor", lambda: "another")
    process = quick_command("train.py", f"resume={sweep}", succeed=False)
    assert process.returncode == 1
    assert f"{second} must go on with what it was trained with so far" in process.stderr
    process = quick_command("train.py", f"resume={sweep}", "resume_anyway=true")
    assert process.stdout.endswith(f"sweep directory  outputs/penguins/{sweep.name}\n")
    assert (first / "checkpoints" / "last.ckpt").stat().st_mtime_ns == written
    for path, result in whole.items():
        assert results(path)["test"] == result["test"]

    moved = sweep.rename(tmp_path / "it's moved")
    (moved / "multirun.yaml").write_text("hydra: {overrides: {task: [hydra.job.name=a]}}")
    process = quick_command("train.py", f"resume={moved}", succeed=False)
    assert "must hold the settings of a sweep as Hydra writes them" in process.stderr


def test_what_began_a_sweep_is_kept_until_it_is_written_again(
    quick_command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lengths = ("data=penguins", "trainer.max_epochs=1,2", "hydra.sweep.dir=sweep")
    quick_command("train.py", "-m", *lengths)
    whole = (tmp_path / "sweep" / "multirun.yaml").read_bytes()

    def fails(**_: object) -> None:  # as Hydra does where the disk is full
        (tmp_path / "sweep" / "multirun.yaml").write_bytes(whole[:100])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("hydra.main", fails)
        quick_command("train.py", "resume=sweep", succeed=False)
    assert "sweep directory" in quick_command("train.py", "resume=sweep").stdout
    assert load_sweep(tmp_path / "sweep") == list(lengths[:2])
    assert not (tmp_path / "sweep" / "multirun_before.yaml").exists()


def test_what_varies_in_a_sweep_stays(quick_command: Command, tmp_path: Path) -> None:
    lengths = ("data=penguins", "trainer.max_epochs=1,2", "hydra.sweep.dir=sweep")
    quick_command("train.py", "-m", *lengths)
    before = (tmp_path / "sweep" / "multirun.yaml").read_bytes()
    more = ("resume=sweep", "trainer.max_epochs=3")
    process = quick_command("train.py", *more, succeed=False)
    assert "trainer.max_epochs varies in this sweep and cannot be changed" in process.stderr
    assert (tmp_path / "sweep" / "multirun.yaml").read_bytes() == before
    assert not (tmp_path / "sweep" / "multirun_before.yaml").exists()

    (tmp_path / "mine" / "experiment").mkdir(parents=True)
    (tmp_path / "mine" / "experiment" / "long.yaml").write_text(
        "# @package _global_\nhydra: {sweeper: {params: {trainer.max_epochs: '1,2'}}}\n"
    )
    own = ("--config-dir", "mine")
    quick_command("train.py", "-m", *own, "experiment=long", "data=penguins", "hydra.sweep.dir=own")
    process = quick_command("train.py", "resume=own", more[1], *own, succeed=False)
    assert "trainer.max_epochs varies in this sweep" in process.stderr
    assert "sweep directory" in quick_command("train.py", "resume=own", *own, "threads=1").stdout
    assert len([*(tmp_path / "own").glob("*/metrics.json")]) == 2


@pytest.mark.parametrize("precision", ["32-true", "64-true"])
def test_a_finished_run_can_be_made_longer(
    quick_command: Command, tmp_path: Path, precision: str
) -> None:
    settings = [*SHORT, "callbacks.early_stopping=null", f"trainer.precision={precision}"]
    quick_command("train.py", *settings)
    run_dir = only_run(tmp_path)
    quick_command("train.py", f"resume={run_dir}", "trainer.max_epochs=4")
    quick_command("train.py", *settings, "trainer.max_epochs=4", "name=long")
    (long,) = (tmp_path / "outputs" / "long").iterdir()
    assert results(run_dir)["epochs"] == 4
    assert same(weights(run_dir), weights(long))
    quick_command("train.py", f"resume={run_dir}")  # and stays so


def test_a_finished_run_without_its_checkpoints_cannot_be_made_longer(
    digits_run, quick_command: Command, tmp_path: Path
) -> None:
    run_dir = tmp_path / "run"
    shutil.copytree(digits_run[0], run_dir, ignore=shutil.ignore_patterns("*.ckpt"))
    process = quick_command("train.py", f"resume={run_dir}", "trainer.max_epochs=99", succeed=False)
    assert "must have checkpoints/last.ckpt to go on with, but it is gone" in process.stderr
    assert (run_dir / "metrics.json").is_file()


def with_time(run_dir: Path, content: object) -> None:
    path = run_dir / "checkpoints" / "last.ckpt"
    write_checkpoint({**read_checkpoint(path), "time": content}, path)


def test_a_run_that_goes_on_counts_the_time_of_all_its_processes(
    quick_command: Command, tmp_path: Path
) -> None:
    quick_command("train.py", *SHORT, "callbacks.early_stopping=null")
    run_dir = only_run(tmp_path)
    saved = read_checkpoint(run_dir / "checkpoints" / "last.ckpt")["time"]
    assert 0 < saved["training"] <= results(run_dir)["wall_time_s"]
    assert saved["phases"]["forward"] > 0

    with_time(run_dir, {"phases": dict.fromkeys(PHASES, 100.0), "training": 500.0})
    quick_command("train.py", f"resume={run_dir}", "trainer.max_epochs=4")
    together = results(run_dir)
    assert all(100 < seconds < 160 for seconds in together["time_s"].values())
    assert 500 < together["wall_time_s"] < 560
    rows = 1150 * 4 / together["wall_time_s"]
    assert together["samples_per_second"] == pytest.approx(rows, abs=0.1)


@pytest.mark.parametrize(
    "content",
    [
        None,
        {"phases": dict.fromkeys(PHASES, -1e9), "training": 1.0},
        {"phases": {}, "training": 1.0},
    ],
)
def test_a_checkpoint_that_tells_no_time_adds_none(
    quick_command: Command, tmp_path: Path, content: object
) -> None:
    quick_command("train.py", *SHORT, "callbacks.early_stopping=null")
    run_dir = only_run(tmp_path)
    with_time(run_dir, content)
    quick_command("train.py", f"resume={run_dir}", "trainer.max_epochs=4")
    alone = results(run_dir)
    assert all(0 <= seconds < 60 for seconds in alone["time_s"].values())
    rows = 1150 * 2 / alone["wall_time_s"]  # of the two epochs that were timed
    # The seconds are few, and rounded to thousandths.
    assert alone["samples_per_second"] == pytest.approx(rows, rel=0.05)


def test_a_schedule_that_was_laid_out_cannot_be_made_longer(
    quick_command: Command, tmp_path: Path
) -> None:
    quick_command("train.py", *SHORT, "scheduler=one_cycle")
    run_dir = only_run(tmp_path)
    longer = ("train.py", f"resume={run_dir}", "trainer.max_epochs=4")
    assert "must stay 2 in" in quick_command(*longer, succeed=False).stderr
