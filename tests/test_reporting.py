"""What a person reads at the end of a run."""

import logging
from pathlib import Path

import pytest

from nnlab.reporting import report_finished, report_interrupted


@pytest.mark.parametrize("is_there", [True, False])
def test_curves_are_spoken_of_where_there_are_some(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, is_there: bool
) -> None:
    if is_there:
        (tmp_path / "events.out.tfevents.1.here").touch()
    caplog.set_level(logging.INFO)
    results = {"val": {"loss": 1.0}, "test": {"loss": 2.0}, "best_epoch": 1, "epochs": 1}
    report_finished(results, tmp_path)
    assert f"run directory  {tmp_path}" in caplog.text
    assert ("tensorboard --logdir" in caplog.text) == is_there


def test_how_to_go_on_is_told_as_it_was_started(tmp_path, caplog, monkeypatch) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr("sys.argv", ["/venv/bin/nnlab"])
    report_interrupted(3, tmp_path)
    assert f"nnlab train resume={tmp_path}" in caplog.text


@pytest.mark.parametrize(("is_job", "end"), [(True, "saved of this job"), (False, "was saved")])
def test_a_job_that_saved_nothing_does_not_speak_for_its_sweep(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, is_job: bool, end: str
) -> None:
    caplog.set_level(logging.INFO)
    if is_job:
        (tmp_path / "multirun.yaml").touch()
    report_interrupted(0, tmp_path / "0_seed-0")
    assert caplog.messages[-1].endswith(end)


@pytest.mark.parametrize("early", [{"stopped_early_after": 7}, {}])
def test_an_early_stop_is_told(caplog: pytest.LogCaptureFixture, tmp_path: Path, early) -> None:
    caplog.set_level(logging.INFO)
    report_finished({"val": {}, "test": {}, "best_epoch": 2, "epochs": 9, **early}, tmp_path)
    assert ("stopped early  no better epoch in 7" in caplog.messages) == bool(early)
