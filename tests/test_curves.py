"""TensorBoard curves that cannot be written."""

import shutil
from pathlib import Path

import pytest

from nnlab.curves import CurvesLogger


@pytest.mark.parametrize("method", ["save", "finalize"])
def test_curves_that_cannot_be_written_are_told_of(tmp_path: Path, method: str) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    logger = CurvesLogger(save_dir=folder)
    logger.log_metrics({"val/loss": 1.0}, step=1)
    logger.save()
    shutil.rmtree(folder)
    logger.log_metrics({"val/loss": 0.5}, step=2)
    message = "curves must be written to .*run, but cannot be"
    with pytest.raises(OSError, match=message):
        getattr(logger, method)(*(["success"] if method == "finalize" else []))
