"""When a run's checkpoints are taken and written, and what they remember after a move."""

import signal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from conftest import Command
from lightning.pytorch import Trainer
from runs import results, same, weights

from nnlab.callbacks import RunCheckpoint, StepCurves
from nnlab.checkpoint_files import CheckpointFiles
from nnlab.checkpoints import read_checkpoint


def test_the_best_is_remembered_after_a_move(tmp_path: Path) -> None:
    checkpoint = RunCheckpoint(filename="best", monitor="val/loss", mode="min")
    checkpoint.dirpath = str(tmp_path / "here")
    old = "/somewhere/else/checkpoints"
    score = torch.tensor(0.25)
    checkpoint.load_state_dict(
        {
            "dirpath": old,
            "best_model_score": score,
            "best_model_path": f"{old}/best.ckpt",
            "best_k_models": {f"{old}/best.ckpt": score},
            "kth_best_model_path": f"{old}/best.ckpt",
            "kth_value": score,
            "last_model_path": "",
        }
    )
    here = str(tmp_path / "here" / "best.ckpt")
    assert checkpoint.best_model_path == checkpoint.kth_best_model_path == here
    assert checkpoint.best_k_models == {here: score}
    assert checkpoint.best_model_score == pytest.approx(0.25)
    assert checkpoint.last_model_path == ""


def test_the_curves_up_to_a_checkpoint_are_written_before_it(monkeypatch) -> None:
    written = []
    files = CheckpointFiles(checkpoint_every_s=0, settings={}, folder=Path("run"))
    monkeypatch.setattr(files, "is_due", lambda: True)
    monkeypatch.setattr(files, "write", lambda: written.append("checkpoints"))
    logger = SimpleNamespace(save=lambda: written.append("curves"))
    trainer = SimpleNamespace(loggers=[logger], strategy=SimpleNamespace(checkpoint_io=files))
    checkpoint = RunCheckpoint(filename="last", monitor=None, mode="min")
    checkpoint.on_train_epoch_start(trainer, None)
    assert written == ["curves", "checkpoints"]


@pytest.mark.parametrize(
    ("often", "epoch"),
    [
        ("val_check_interval=0.5", 1),
        ("check_val_every_n_epoch=2", 1),
        ("check_val_every_n_epoch=2", 3),
    ],
)
def test_the_last_checkpoint_is_of_an_epoch_s_end_however_often_is_validated(
    quick_command: Command, tmp_path: Path, monkeypatch, often: str, epoch: int
) -> None:
    settings = ["data=penguins", "model.dropout=0.3", f"+trainer.{often}", "trainer.max_epochs=5"]
    settings.append("checkpoint_every_s=0")
    quick_command("train.py", *settings, "name=whole")
    keep = StepCurves.on_train_batch_end

    def stop_within(self: StepCurves, trainer: Trainer, *arguments: Any) -> None:
        keep(self, trainer, *arguments)
        if trainer.current_epoch == epoch and arguments[-1] == 5:
            raise KeyboardInterrupt

    monkeypatch.setattr(StepCurves, "on_train_batch_end", stop_within)
    quick_command("train.py", *settings, "steps_per_block=1", "name=stopped", succeed=False)
    monkeypatch.undo()
    (whole,), (stopped,) = ((tmp_path / "outputs" / n).iterdir() for n in ("whole", "stopped"))
    assert read_checkpoint(stopped / "checkpoints" / "last.ckpt")["global_step"] == epoch * 7
    quick_command("train.py", f"resume={stopped}")
    for name in ("last", "best"):
        assert same(weights(stopped, name), weights(whole, name))
    assert results(stopped)["test"] == results(whole)["test"]
    assert read_checkpoint(whole / "checkpoints" / "last.ckpt")["epoch"] == 4


def test_who_cannot_wait_for_the_last_checkpoint_ends_the_process_at_once() -> None:
    checkpoint = RunCheckpoint(filename="last", monitor=None, mode="min")
    trainer: Any = SimpleNamespace(strategy=SimpleNamespace(checkpoint_io=None))
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        checkpoint.on_exception(trainer, None, KeyboardInterrupt())
        assert [signal.getsignal(number) for number in numbers] == [signal.SIG_DFL] * 2
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
