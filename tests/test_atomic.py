"""Files that are whole or not there, and what is said when they cannot be."""

import os
import stat
from pathlib import Path

import pytest

from nnlab.atomic import replacing


def test_what_cannot_be_written_is_named_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "metrics.json"
    path.write_text("before")

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    said = rf"{path} must be written, but cannot be \(No space left on device\); .* make room"
    with pytest.raises(OSError, match=said), replacing(path) as file:
        file.write(b"after")
    assert [(file, file.read_text()) for file in tmp_path.iterdir()] == [(path, "before")]


def test_a_folder_that_is_not_there_is_told_of(tmp_path: Path) -> None:
    path = tmp_path / "gone" / "a.csv"
    said = rf"{path} must be written, but cannot be \(No such file or directory\)"
    with pytest.raises(OSError, match=said), replacing(path):
        pass


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
def test_neither_a_pipe_nor_a_link_is_replaced(tmp_path: Path) -> None:
    pipe, link, linked = tmp_path / "pipe", tmp_path / "link", tmp_path / "folder" / "linked"
    os.mkfifo(pipe)
    with pytest.raises(ValueError, match="a device or a pipe; name a file"), replacing(pipe):
        pass
    assert pipe.is_fifo()
    linked.parent.mkdir()
    linked.write_text("before")
    link.symlink_to(linked)
    with replacing(link) as file:
        file.write(b"after")
    assert link.is_symlink()
    assert linked.read_text() == "after"


def test_an_error_of_what_is_read_meanwhile_stays_what_it_is(tmp_path: Path) -> None:
    for error in (
        FileNotFoundError("there is no table"),
        OSError(5, "Input/output error"),  # as reading from a failing disk
        PermissionError(13, "Permission denied", "input.csv"),
    ):
        with pytest.raises(type(error)) as caught, replacing(tmp_path / "a.csv"):
            raise error
        assert caught.value is error
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no disk that is always full")
def test_a_disk_that_fills_up_while_writing_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    # What is written beside its place goes there.
    (tmp_path / f".a.csv.{os.getpid()}").symlink_to("/dev/full")
    said = rf"{path} must be written, but cannot be \(No space left on device\)"
    with pytest.raises(OSError, match=said), replacing(path) as file:
        file.write(b"x" * 2**20)
    assert not list(tmp_path.iterdir())


def test_a_file_is_on_the_disk_before_its_name_is_and_the_name_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, seen = tmp_path / "a.json", []
    fsync = os.fsync

    def watch(descriptor: int) -> None:
        what = "folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file"
        seen.append((what, path.exists()))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", watch)
    with replacing(path) as file:
        file.write(b"{}")
    assert seen == [("file", False), ("folder", True)]
