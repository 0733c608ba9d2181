"""Tables and inputs on disk: the same as in memory, and nothing is left behind."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
import torch

from nnlab.data import memory, storage
from nnlab.data.memory import memory_bytes
from nnlab.data.storage import Storage, TableParts, read_ahead

FRAME = pl.DataFrame(
    {
        "number": [0.5, None, -1e308, float("inf")] * 25,
        "whole": [1, 2**62, None, -7] * 25,
        "text": ["a", "", None, "a longer text, beyond twelve bytes"] * 25,
        "word": pl.Series(["x", None, "y", "x"] * 25, dtype=pl.Enum(["x", "y"])),
        "list": [[1], [], None, [2, 3]] * 25,
    }
)


@pytest.fixture
def on_disk(tmp_path: Path, monkeypatch) -> Storage:
    monkeypatch.setenv("NNLAB_DATA", str(tmp_path))
    return Storage(memory_map=True, scratch=tmp_path / "scratch")


def anonymous_bytes() -> int:
    """The memory of this process that no file stands behind."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("RssAnon:")[1].split()[0]) * 1024


def test_a_table_on_disk_is_the_same_table_and_has_no_file_with_a_name(on_disk) -> None:
    mapped = on_disk.table(FRAME)
    assert mapped.equals(FRAME)
    assert mapped.schema == FRAME.schema
    assert list(on_disk.scratch.iterdir()) == []


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_a_table_and_inputs_on_disk_take_no_memory(on_disk) -> None:
    frame = pl.DataFrame({"x": torch.arange(2_000_000).double().numpy()})
    on_disk.table(frame[:10])  # imports what it needs
    before = anonymous_bytes()
    mapped = on_disk.table(frame)
    assert mapped["x"].sum() == frame["x"].sum()
    (inputs,) = on_disk.inputs([1_000_000], 4)
    assert inputs.fill_(1).sum() == 4_000_000
    assert anonymous_bytes() - before < 8e6  # of 32 MB


def test_parts_become_one_table_wherever_they_lie(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(storage, "_FILE_BYTES", 3000)
    for memory_map in (True, False):
        parts = TableParts(Storage(memory_map=memory_map, scratch=tmp_path))
        first = FRAME.with_columns(pl.col("word").cast(pl.String).cast(pl.Enum(["x", "y", "z"])))
        for start in range(0, 100, 10):
            parts.add((FRAME if start < 50 else first)[start : start + 10])
        types = {"word": pl.Enum(["x", "y", "z"])}
        assert parts.join(types).equals(first)


def test_a_table_is_in_memory_up_to_the_limit(on_disk, caplog) -> None:
    caplog.set_level(logging.INFO)
    on_disk.limit = 1.5 * FRAME.estimated_size()
    parts = TableParts(on_disk)
    parts.add(FRAME)
    assert not on_disk.scratch.exists()
    assert caplog.messages == []
    parts.add(FRAME)
    assert on_disk.scratch.exists()
    assert parts.join({}).equals(pl.concat([FRAME, FRAME]))
    (message,) = caplog.messages
    assert "the table goes to disk" in message
    assert str(on_disk.scratch) in message


def test_rows_are_filtered_wherever_they_lie(on_disk, monkeypatch) -> None:
    monkeypatch.setattr(storage, "_FILE_BYTES", FRAME.estimated_size() / 3)
    keep = FRAME["number"].is_not_null()
    assert on_disk.filter(on_disk.table(FRAME), keep).equals(FRAME.filter(keep))
    assert Storage(memory_map=False, scratch=on_disk.scratch).filter(FRAME, keep).height == 75


def test_inputs_on_disk_can_be_written_and_read(on_disk) -> None:
    empty, inputs = on_disk.inputs([0, 5], 3)
    assert empty.shape == (0, 3)
    inputs.copy_(torch.arange(15.0).view(5, 3))
    assert inputs[4].tolist() == [12, 13, 14]
    assert inputs.dtype == torch.float32


def test_any_rows_can_be_read_ahead_wherever_they_lie(on_disk) -> None:
    (inputs,) = on_disk.inputs([5000], 7)
    inputs.copy_(torch.arange(35_000.0).view(5000, 7))
    for rows in (inputs, inputs[:1], inputs[4999:], inputs[1234:4321], torch.zeros(3)):
        before = rows.clone()
        read_ahead(rows)
        assert torch.equal(rows, before)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    broken = Storage(memory_map=True, scratch=tmp_path / "file" / "folder")
    for use in (lambda: broken.table(FRAME), lambda: broken.inputs([5], 3)):
        with pytest.raises(OSError, match=r"data\.scratch must be a folder with room for") as error:
            use()
        assert str(broken.scratch) in str(error.value)
        assert "data.scratch=FOLDER" in str(error.value)


def test_a_folder_is_made_in_the_cache_alone(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("NNLAB_DATA", str(tmp_path / "cache"))
    elsewhere = Storage(memory_map=True, scratch=tmp_path / "elsewhere")
    with pytest.raises(OSError, match="No such file or directory"):
        elsewhere.table(FRAME)
    assert list(tmp_path.iterdir()) == []
    in_cache = Storage(memory_map=True, scratch=tmp_path / "cache" / "nnlab")
    assert in_cache.table(FRAME).equals(FRAME)


def test_without_pyarrow_the_way_out_is_said(on_disk, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ValueError, match=r"pip install 'nnlab\[large\]'"):
        on_disk.table(FRAME)


def test_the_limit_is_a_quarter_of_the_memory(tmp_path: Path) -> None:
    assert Storage(memory_map=None, scratch=tmp_path).limit == memory_bytes() / 4
    assert 2**28 < memory_bytes() < 2**50


@pytest.mark.skipif(
    not os.access("/sys/fs/cgroup/memory/cgroup.procs", os.W_OK),
    reason="needs the right to make a control group",
)
def test_the_memory_of_a_container_counts() -> None:
    group = Path("/sys/fs/cgroup/memory/nnlab_test")
    group.mkdir()
    try:
        (group / "memory.limit_in_bytes").write_text(str(2**30))
        program = (
            f"import os, runpy; open('{group}/cgroup.procs', 'w').write(str(os.getpid())); "
            f"print(runpy.run_path('{memory.__file__}')['memory_bytes']())"
        )
        command = [sys.executable, "-c", program]
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert float(printed) == 2**30
    finally:
        group.rmdir()
