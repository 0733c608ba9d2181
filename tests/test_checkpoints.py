"""Checkpoints: whole or not there, and noticed when a byte has changed."""

import hashlib
import os
import pickle
import random
import shutil
import time
import zipfile
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
import torch

from nnlab.checkpoint_files import CheckpointFiles
from nnlab.checkpoints import previous, read_checkpoint, require_plain, write_checkpoint
from nnlab.models import SupervisedModule

CONTENT = {
    "epoch": 3,
    "hyper_parameters": {"hidden_sizes": [4], "activation": "relu"},
    "state_dict": {"weight": torch.arange(50.0), "steps": torch.tensor(7)},
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "checkpoints").mkdir()
    write_checkpoint(CONTENT, tmp_path / "checkpoints" / "best.ckpt")
    return tmp_path / "checkpoints" / "best.ckpt"


def test_what_was_written_is_read(path: Path) -> None:
    read = read_checkpoint(path)
    assert read["hyper_parameters"] == CONTENT["hyper_parameters"]
    assert torch.equal(read["state_dict"]["weight"], CONTENT["state_dict"]["weight"])


@pytest.mark.parametrize("state", [np.float64(1.5), timedelta(1), lambda: None])
def test_what_could_not_be_read_again_is_refused_before_it_is_written(state: object) -> None:
    require_plain({**CONTENT, "callbacks": {"Mine": {"seen": [1, 2.5, None, torch.ones(2)]}}})
    with pytest.raises(ValueError, match="the state of the callback Mine is more"):
        require_plain({**CONTENT, "callbacks": {"Mine": {"best": state}}})


def test_torch_alone_reads_it_too(path: Path) -> None:
    assert torch.load(path, weights_only=True)["epoch"] == 3


def test_any_flipped_bit_is_noticed(path: Path) -> None:
    content = path.read_bytes()
    chance = random.Random(0)  # noqa: S311 it chooses bytes, no secrets
    ends = [0, 1, len(content) - 1, len(content) - 66, len(content) - 72, len(content) - 73]
    for place in [*ends, *(chance.randrange(len(content)) for _ in range(300))]:
        changed = bytearray(content)
        changed[place] ^= 1 << chance.randrange(8)
        path.write_bytes(changed)
        with pytest.raises(ValueError, match=r"best\.ckpt must be a checkpoint"):
            read_checkpoint(path)


def test_a_truncated_file_is_noticed(path: Path) -> None:
    content = path.read_bytes()
    for length in (0, 10, len(content) // 2, len(content) - 71, len(content) - 1):
        path.write_bytes(content[:length])
        with pytest.raises(ValueError, match=r"damaged|changed since"):
            read_checkpoint(path)


def test_a_file_without_a_digest_is_not_nnlabs(tmp_path: Path) -> None:
    torch.save(CONTENT, tmp_path / "other.ckpt")
    with pytest.raises(ValueError, match="as nnlab wrote it"):
        read_checkpoint(tmp_path / "other.ckpt")


def test_a_failed_write_leaves_the_old_checkpoint(path: Path, monkeypatch) -> None:
    before = path.read_bytes()

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="No space"):
        write_checkpoint({**CONTENT, "epoch": 4}, path)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["best.ckpt"]


def files_of_a_run(checkpoint_every_s: float, folder: Path = Path("run")) -> CheckpointFiles:
    return CheckpointFiles(
        checkpoint_every_s=checkpoint_every_s, settings={"seed": 3}, folder=folder
    )


def test_a_checkpoint_tells_the_settings_of_its_run(tmp_path: Path) -> None:
    path = tmp_path / "checkpoints" / "last.ckpt"
    files = files_of_a_run(0)
    files.save_checkpoint(CONTENT, path)
    files.write()
    assert read_checkpoint(path)["settings"] == {"seed": 3}


def test_the_last_checkpoint_holds_the_best_one_after_a_resume_too(tmp_path: Path) -> None:
    best, last = (tmp_path / "checkpoints" / f"{name}.ckpt" for name in ("best", "last"))
    files = files_of_a_run(0)
    files.save_checkpoint(CONTENT, best)
    for epoch in (4, 5):
        files.save_checkpoint({**CONTENT, "epoch": epoch}, last)
        files.write()
        read = read_checkpoint(last)
        assert (read["epoch"], read["best"]["epoch"]) == (epoch, CONTENT["epoch"])
        files = files_of_a_run(0)
        assert "best" not in files.load_checkpoint(last)


def test_what_would_be_too_old_at_the_next_epoch_is_written_at_this_one(
    tmp_path: Path, monkeypatch
) -> None:
    now = 0.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    path = tmp_path / "checkpoints" / "last.ckpt"
    files = files_of_a_run(30)
    written = []
    for epoch in range(10):  # of 12 seconds: two of them are in time, a third is not
        files.save_checkpoint({**CONTENT, "epoch": epoch}, path)
        if files.is_due():
            files.write()
        if read_checkpoint(path)["epoch"] == epoch:
            written.append(epoch)
        now += 12
    assert written == [0, 2, 4, 6, 8]


def test_a_checkpoint_is_held_as_it_was_until_writing_is_due(tmp_path: Path) -> None:
    path = tmp_path / "checkpoints" / "last.ckpt"
    files = files_of_a_run(3600)
    weight = torch.zeros(3)
    content = {**CONTENT, "state_dict": {"weight": weight}}
    files.save_checkpoint(content, path)
    assert files.is_due()  # the first is, at once
    files.write()
    weight += 1
    files.save_checkpoint({**content, "epoch": 4}, path)
    weight += 1
    assert not files.is_due()
    assert read_checkpoint(path)["epoch"] == 3
    files.write()
    read = read_checkpoint(path)
    assert read["epoch"] == 4
    assert read["state_dict"]["weight"].tolist() == [1, 1, 1]


def test_a_checkpoint_that_is_removed_before_it_was_written_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "checkpoints" / "best.ckpt"
    files = files_of_a_run(3600, tmp_path)
    for written in (True, False):
        files.save_checkpoint(CONTENT, path)
        if written:
            files.write()
        files.remove_checkpoint(path)
        files.write()
        assert not path.exists()


@pytest.mark.parametrize("name", ["mine/best.ckpt", "mine/deep/last.ckpt", "checkpoints/on.ckpt"])
def test_a_checkpoint_that_is_not_the_runs_own_is_written_at_once(
    tmp_path: Path, name: str
) -> None:
    files = files_of_a_run(3600, tmp_path)
    files.save_checkpoint(CONTENT, tmp_path / "checkpoints" / "last.ckpt")
    files.write()
    for epoch in (4, 5):
        files.save_checkpoint({**CONTENT, "epoch": epoch}, tmp_path / name)
        assert read_checkpoint(tmp_path / name)["epoch"] == epoch
    files.remove_checkpoint(tmp_path / name)
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize("name", ["..", ".", "data", "../best.ckpt", "data.csv"])
def test_nothing_but_a_checkpoint_is_removed(tmp_path: Path, name: str) -> None:
    for path in (tmp_path / "best.ckpt", tmp_path / "data.csv", tmp_path / "run" / "data.csv"):
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ValueError, match=r"must name a \.ckpt file of its run"):
        files_of_a_run(0, tmp_path / "run").remove_checkpoint(tmp_path / "run" / name)
    with pytest.raises(ValueError, match=r"must name a \.ckpt file of its run"):
        files_of_a_run(0, tmp_path / "run").remove_checkpoint(tmp_path / "best.ckpt")
    assert sorted(tmp_path.rglob("*")) == before


def test_every_checkpoint_is_written_where_no_time_is_to_be_lost(tmp_path: Path) -> None:
    path = tmp_path / "checkpoints" / "last.ckpt"
    files = files_of_a_run(0)
    for epoch in range(3):
        files.save_checkpoint({**CONTENT, "epoch": epoch}, path)
        assert files.is_due()
        files.write()
        assert read_checkpoint(path)["epoch"] == epoch


def test_the_best_is_on_disk_before_the_last_that_knows_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []
    monkeypatch.setattr(
        "nnlab.checkpoint_files.write_checkpoint",
        lambda content, path, keep: written.append(path.name),
    )
    files = files_of_a_run(3600)
    for name in ("last.ckpt", "best.ckpt", "last.ckpt"):
        files.save_checkpoint(CONTENT, tmp_path / "checkpoints" / name)
    files.write()
    assert written == ["best.ckpt", "last.ckpt"]


def test_the_last_before_is_kept_until_the_new_one_is_whole(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "run" / "checkpoints" / "last.ckpt"
    path.parent.parent.mkdir()
    files = files_of_a_run(0)
    for epoch in range(3):
        files.save_checkpoint({**CONTENT, "epoch": epoch}, path)
        files.write()
    assert [read_checkpoint(file)["epoch"] for file in (path, previous(path))] == [2, 1]

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    files.save_checkpoint({**CONTENT, "epoch": 3}, path)
    with pytest.raises(OSError, match=r"cannot be \(No space left on device\).*resume="):
        files.write()
    assert [read_checkpoint(file)["epoch"] for file in (path, previous(path))] == [2, 1]
    monkeypatch.undo()
    files.write()  # there is room again
    assert [read_checkpoint(file)["epoch"] for file in (path, previous(path))] == [3, 2]


def test_a_run_directory_that_is_gone_is_not_made_again(tmp_path: Path) -> None:
    path = tmp_path / "run" / "checkpoints" / "last.ckpt"
    path.parent.parent.mkdir()
    files = files_of_a_run(0)
    files.save_checkpoint(CONTENT, path)
    files.write()
    shutil.rmtree(path.parent.parent)
    files.save_checkpoint(CONTENT, path)
    with pytest.raises(FileNotFoundError, match="must stay where it is while the run goes on"):
        files.write()
    assert not path.parent.parent.exists()


class Payload:
    """What runs a command when it is unpickled."""

    def __reduce__(self):
        return os.system, ("touch executed",)


@pytest.mark.parametrize("place", ["hyper_parameters", "state_dict", "epoch"])
def test_no_environment_variable_lets_a_checkpoint_run_code(
    tmp_path: Path, monkeypatch, place: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    write_checkpoint({**CONTENT, place: Payload()}, tmp_path / "best.ckpt")  # with a right digest
    for path in ("best.ckpt", "nested.ckpt"):
        with pytest.raises(ValueError, match="must be a checkpoint of nnlab, but it"):
            read_checkpoint(tmp_path / path)
        with zipfile.ZipFile(tmp_path / "nested.ckpt", "w") as archive:
            archive.write(tmp_path / "best.ckpt", "../../best.ckpt")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best.ckpt", "nested.ckpt"]


def test_a_checkpoint_does_not_choose_what_makes_the_module(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    wishes = {"_instantiator": "os.system", "_class_path": "touch executed"}
    write_checkpoint({**CONTENT, "hyper_parameters": wishes}, tmp_path / "best.ckpt")
    with pytest.raises(ValueError, match="unexpected keyword argument '_instantiator'"):
        SupervisedModule.from_checkpoint(read_checkpoint(tmp_path / "best.ckpt"))
    assert not (tmp_path / "executed").exists()


def signed(archive: bytes) -> bytes:
    """As nnlab signs an archive, which anybody can do."""
    content = archive[:-2] + (71).to_bytes(2, "little")
    return content + b"sha256:" + hashlib.sha256(content).hexdigest().encode()


def test_a_small_file_does_not_become_a_large_one(path: Path) -> None:
    packed = path.with_name("packed.ckpt")
    with zipfile.ZipFile(path) as whole, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as out:
        for entry in whole.infolist():
            weights = entry.filename.endswith("data/0")
            out.writestr(entry.filename, bytes(10**8) if weights else whole.read(entry))
    packed.write_bytes(signed(packed.read_bytes()))
    with pytest.raises(ValueError, match=r"its \d+,\d{3} bytes would become 100,00\d,\d{3}"):
        read_checkpoint(packed)


def list_bomb() -> list:
    bomb: list = [0]
    for _ in range(40):
        bomb = [bomb, bomb]
    return bomb


def endless() -> list:
    bomb: list = []
    bomb.append(bomb)
    return bomb


@pytest.mark.parametrize(
    "content",
    [
        {"state_dict": {"weight": torch.zeros(1).expand(2**40)}},
        {"state_dict": dict.fromkeys(map(str, range(2_000)), torch.zeros(2_000))},
        {"state_dict": {"weight": torch.zeros(2**40, device="meta")}},
        {"state_dict": {"weight": torch.zeros(3).to_sparse()}},
        {"hyper_parameters": {"hidden_sizes": list_bomb()}},
        {"hyper_parameters": {"activation": ["x" * 10_000] * 10_000}},
        {"hyper_parameters": {"activation": {str(i): list_bomb() for i in range(3)}}},
        {"hyper_parameters": {"activation": endless()}},
    ],
)
def test_a_small_file_does_not_stand_for_a_large_content(tmp_path: Path, content: dict) -> None:
    write_checkpoint({**CONTENT, **content}, tmp_path / "best.ckpt")  # with a right digest
    assert (tmp_path / "best.ckpt").stat().st_size < 2**20
    began = time.process_time()
    with pytest.raises(ValueError, match="must be a checkpoint of nnlab, but"):
        read_checkpoint(tmp_path / "best.ckpt")
    assert time.process_time() - began < 1


def test_names_that_are_used_again_and_again_are_no_bomb(tmp_path: Path) -> None:
    names = [f"category {i}" for i in range(50_000)]
    tensors = {str(i): torch.zeros(1) for i in range(300)}
    content = {**CONTENT, "table": [names] * 5, "state_dict": tensors}
    write_checkpoint(content, tmp_path / "best.ckpt")
    assert read_checkpoint(tmp_path / "best.ckpt")["table"][4] == names


def test_nothing_is_unpickled_before_its_digest_is_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise AssertionError("it was unpickled")

    path = tmp_path / "best.ckpt"
    write_checkpoint(CONTENT, path)
    content = path.read_bytes()
    torch.save(CONTENT, tmp_path / "torch.ckpt")
    torch.save(CONTENT, tmp_path / "old.ckpt", _use_new_zipfile_serialization=False)
    old = (tmp_path / "old.ckpt").read_bytes()
    monkeypatch.setattr("torch.load", fail)
    for bytes_, said in [
        (content[:100] + b"?" + content[101:], "its bytes have changed since"),
        (content[:-71], "not as nnlab wrote it, with its SHA-256 at the end"),
        (content + b"more", "not as nnlab wrote it, with its SHA-256 at the end"),
        ((tmp_path / "torch.ckpt").read_bytes(), "not as nnlab wrote it, with its SHA-256"),
        (old, "it is a pickle, and opening one could run code"),
        (pickle.dumps(CONTENT), "it is a pickle, and opening one could run code"),
        (signed(old), "it is of another kind"),
        (signed(old + content[:-71]), "it is of another kind"),
        (b"not a checkpoint", "it is damaged or of another kind"),
        (b"", "it is damaged or of another kind"),
    ]:
        path.write_bytes(bytes_)
        with pytest.raises(ValueError, match=said):
            read_checkpoint(path)
