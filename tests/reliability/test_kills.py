"""Nothing is lost: a run that is killed at random moments ends as one that was left alone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

STRIKING = Path(__file__).with_name("striking.py")
COMMON = ["model.dropout=0.3"]
EACH_EPOCH = ["checkpoint_every_s=0", "callbacks.early_stopping=null"]
TABLE = ["data=penguins", "model.hidden_sizes=[32]", "trainer.max_epochs=40"]
IMAGES = ["data=digits", "trainer.max_epochs=8"]
MAPPED = ["data=csv", "data.memory_map=true", "model.hidden_sizes=[32]", "trainer.max_epochs=30"]
# What is held in memory between two writes is lost, and the run ends before its last epoch.
IN_TIME = ["checkpoint_every_s=0.2", "callbacks.early_stopping.patience=4"]
TWO_PROCESSES = ["trainer=ddp", "trainer.accelerator=cpu"]

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def strike(folder: Path, strikes: int, *settings: str) -> list[str]:
    """What was struck."""
    process = subprocess.run(
        [sys.executable, str(STRIKING), str(folder), str(strikes), "0", *COMMON, *settings],
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return process.stdout.split()


@pytest.mark.parametrize(
    "settings",
    [
        [*TABLE, *IN_TIME, "scheduler=one_cycle"],
        [*IMAGES, *EACH_EPOCH, "scheduler=plateau", "scheduler.patience=0"],
    ],
    ids=["table", "images"],
)
def test_a_run_that_is_killed_thrice_ends_as_one_that_was_not(tmp_path: Path, settings) -> None:
    assert len(strike(tmp_path, 3, *settings)) == 3


@pytest.mark.kills
def test_two_processes_that_are_killed_together_end_as_two_that_were_not(tmp_path: Path) -> None:
    longer = "trainer.max_epochs=300"  # most of the time should be training, not its start
    struck = strike(tmp_path, 20, *TABLE, *EACH_EPOCH, *TWO_PROCESSES, longer)
    assert len(struck) == 20
    print({word: struck.count(word) for word in sorted(set(struck))})


@pytest.mark.kills
@pytest.mark.parametrize("often", ["val_check_interval=0.5", "check_val_every_n_epoch=3"])
def test_a_run_that_is_validated_within_or_between_epochs_ends_the_same(
    tmp_path: Path, often: str
) -> None:
    assert len(strike(tmp_path, 20, *TABLE, *EACH_EPOCH, f"+trainer.{often}")) == 20


@pytest.mark.kills
@pytest.mark.parametrize("scheduler", ["constant", "cosine", "one_cycle", "plateau"])
@pytest.mark.parametrize(
    "settings",
    [
        [*TABLE, *EACH_EPOCH],
        [*TABLE, *IN_TIME],
        [*IMAGES, *EACH_EPOCH],
        [*IMAGES, *EACH_EPOCH, "steps_per_block=1"],
        [*MAPPED, *EACH_EPOCH],
    ],
    ids=["table", "in_time", "images", "plain", "mapped"],
)
def test_a_run_that_is_killed_fifty_times_ends_as_one_that_was_not(
    tmp_path: Path, settings, scheduler
) -> None:
    rows = [f"{i % 17},{(i * i) % 23},{i % 5}" for i in range(600)]
    (tmp_path / "table.csv").write_text("a,b,y\n" + "\n".join(rows))
    table = ["data.path=table.csv", "data.target=y", f"data.scratch={tmp_path}"]
    words = [*settings, *(table if "data=csv" in settings else []), f"scheduler={scheduler}"]
    struck = strike(tmp_path, 50, *words)
    assert len(struck) == 50
    print(scheduler, {word: struck.count(word) for word in sorted(set(struck))})
