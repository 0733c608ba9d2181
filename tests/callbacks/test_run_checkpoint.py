"""Checkpoints of a run that has moved."""

from pathlib import Path

import pytest
import torch

from nnlab.callbacks import RunCheckpoint


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
