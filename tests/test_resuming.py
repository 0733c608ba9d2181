"""What a run has behind it."""

from pathlib import Path

import pytest

from nnlab.checkpoints import write_checkpoint
from nnlab.resuming import find_saved_state


@pytest.mark.parametrize(
    ("settings", "is_whole"), [({"seed": 0}, True), (None, True), ("x", False), ([1], False)]
)
def test_a_checkpoint_tells_the_settings_of_its_run_or_nothing(
    tmp_path: Path, settings, is_whole: bool
) -> None:
    content = {
        "epoch": 2,
        "hyper_parameters": {},
        "state_dict": {},
        "environment": {"threads": 1, "device": "cpu", "versions": {}},
        "settings": settings,
    }
    (tmp_path / "checkpoints").mkdir()
    for name in ("best", "last"):
        write_checkpoint(content, tmp_path / "checkpoints" / f"{name}.ckpt")
    if is_whole:
        saved = find_saved_state(tmp_path)
        assert saved is not None
        assert saved.settings == settings
    else:
        with pytest.raises(ValueError, match="must be a checkpoint of a training run"):
            find_saved_state(tmp_path)
