"""Checkpoints of a run that has moved."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from nnlab.callbacks import RunCheckpoint
from nnlab.checkpoint_files import CheckpointFiles


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
    files = CheckpointFiles(checkpoint_every_s=0, settings={})
    monkeypatch.setattr(files, "is_due", lambda: True)
    monkeypatch.setattr(files, "write", lambda: written.append("checkpoints"))
    logger = SimpleNamespace(save=lambda: written.append("curves"))
    trainer = SimpleNamespace(loggers=[logger], strategy=SimpleNamespace(checkpoint_io=files))
    checkpoint = RunCheckpoint(filename="last", monitor=None, mode="min")
    checkpoint.on_train_epoch_start(trainer, None)
    assert written == ["curves", "checkpoints"]
