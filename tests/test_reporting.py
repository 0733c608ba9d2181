"""What a person reads at the end of a run."""

import logging
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch.nn import functional as F

from nnlab.models.metrics import compute_metrics
from nnlab.reporting import _format_columns, _warn_of_model, report_finished, report_interrupted
from nnlab.spec import DataSpec


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


def test_what_is_left_out_of_a_wide_table_is_named() -> None:
    columns = [[f"q{i}", "numeric", "", "5", "1 input"] for i in range(85)]
    columns += [["note", "left out", "", "90", "free text"], ["z", "numeric", "", "5", "1 input"]]
    text = _format_columns(columns)
    assert text.splitlines()[-2].split() == ["note", "left", "out", "90", "free", "text"]
    assert text.endswith("\nand 6 more: 6 numeric")
    assert "more" not in _format_columns(columns[:80])


@pytest.mark.parametrize(
    ("counts", "smoothing", "inputs", "said"),
    [
        ([95, 5], 0.1, 3, None),
        ([97, 3], 0.1, 3, r"class '1' is 0\.03 of .* model\.label_smoothing=0\.1 .* to 0\.05 and"),
        ([97, 3], 0.0, 3, None),
        ([], 0.1, 101, r"more inputs \(101\) than training rows \(100\)"),
        ([], 0.1, 100, None),
    ],
)
def test_what_a_network_can_learn_little_from_is_told(counts, smoothing, inputs, said) -> None:
    spec = SimpleNamespace(
        in_features=inputs,
        input_shape=[inputs],
        class_names=[str(i) for i in range(len(counts))],
        class_counts=counts,
    )
    module = SimpleNamespace(spec=spec, objective=SimpleNamespace(label_smoothing=smoothing))
    warnings = list(_warn_of_model(module, 100))
    assert len(warnings) == (said is not None)
    assert said is None or re.search(said, warnings[0])


@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize("learned", ["one", "all", "some"])
def test_a_network_that_knows_one_class_is_told_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, classes: int, learned: str
) -> None:
    chance = torch.Generator().manual_seed(classes)
    targets = torch.cat([torch.arange(classes), torch.zeros(300, dtype=torch.long)])
    outputs = {
        "one": torch.zeros(classes),
        "all": F.one_hot(targets).float() * 9,
        "some": torch.rand(len(targets), classes, generator=chance),
    }[learned] + torch.tensor([1e-3, *[0.0] * (classes - 1)])
    names = [str(i) for i in range(classes)]
    task = "binary" if classes == 2 else "multiclass"
    spec = DataSpec(
        task=task,
        input_shape=[1],
        numbers=1,
        category_sizes=[],
        class_names=names,
        class_counts=[1] * classes,
        target_mean=0.0,
        target_std=1.0,
    )
    outputs = outputs.expand(len(targets), -1)
    if classes == 2:
        outputs = outputs[:, 1:] - outputs[:, :1]
    metrics = compute_metrics(spec, outputs, targets)
    results = {"val": {"loss": 1.0}, "test": {"loss": 2.0, **metrics}, "best_epoch": 1, "epochs": 1}
    report_finished(results, tmp_path)
    assert ("every test row is predicted to be of one class" in caplog.text) == (learned == "one")


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
