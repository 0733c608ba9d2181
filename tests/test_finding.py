"""A folder that is no run directory: which of the runs in it is named."""

import json
import os
from pathlib import Path

import pytest

from nnlab.finding import find_run


def add_run(run_dir: Path, *, hours: dict[str, int], loss: float | None = None) -> None:
    """A run whose files were written at these hours."""
    for name in (".hydra/config.yaml", *hours):
        path = run_dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        hour = hours.get(name, 0) * 3600
        os.utime(path, (hour, hour))
    if loss is not None:
        numbers = dict.fromkeys(("best_epoch", "epochs", "max_epochs", "threads"), 3)
        content = {split: {"loss": loss} for split in ("val", "test")}
        more = {"monitor": "val/loss", "device": "cpu", "versions": {}, "time_s": {}}
        (run_dir / "metrics.json").write_text(json.dumps({**numbers, **content, **more}))


def test_of_several_runs_the_one_that_was_last_worked_on_is_named(tmp_path: Path) -> None:
    add_run(tmp_path / "z_first", hours={"checkpoints/last.ckpt": 2})
    add_run(tmp_path / "b" / "gone_on_with", hours={"checkpoints/last.ckpt": 9})
    add_run(tmp_path / "c_begun", hours={".hydra/config.yaml": 5})
    with pytest.raises(FileNotFoundError) as caught:
        find_run("resume", str(tmp_path))
    assert str(caught.value).endswith(f"; the newest of 3 in it is {tmp_path}/b/gone_on_with")


def test_what_cannot_be_looked_into_is_passed_over(tmp_path: Path, monkeypatch) -> None:
    add_run(tmp_path / "a" / "run", hours={})
    glob = Path.glob

    def vanishing(folder: Path, pattern: str):
        if pattern.count("*") > 2:
            raise FileNotFoundError(2, "No such file or directory", "/proc/1234")
        return glob(folder, pattern)

    monkeypatch.setattr(Path, "glob", vanishing)
    with pytest.raises(FileNotFoundError, match=r"^run must be .*; the newest of 1 in it is"):
        find_run("run", str(tmp_path))


def test_a_run_that_vanishes_meanwhile_is_passed_over(tmp_path: Path, monkeypatch) -> None:
    add_run(tmp_path / "a", hours={"checkpoints/last.ckpt": 2})
    add_run(tmp_path / "b", hours={"checkpoints/last.ckpt": 9})
    stat = Path.stat

    def vanishing(path: Path, **options: bool):
        if path.is_relative_to(tmp_path / "b") and path.name == "last.ckpt":
            raise FileNotFoundError(2, "No such file or directory", str(path))
        return stat(path, **options)

    monkeypatch.setattr(Path, "stat", vanishing)
    with pytest.raises(FileNotFoundError, match=r"^run must be .*; the newest of 2 in it is .*/a$"):
        find_run("run", str(tmp_path))


def test_a_name_that_nothing_has_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no_run, where nothing is$"):
        find_run("run", str(tmp_path / "no_run"))


def test_the_run_of_a_checkpoint_is_named(tmp_path: Path) -> None:
    add_run(tmp_path / "a", hours={"checkpoints/best.ckpt": 2})
    for path in ("a/checkpoints/best.ckpt", "a/checkpoints", "a/metrics.json"):
        with pytest.raises(FileNotFoundError) as caught:
            find_run("run", str(tmp_path / path))
        assert str(caught.value).endswith(f"; did you mean run={tmp_path}/a?")


@pytest.mark.parametrize(("losses", "named"), [((0.1, 0.3), "0_a"), ((0.3, 0.1), "1_b")])
def test_of_a_sweep_the_best_job_is_named(tmp_path: Path, losses, named: str) -> None:
    (tmp_path / "multirun.yaml").touch()
    for name, loss in zip(("0_a", "1_b"), losses, strict=True):
        add_run(tmp_path / name, hours={}, loss=loss)
    add_run(tmp_path / "2_stopped", hours={"checkpoints/last.ckpt": 9})
    with pytest.raises(FileNotFoundError) as caught:
        find_run("run", str(tmp_path))
    assert str(caught.value).endswith(f"; the best job of that sweep is {tmp_path}/{named}")


def test_a_folder_without_runs_names_none(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        find_run("run", str(tmp_path))
    assert str(caught.value).endswith(f"got run={tmp_path}")
