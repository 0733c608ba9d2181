"""TensorBoard curves of a run that goes on, and some that cannot be written."""

import re
import shutil
import time
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.custom_scalar.layout_pb2 import Layout

from nnlab.loggers import CurvesLogger


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


def draw(logger: CurvesLogger, epochs: range, steps_per_epoch: int) -> None:
    """As a run does."""
    for epoch in epochs:
        first = epoch * steps_per_epoch
        for step in range(first, first + steps_per_epoch):
            logger.log_metrics({"lr": 0.5 * step}, step)
        metrics = {"val/loss": 1 / (epoch + 1), "epoch": epoch}
        logger.log_metrics(metrics, first + steps_per_epoch - 1)
    logger.save()


def read(folder: Path) -> dict[str, list[tuple[int, float]]]:
    events = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    events.Reload()
    tags = events.Tags()["scalars"]
    return {tag: [(point.step, point.value) for point in events.Scalars(tag)] for tag in tags}


@pytest.mark.parametrize("steps_per_epoch", [1, 3])
def test_no_point_is_drawn_twice_by_a_run_that_goes_on(
    tmp_path: Path, steps_per_epoch: int
) -> None:
    draw(CurvesLogger(save_dir=tmp_path / "whole"), range(9), steps_per_epoch)
    # Its checkpoints were of 3 and of 5 epochs, and it was killed 2 epochs later, and 1.
    for begin, end in ((0, 5), (3, 6), (5, 9)):
        logger = CurvesLogger(save_dir=tmp_path / "killed")
        logger.go_on(steps=begin * steps_per_epoch, epochs=begin)
        draw(logger, range(begin, end), steps_per_epoch)
        (path,) = (tmp_path / "killed").iterdir()
        if end < 9:
            with path.open("ab") as file:
                file.write(b"half an event")
    assert read(tmp_path / "killed") == read(tmp_path / "whole")
    assert set(read(tmp_path / "killed")) == {"lr", "val/loss", "epoch/val/loss"}


def test_curves_are_whole_though_a_process_is_killed_while_it_writes_them_again(
    tmp_path: Path,
) -> None:
    draw(CurvesLogger(save_dir=tmp_path / "whole"), range(6), 2)
    folder = tmp_path / "killed"
    draw(CurvesLogger(save_dir=folder), range(5), 2)
    (first,) = folder.iterdir()
    content = first.read_bytes()
    CurvesLogger(save_dir=folder).go_on(steps=8, epochs=4)
    (second,) = folder.iterdir()
    half = second.read_bytes()
    second.write_bytes(half[: len(half) // 2])
    first.write_bytes(content)
    logger = CurvesLogger(save_dir=folder)
    logger.go_on(steps=8, epochs=4)
    draw(logger, range(4, 6), 2)
    assert read(folder) == read(tmp_path / "whole")


@pytest.mark.parametrize("end", ["save", "finalize"])
def test_points_of_a_moment_wait_for_the_next_and_keep_their_own(tmp_path: Path, end: str) -> None:
    logger = CurvesLogger(save_dir=tmp_path)
    began = time.time()
    for step in range(5):
        logger.log_metrics({"val/loss": float(step)}, step)
    time.sleep(0.3)
    ended = time.time() - 0.2
    getattr(logger, end)(*(["success"] if end == "finalize" else []))
    events = EventAccumulator(str(tmp_path)).Reload()
    points = events.Scalars("val/loss")
    assert [(point.step, point.value) for point in points] == [(n, float(n)) for n in range(5)]
    assert all(began <= point.wall_time <= ended for point in points)


def test_points_of_one_step_are_all_kept_by_a_run_that_goes_on(tmp_path: Path) -> None:
    logger = CurvesLogger(save_dir=tmp_path)
    for loss in (3.0, 2.0, 1.0):  # as of several validations in an epoch
        logger.log_metrics({"val/loss": loss, "epoch": 0}, step=4)
    logger.save()
    before = read(tmp_path)
    assert before["epoch/val/loss"] == [(1, 3.0), (1, 2.0), (1, 1.0)]
    CurvesLogger(save_dir=tmp_path).go_on(steps=9, epochs=1)
    assert read(tmp_path) == before


def test_what_is_logged_at_each_step_is_not_drawn_by_epoch(tmp_path: Path) -> None:
    logger = CurvesLogger(save_dir=tmp_path)
    logger.log_metrics({"mine/loss_step": 1.0, "mine/loss_epoch": 2.0, "epoch": 0}, step=0)
    logger.save()
    assert set(read(tmp_path)) == {"mine/loss_step", "mine/loss_epoch", "epoch/mine/loss_epoch"}


def test_points_are_written_in_the_order_of_their_steps(tmp_path: Path) -> None:
    logger = CurvesLogger(save_dir=tmp_path)
    logger.save()
    logger.log_metrics({"val/loss": 0.5, "epoch": 0}, step=2)
    for step in range(3):  # which wait for the epoch's end
        logger.log_metrics({"lr": float(step)}, step)
    logger.save()
    assert read(tmp_path)["lr"] == [(0, 0.0), (1, 1.0), (2, 2.0)]


def test_training_and_validation_share_a_chart_also_once_a_run_goes_on(tmp_path: Path) -> None:
    def log(epoch: int) -> CurvesLogger:
        logger = CurvesLogger(save_dir=tmp_path)
        logger.go_on(steps=epoch, epochs=epoch)
        logger.log_metrics({"val/loss": 1.0, "val/accuracy": 0.5, "epoch": epoch}, epoch)
        logger.log_metrics({"train/loss": 1.0, "train/penalty": 0.1, "epoch": epoch}, epoch)
        logger.log_metrics({"accuracy": 1.0, "epoch": epoch}, epoch)
        logger.log_metrics({"train/top(5)": 1.0, "val/top(5)": 1.0, "epoch": epoch}, epoch)
        logger.save()
        return logger

    log(0)
    log(1).save()
    CurvesLogger(save_dir=tmp_path).go_on(steps=2, epochs=2)  # and trains no further
    (event,) = EventAccumulator(str(tmp_path)).Reload().Tensors("custom_scalars__config__")
    (category,) = Layout.FromString(event.tensor_proto.string_val[0]).category
    loss, own = category.chart
    assert (loss.title, own.title) == ("loss", "top(5)")
    assert list(loss.multiline.tag) == ["^epoch/train/loss$", "^epoch/val/loss$"]
    tags = read(tmp_path)
    for pattern in (*loss.multiline.tag, *own.multiline.tag):
        assert len([tag for tag in tags if re.match(pattern, tag)]) == 1
