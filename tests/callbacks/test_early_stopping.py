"""A run that has stopped stays stopped."""

import json
from pathlib import Path

import torch
from conftest import Command


def test_a_run_that_stopped_early_and_was_killed_then_trains_no_further(
    quick_command: Command, tmp_path: Path
) -> None:
    settings = ["data=penguins", "scheduler=constant", "optimizer.lr=0.3"]
    quick_command("train.py", *settings, "callbacks.early_stopping.patience=1")
    (run_dir,) = (tmp_path / "outputs" / "penguins").iterdir()
    metrics = run_dir / "metrics.json"
    whole, last = json.loads(metrics.read_text()), run_dir / "checkpoints" / "last.ckpt"
    assert whole["epochs"] < whole["max_epochs"]
    weights = torch.load(last, weights_only=True)["state_dict"]
    metrics.unlink()
    quick_command("train.py", f"resume={run_dir}")
    resumed = json.loads(metrics.read_text())
    for key in ("epochs", "best_epoch", "val", "test"):
        assert resumed[key] == whole[key]
    again = torch.load(last, weights_only=True)["state_dict"]
    assert all(torch.equal(again[name], weights[name]) for name in weights)

    # Nor would it have with more epochs, had it had them from the beginning.
    quick_command("train.py", f"resume={run_dir}", "trainer.max_epochs=500")
    assert json.loads(metrics.read_text())["epochs"] == whole["epochs"]


def test_without_patience_a_run_has_a_first_epoch(quick_command: Command, tmp_path: Path) -> None:
    settings = ("data=penguins", "optimizer.lr=0.3", "callbacks.early_stopping.patience=0")
    quick_command("train.py", *settings)
    (path,) = (tmp_path / "outputs" / "penguins").glob("*/metrics.json")
    assert json.loads(path.read_text())["epochs"] >= 1


def test_a_run_that_stopped_in_its_first_epoch_trains_no_further(
    quick_command: Command, tmp_path: Path
) -> None:
    threshold = "+callbacks.early_stopping.stopping_threshold=100"
    quick_command("train.py", "data=penguins", "scheduler=constant", threshold)
    (path,) = (tmp_path / "outputs" / "penguins").glob("*/metrics.json")
    path.unlink()
    quick_command("train.py", f"resume={path.parent}")
    assert json.loads(path.read_text())["epochs"] == 1
