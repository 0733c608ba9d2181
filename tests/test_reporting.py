"""What a person reads at the end of a run."""

import logging
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from nnlab.reporting import _format_columns, _warn_of_model, report_finished, report_interrupted


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
    ("counts", "smoothing", "weights", "inputs", "said"),
    [
        ([95, 5], 0.1, None, 3, None),
        (
            *([97, 3], 0.1, None, 3),
            r"class '1' is 0\.03 of .* model\.label_smoothing=0\.1 .* to 0\.05 and",
        ),
        ([97, 3], 0.0, None, 3, None),
        ([90, 10], 0.0, [0.5, 5.0], 3, r"class '1' is 0\.1 of .* lets it count as 0\.53 of them"),
        ([50, 30, 20], 0.0, [1.0, 50.0, 1.0], 3, r"class '1' is 0\.3 of .* count as 0\.96 of them"),
        ([60, 40], 0.0, [0.8, 1.2], 3, None),
        ([], 0.1, None, 101, r"more inputs \(101\) than training rows \(100\)"),
        ([], 0.1, None, 100, None),
    ],
)
def test_what_a_network_can_learn_little_from_is_told(
    counts, smoothing, weights, inputs, said
) -> None:
    spec = SimpleNamespace(
        in_features=inputs,
        input_shape=[inputs],
        class_names=[str(i) for i in range(len(counts))],
        class_counts=counts,
    )
    weights = None if weights is None else torch.tensor(weights)
    objective = SimpleNamespace(label_smoothing=smoothing, class_weights=weights)
    module = SimpleNamespace(spec=spec, objective=objective)
    warnings = list(_warn_of_model(module, 100))
    assert len(warnings) == (said is not None)
    assert said is None or re.search(said, warnings[0])


@pytest.mark.parametrize(
    ("predicted", "accuracy", "told"),
    [
        (1, 0.7, "if the others matter, try model.class_weights=balanced"),
        (1, 0.26, "has learned nothing: try a lower or higher optimizer.lr"),
        (2, 0.5, None),
        (1, 1.0, None),
    ],
)
def test_a_network_that_knows_one_class_is_told_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, predicted, accuracy, told
) -> None:
    results = {
        "val": {"loss": 1.0},
        "test": {"loss": 2.0, "accuracy": accuracy, "recall": 1 / 4},
        "test_classes_predicted": predicted,
        **{"best_epoch": 1, "epochs": 1},
    }
    report_finished(results, tmp_path)
    said = "every test row is predicted to be of one class"
    assert (said in caplog.text) == (told is not None)
    assert told is None or told in caplog.text


@pytest.mark.parametrize("r2", [-0.6, 0.0])
def test_a_network_that_is_worse_than_the_mean_is_told_of(tmp_path: Path, caplog, r2) -> None:
    metrics = {"loss": 1.0, "r2": r2}
    report_finished({"val": metrics, "test": metrics, "best_epoch": 1, "epochs": 1}, tmp_path)
    assert ("r2 of the test rows is below 0" in caplog.text) == (r2 < 0)
    assert "means over the classes" not in caplog.text


def test_metrics_that_are_means_over_classes_are_said_to_be(tmp_path: Path, caplog) -> None:
    caplog.set_level(logging.INFO)
    metrics = {"loss": 0.1, "accuracy": 0.99, "precision": 0.5, "recall": 0.5, "f1": 0.5}
    report_finished({"val": metrics, "test": metrics, "best_epoch": 1, "epochs": 1}, tmp_path)
    assert "precision, recall and f1 are means over the classes" in caplog.text


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
