"""Going on with a run: one process at a time."""

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Command

from nnlab.checkpoints import write_checkpoint
from nnlab.resuming import alone_in, find_saved_state

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot lock a folder")


def test_a_second_process_in_a_run_directory_is_refused(tmp_path: Path) -> None:
    said = f"one process at a time may train in {tmp_path}"
    with alone_in(tmp_path), pytest.raises(ValueError, match=said), alone_in(tmp_path):
        pass
    with alone_in(tmp_path):  # free again
        pass


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


def test_a_run_that_goes_on_elsewhere_is_not_resumed(digits_run, quick_command: Command) -> None:
    run_dir, _ = digits_run
    with alone_in(run_dir):
        process = quick_command("train.py", f"resume={run_dir}", succeed=False)
    assert process.returncode == 1
    (line,) = process.stderr.splitlines()
    assert line.startswith("error: one process at a time may train in ")
