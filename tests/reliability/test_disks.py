"""Disks that are full or must not be written: one sentence, and what was saved before is whole."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import Command, run_quickly

from nnlab.checkpoints import read_checkpoint

SHORT = ["data=penguins", "scheduler=constant", "trainer.max_epochs=2", "model.hidden_sizes=[8]"]
SHORT += ["callbacks.early_stopping=null", "checkpoint_every_s=0"]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of two megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if not sys.platform.startswith("linux"):
        pytest.skip("small disks are made on Linux")
    mounted = mount("-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder))
    if mounted.returncode:
        pytest.skip(f"a disk cannot be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["/bin/umount", "--lazy", str(folder)], check=True)


def mount(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["/bin/mount", *words], capture_output=True, text=True, check=False)


def fill(disk: Path, leave: int) -> None:
    """Leave so many bytes."""
    with (disk / "filling").open("wb", buffering=0) as file:
        try:
            while file.write(b"x" * 4096):
                pass
        except OSError:
            file.truncate(file.tell() // 4096 * 4096 - leave)


def make_read_only(disk: Path) -> None:
    assert mount("-o", "remount,ro", str(disk)).returncode == 0


def checkpoints(run_dir: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (run_dir / "checkpoints").iterdir()}


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda disk: fill(disk, 0), "No space left on device"),
        (lambda disk: fill(disk, 20480), "No space left on device"),
        (make_read_only, "Read-only file system"),
    ],
    ids=["full", "nearly full", "read-only"],
)
def test_a_run_on_a_disk_that_cannot_be_written_ends_with_a_sentence(
    disk: Path, spoil: Callable[[Path], None], reason: str
) -> None:
    run_quickly(disk, "train.py", *SHORT)
    (run_dir,) = disk.glob("outputs/*/*")
    before = checkpoints(run_dir)
    spoil(disk)
    words = ["train.py", f"resume={run_dir}", "trainer.max_epochs=40"]
    process = run_quickly(disk, *words, succeed=False)
    assert process.returncode == 1
    (line,) = process.stderr.splitlines()
    assert line.startswith("error: ")
    assert reason in line
    assert str(disk) in line
    assert before.keys() == checkpoints(run_dir).keys()
    for name in before:
        assert read_checkpoint(run_dir / "checkpoints" / name)


def test_a_run_does_not_begin_on_a_disk_that_cannot_be_written(disk: Path) -> None:
    fill(disk, 0)
    process = run_quickly(disk, "train.py", *SHORT, succeed=False)
    assert process.returncode == 1
    (line,) = process.stderr.splitlines()
    assert ".hydra/config.yaml must be written, but cannot be (No space left on device)" in line
    (disk / "filling").unlink()
    make_read_only(disk)
    process = run_quickly(disk, "train.py", *SHORT, succeed=False)
    (line,) = process.stderr.splitlines()
    assert "output_dir must be a folder that can be written, got output_dir=outputs" in line


def test_predictions_on_a_full_disk_are_not_there_by_half(
    digits_run, disk: Path, quick_command: Command
) -> None:
    fill(disk, 4096)
    table = Path(__file__).parents[2] / "src/nnlab/data/embedded/digits/images-idx3-ubyte.gz"
    words = [f"run={digits_run[0]}", f"input={table}", f"output={disk}/out.csv"]
    process = quick_command("predict.py", *words, succeed=False)
    assert process.returncode == 1
    (line,) = process.stderr.splitlines()
    assert f"{disk}/out.csv must be written, but cannot be (No space left on device" in line
    assert [path.name for path in disk.iterdir()] == ["filling"]


def test_a_log_that_cannot_be_opened_is_told_of_in_a_sentence(
    tmp_path: Path, quick_command: Command
) -> None:
    quick_command("train.py", *SHORT)
    (run_dir,) = tmp_path.glob("outputs/*/*")
    (run_dir / "train.log").unlink()
    (run_dir / "train.log").mkdir()
    words = ["train.py", f"resume={run_dir}", "trainer.max_epochs=4"]
    process = quick_command(*words, succeed=False)
    assert process.returncode == 1
    (line,) = process.stderr.splitlines()
    said = f"error: {run_dir}/train.log must be written, but cannot be (Is a directory)"
    assert line.startswith(said)
