"""Predicting: from the command and from Python, on files that are not like the training file."""

import contextlib
import csv
import io
import json
import os
import re
import shlex
import signal
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pandas
import polars as pl
import pytest
import torch
from conftest import run_quickly
from PIL import Image
from rich.progress import Progress
from runs import only_run

from nnlab import commands, load_run
from nnlab.checkpoints import read_checkpoint, write_checkpoint
from nnlab.config import build
from nnlab.data import TabularDataModule
from nnlab.data.idx import read_idx
from nnlab.prediction import _free_names
from nnlab.run_directory import load_config

SCRIPTS = Path(__file__).parents[1] / "scripts"
DIGITS = Path(__file__).parents[1] / "src" / "nnlab" / "data" / "embedded" / "digits"
QUICK = ["trainer.max_epochs=2", "model.hidden_sizes=[16]"]


def make_table(rows: int, seed: int) -> pl.DataFrame:
    generator = np.random.default_rng(seed)
    size = generator.normal(50, 20, rows).round(2)
    return pl.DataFrame(
        {
            "zip": [f"{code:05d}" for code in generator.choice([501, 1234, 90210], rows)],
            "size": pl.Series(
                np.where(generator.random(rows) < 0.1, np.nan, size), nan_to_null=True
            ),
            "color": generator.choice(["red", "green", "blue"], rows),
            "since": [f"2024-{m:02d}-{d:02d}" for m, d in generator.integers(1, 13, (rows, 2))],
            "price": (3 * size + generator.normal(0, 5, rows)).round(2),
            "sold": np.where(size > 50, "yes", "no"),
        }
    )


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A run directory for each kind of target, and one of digits."""
    folder = tmp_path_factory.mktemp("predicted")
    make_table(300, 0).write_csv(folder / "train.csv")
    found = {}
    for name, settings in {
        "regression": ["data=csv", "data.path=train.csv", "data.target=price", "data.drop=[sold]"],
        "binary": ["data=csv", "data.path=train.csv", "data.target=sold", "data.drop=[price]"],
        "multiclass": ["data=csv", "data.path=train.csv", "data.target=color"],
        "digits": ["data=digits"],
    }.items():
        run_quickly(folder, "train.py", *settings, f"name={name}", *QUICK)
        (found[name],) = (folder / "outputs" / name).iterdir()
    return found


def predict(quick_command, run: Path, *more: str, **kwargs):
    return quick_command(
        "predict.py", f"run={run}", "input=new.csv", "output=out/predictions.csv", *more, **kwargs
    )


def written(folder: Path, separator: str = ",") -> list[dict[str, str]]:
    with (folder / "out" / "predictions.csv").open(newline="") as file:
        return list(csv.DictReader(file, delimiter=separator))


@pytest.mark.parametrize("task", ["regression", "binary", "multiclass"])
def test_a_file_is_predicted_beside_its_own_columns(runs, quick_command, tmp_path, task) -> None:
    new = make_table(50, 1)
    new.write_csv(tmp_path / "new.csv")
    process = predict(quick_command, runs[task])
    rows = written(tmp_path)
    with (tmp_path / "new.csv").open(newline="") as file:
        original = list(csv.DictReader(file))
    assert [{name: row[name] for name in original[0]} for row in rows] == original
    assert "50 rows" in process.stdout
    expected = load_run(runs[task]).predict(new)
    assert [row["prediction"] for row in rows] == [str(v) for v in expected["prediction"]]
    if task != "regression":
        names = [name for name in rows[0] if name.startswith("probability_")]
        shares = np.array([[float(row[name]) for name in names] for row in rows])
        assert shares.sum(axis=1) == pytest.approx(1, abs=1e-6)
        guessed = [names[i].removeprefix("probability_") for i in shares.argmax(axis=1)]
        assert guessed == [row["prediction"] for row in rows]


def test_the_predictions_are_those_that_the_run_was_tested_with(runs) -> None:
    run = runs["regression"]
    path = run.parents[2] / "train.csv"
    cfg = load_config(run)
    cfg.data.path = str(path)
    table = pl.read_csv(path, schema_overrides={"zip": pl.String})
    rows = build(cfg.data, TabularDataModule).split.choose(table, path, None)["test"]
    table = table[rows.numpy()]
    predictions = load_run(run).predict(table)["prediction"].to_numpy()
    metrics = json.loads((run / "metrics.json").read_text())
    rmse = np.sqrt(np.mean((predictions - table["price"].to_numpy()) ** 2))
    assert rmse == pytest.approx(metrics["test"]["rmse"], rel=1e-5)


def test_the_order_of_columns_and_more_columns_change_nothing(
    runs, quick_command, tmp_path
) -> None:
    new = make_table(20, 2)
    new.write_csv(tmp_path / "new.csv")
    predict(quick_command, runs["regression"])
    before = [row["prediction"] for row in written(tmp_path)]
    turned = new.select(reversed(new.columns)).with_columns(pl.lit("x").alias("remark"))
    turned.drop("price").write_csv(tmp_path / "new.csv")
    process = predict(quick_command, runs["regression"])
    assert [row["prediction"] for row in written(tmp_path)] == before
    assert "ignored, because training had no such columns: remark" in process.stdout


def test_chunks_change_nothing(runs, quick_command, tmp_path, monkeypatch) -> None:
    make_table(100, 3).write_csv(tmp_path / "new.csv")
    predict(quick_command, runs["binary"])
    before = written(tmp_path)
    monkeypatch.setattr("nnlab.prediction._CHUNK", 7)
    predict(quick_command, runs["binary"])
    for old, new in zip(before, written(tmp_path), strict=True):
        assert float(new["probability_yes"]) == pytest.approx(
            float(old["probability_yes"]), abs=1e-6
        )
        assert new["prediction"] == old["prediction"]


def test_categories_of_decimal_commas_may_be_written_with_points_or_be_unseen(
    quick_command, tmp_path: Path
) -> None:
    rows = [f"{('1,5', '2,5', '3', '')[i % 4]};{i % 50};{i % 4 * 50 + i % 3}" for i in range(200)]
    (tmp_path / "grades.csv").write_text("\n".join(["grade;size;y", *rows]))
    settings = ["data=csv", "data.path=grades.csv", "data.target=y", 'data.decimal=","']
    quick_command("train.py", *settings, "data.columns.grade=categorical", *QUICK)
    predictor = load_run(only_run(tmp_path))
    grades = ["1,5", "1.5", "3", "3.0", "", "unknown", "4"]
    (tmp_path / "new.csv").write_text("\n".join(["grade;size", *(f"{g};7" for g in grades)]))
    run = f"run={only_run(tmp_path)}"
    printed = quick_command("predict.py", run, "input=new.csv", "output=o.csv").stdout
    assert "column 'grade': 2 cells of a category that training did not have" in printed
    lines = (tmp_path / "o.csv").read_text().splitlines()[1:]
    found = [line.split(";")[2] for line in lines]
    assert found[0] == found[1]
    assert found[2] == found[3]
    assert found[5] == found[6] != found[4]
    frame = pl.DataFrame({"grade": grades, "size": [7] * 7})
    assert predictor.predict(frame)["prediction"].to_list() == found


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("folder", "output must name a file, got the folder output=folder"),
        ("RUN/checkpoints/best.ckpt", "output must be another file than the run's checkpoints"),
    ],
)
def test_an_output_that_would_replace_other_things_is_refused(
    runs, quick_command, tmp_path: Path, output: str, message: str
) -> None:
    (tmp_path / "folder").mkdir()
    make_table(5, 3).write_csv(tmp_path / "new.csv")
    run = runs["binary"]
    before = (run / "checkpoints" / "best.ckpt").read_bytes()
    output = output.replace("RUN", str(run))
    settings = (f"run={run}", "input=new.csv", f"output={output}")
    assert message in quick_command("predict.py", *settings, succeed=False).stderr
    assert (run / "checkpoints" / "best.ckpt").read_bytes() == before


def test_unseen_categories_are_counted(runs, quick_command, tmp_path) -> None:
    new = make_table(10, 4).with_columns(color=pl.Series(["pink"] * 3 + ["red"] * 7))
    new.write_csv(tmp_path / "new.csv")
    printed = predict(quick_command, runs["regression"]).stdout
    assert "column 'color': 3 cells of a category that training did not have" in printed
    assert "such as 'pink'" in printed
    new.with_columns(color=pl.lit("Red")).write_csv(tmp_path / "new.csv")
    assert "such as 'Red' (but 'red')" in predict(quick_command, runs["regression"]).stdout


def test_python_is_told_of_unseen_categories_and_of_the_row_that_does_not_fit(runs, caplog) -> None:
    model = load_run(runs["regression"])
    new = make_table(10, 4)
    # As pandas reads leading zeros unless it is told otherwise.
    model.predict(new.with_columns(pl.col("zip").cast(pl.Int64)))
    known = sum(code == "90210" for code in new["zip"])
    assert f"column 'zip': {10 - known} cells of a category that training did not" in caplog.text
    odd = new.with_columns(size=pl.Series(["1", "2", "big", *"4567890"]))
    with pytest.raises(ValueError, match=r"got 'big' in row 2, counted from 0; mend or"):
        model.predict(odd)


MISSING_CELLS = [
    "column 'zip': 2 of 12 cells are missing, but none was in training",
    "column 'size': all 12 cells are missing, but not all were in training",
    "column 'color': 4 of 12 cells are missing, but none was in training",
    "column 'since': 2 of 12 cells are missing, but none was in training",
    "2 rows have no value in any column that is used, the first in ",
]


def table_with_gaps() -> pl.DataFrame:
    """Rows of which two have no value, nor has a column."""
    new = make_table(10, 4).with_columns(
        size=pl.lit(None, pl.Float64), color=pl.Series([None, None, *["red"] * 8])
    )
    new = new.cast(pl.String)
    return pl.concat([new[:6], new.clear(2), new[6:]])


def test_missing_cells_that_training_had_none_of_are_counted(
    runs, quick_command, tmp_path, monkeypatch
) -> None:
    table_with_gaps().write_csv(tmp_path / "new.csv")
    monkeypatch.setattr("nnlab.prediction._CHUNK", 5)
    lines = predict(quick_command, runs["regression"]).stdout.splitlines()
    told = [line for line in lines if "missing" in line or "no value" in line]
    assert told == [*MISSING_CELLS[:-1], MISSING_CELLS[-1] + "line 8"]


def test_python_is_told_of_missing_cells_that_training_had_none_of(runs, caplog) -> None:
    load_run(runs["regression"]).predict(table_with_gaps())
    told = [record.message.removeprefix("warning: ") for record in caplog.records]
    assert told == [*MISSING_CELLS[:-1], MISSING_CELLS[-1] + "row 6, counted from 0"]


def test_missing_cells_as_in_training_are_not_told_of(runs, quick_command, tmp_path) -> None:
    new = make_table(20, 3)
    assert new["size"].null_count() > 0
    new.write_csv(tmp_path / "new.csv")
    assert "missing" not in predict(quick_command, runs["regression"]).stdout
    # One cell, and one row.
    one = table_with_gaps()[5:7].with_columns(pl.lit("red").alias("color"))
    one.write_csv(tmp_path / "new.csv")
    printed = predict(quick_command, runs["regression"]).stdout
    assert "column 'zip': 1 of 2 cells is missing, but none was in training" in printed
    # One row shows nothing of a column.
    new.filter(pl.col("size").is_null())[:1].write_csv(tmp_path / "new.csv")
    assert "missing" not in predict(quick_command, runs["regression"]).stdout


def test_an_output_can_be_predicted_again(runs, quick_command, tmp_path) -> None:
    make_table(10, 4).write_csv(tmp_path / "new.csv")
    predict(quick_command, runs["binary"])
    (tmp_path / "out" / "predictions.csv").rename(tmp_path / "new.csv")
    printed = predict(quick_command, runs["binary"]).stdout
    names = ("prediction", "probability_no", "probability_yes")
    assert f"input has such columns: {', '.join(f'{name}_2' for name in names)}" in printed
    for row in written(tmp_path):
        assert all(float(row[f"{n}_2"]) == float(row[n]) for n in names[1:])
        assert row["prediction_2"] == row["prediction"]


@pytest.mark.parametrize(
    ("own", "new", "names"),
    [
        ([], ["prediction"], ["prediction"]),
        (["prediction", "prediction_2"], ["prediction"], ["prediction_3"]),
        (["p_a"], ["p_a", "p_a_2"], ["p_a_3", "p_a_2"]),
        (["p_a", "p_a_2"], ["p_a", "p_a_2"], ["p_a_3", "p_a_2_2"]),
        (["p_a", "p_a_2"], ["p_a_2", "p_a"], ["p_a_2_2", "p_a_3"]),
    ],
)
def test_predictions_take_no_name_that_is_taken(own, new, names) -> None:
    assert list(_free_names(own, new).values()) == names


def test_no_rows_give_a_header(runs, quick_command, tmp_path) -> None:
    make_table(1, 5)[:0].write_csv(tmp_path / "new.csv")
    predict(quick_command, runs["binary"])
    header = (tmp_path / "out" / "predictions.csv").read_text().strip()
    assert header == "zip,size,color,since,price,sold,prediction,probability_no,probability_yes"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size": "big"}, "column 'size' must hold finite numbers, got 'big' in new.csv, line 5"),
        ({"size": "3,5"}, "line 5; set 'data.decimal=\",\"' if the comma is a decimal mark"),
        ({"size": "46.552,12"}, "line 5; set 'data.decimal=\",\"' if the comma is a decimal mark"),
        ({"size": "3,500"}, "is a decimal mark, or take it out if it marks thousands"),
        ({"size": "inf"}, "column 'size' must hold finite numbers, got 'inf' in new.csv, line 5"),
        ({"since": "soon"}, "column 'since' must hold dates such as %Y-%m-%d, got 'soon' in new"),
    ],
)
def test_a_cell_that_does_not_fit_is_named_with_its_line(
    runs, quick_command, tmp_path, change, message
) -> None:
    new = make_table(6, 6).cast(pl.String)
    ((name, cell),) = change.items()
    cells = new[name].to_list()
    cells[3] = cell
    new.with_columns(pl.Series(name, cells)).write_csv(tmp_path / "new.csv")
    process = predict(quick_command, runs["regression"], succeed=False)
    assert process.returncode == 1
    assert message in process.stderr
    assert not (tmp_path / "out" / "predictions.csv").exists()
    assert not list(tmp_path.glob("out/.*"))


def test_cells_that_do_not_fit_are_counted(runs, quick_command, tmp_path, monkeypatch) -> None:
    new = make_table(9, 6).with_columns(size=pl.Series(["1", "2", "3", "4", "inf"] + ["1e400"] * 4))
    new.write_csv(tmp_path / "new.csv")
    error = predict(quick_command, runs["regression"], succeed=False).stderr
    assert "numbers, got 'inf' in new.csv, line 6 (and 4 more such cells); mend" in error
    monkeypatch.setattr("nnlab.prediction._CHUNK", 3)
    error = predict(quick_command, runs["regression"], succeed=False).stderr
    assert "in new.csv, line 6 (and 1 more such cell in these 3 rows); mend" in error
    with pytest.raises(ValueError, match=r"row 4, counted from 0 \(and 4 more such cells\); mend"):
        load_run(runs["regression"]).predict(new)


def test_a_word_for_missing_values_is_named_with_the_setting_that_takes_it(
    runs, quick_command, tmp_path
) -> None:
    new = make_table(6, 6).cast(pl.String)
    new.with_columns(size=pl.Series(["NA", "k.A.", "1", "2", "k.A.", "-"])).write_csv(
        tmp_path / "new.csv"
    )
    error = predict(quick_command, runs["regression"], succeed=False).stderr
    way_out = (
        r"line 3 \(and 2 more such cells\); mend or empty the cell, or set (.*) to take such cells "
        "as missing$"
    )
    (suggested,) = re.findall(way_out, error)
    assert shlex.split(suggested) == ['data.null_values=[NA,k.A.,"-"]']
    predict(quick_command, runs["regression"], *shlex.split(suggested))
    # To Python, a cell without a value is None.
    with pytest.raises(
        ValueError, match=r"in row 1, counted from 0 \(.*\); mend or empty the cell$"
    ):
        load_run(runs["regression"]).predict(pl.read_csv(tmp_path / "new.csv"))


def test_an_empty_cell_stays_empty(runs, quick_command, tmp_path) -> None:
    new = make_table(20, 3)
    assert new["size"].null_count() > 0
    new.write_csv(tmp_path / "new.csv")
    predict(quick_command, runs["regression"])
    again = pl.read_csv(tmp_path / "out" / "predictions.csv", schema_overrides={"zip": pl.String})
    assert again["size"].equals(new["size"])


@pytest.mark.parametrize("name", ["p.parquet", "p.csv.gz", "p.xlsx"])
def test_an_output_whose_name_promises_another_format_is_refused(
    runs, quick_command, tmp_path, name: str
) -> None:
    make_table(5, 7).write_csv(tmp_path / "new.csv")
    process = predict(quick_command, runs["regression"], f"output={name}", succeed=False)
    assert f"got output={name}; name it p.csv" in process.stderr
    assert not (tmp_path / name).exists()


def test_a_missing_column_is_named(runs, quick_command, tmp_path) -> None:
    make_table(5, 7).drop("size").rename({"color": "colour"}).write_csv(tmp_path / "new.csv")
    process = predict(quick_command, runs["regression"], succeed=False)
    assert "has no 'size, color'" in process.stderr


def test_cells_that_a_spreadsheet_would_run_are_neutralised(runs, quick_command, tmp_path) -> None:
    cells = ["=1+1", "+cmd", "-5", "@x", "\tx", "-2+3", "plain", "-1e5"]
    cells += ["-1.778,32 €", "-$4,200.20", "-1,39 %", "-A1 %", "  =1+1", "\uff1d1+1", "  -5 %"]
    cells += [" -1.5e-05", "\u00a0-5", "\uff0d5"]
    new = make_table(18, 8).with_columns(pl.Series("note", cells))
    new.write_csv(tmp_path / "new.csv")
    predict(quick_command, runs["regression"])
    safe = ["'=1+1", "'+cmd", "-5", "'@x", "'\tx", "'-2+3", "plain", "-1e5", *cells[8:11], "'-A1 %"]
    safe += ["'  =1+1", "'\uff1d1+1", *cells[14:]]
    assert [row["note"] for row in written(tmp_path)] == safe
    predict(quick_command, runs["regression"], "raw_cells=true")
    assert [row["note"] for row in written(tmp_path)] == cells


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
def test_a_pipe_is_no_input(runs, quick_command, tmp_path) -> None:
    os.mkfifo(tmp_path / "new.csv")
    process = predict(quick_command, runs["regression"], succeed=False)
    assert "new.csv is a pipe or a device; write it to a file first" in process.stderr


def test_an_end_on_the_way_leaves_nothing_half_written(runs, tmp_path) -> None:
    make_table(400_000, 3).write_csv(tmp_path / "new.csv")
    command = [sys.executable, SCRIPTS / "predict.py", f"run={runs['regression']}"]
    process = subprocess.Popen([*command, "input=new.csv", "output=out.csv"], cwd=tmp_path)
    while not (begun := list(tmp_path.glob(".out.csv.*"))) and process.poll() is None:
        time.sleep(0.01)
    assert begun
    process.terminate()
    assert process.wait() == 128 + signal.SIGTERM
    assert [path.name for path in tmp_path.iterdir()] == ["new.csv"]


def test_names_that_are_neutralised_stay_different(runs, quick_command, tmp_path) -> None:
    cells = [pl.Series(name, [i, i]) for i, name in enumerate(("=x", "'=x", "''=x"))]
    make_table(2, 8).with_columns(cells).write_csv(tmp_path / "new.csv")
    predict(quick_command, runs["regression"])
    row = written(tmp_path)[0]
    assert [row[name] for name in ("'''=x", "'=x", "''=x")] == ["0", "1", "2"]


def test_numbers_beyond_all_bounds_have_finite_predictions(runs, quick_command, tmp_path) -> None:
    new = make_table(4, 9).with_columns(size=pl.Series([1e30, -1e308, 1e-320, 0.0]))
    new.write_csv(tmp_path / "new.csv")
    predict(quick_command, runs["binary"])
    for row in written(tmp_path):
        assert 0 <= float(row["probability_yes"]) <= 1


@pytest.mark.parametrize("decimal", [".", ","])
def test_long_identifiers_are_the_same_whatever_the_decimal_mark(
    quick_command, tmp_path, decimal: str
) -> None:
    separator = ";" if decimal == "," else ","
    codes = [2**60 + 93 * i for i in range(4)]
    lines = [f"{codes[i % 4]}{separator}{i % 7}{decimal}5{separator}c{i % 4}" for i in range(200)]
    (tmp_path / "table.csv").write_text("\n".join([separator.join("kxy"), *lines, ""]))
    mark = f'data.decimal="{decimal}"'
    quick_command("train.py", "data=csv", "data.path=table.csv", "data.target=y", mark, *QUICK)
    run_dir = only_run(tmp_path)
    words = ("input=table.csv", "output=out.csv")
    process = quick_command("predict.py", f"run={run_dir}", *words)
    assert "that training did not have" not in process.stdout
    predictor = load_run(run_dir)
    rows = pl.read_csv(tmp_path / "table.csv", separator=separator, decimal_comma=decimal == ",")
    typed = predictor.predict(rows)
    texts = predictor.predict(rows.with_columns(pl.col("k").cast(pl.String)))
    written = pl.read_csv(tmp_path / "out.csv", separator=separator, decimal_comma=decimal == ",")
    assert written["prediction"].equals(typed["prediction"])
    assert texts.equals(typed)


def test_what_a_cell_holds_does_not_reach_the_terminal(runs, quick_command, tmp_path) -> None:
    escape = "\x1b[2J" + "x" * 1000
    make_table(5, 1).with_columns(color=pl.lit(escape)).write_csv(tmp_path / "new.csv")
    said = predict(quick_command, runs["regression"]).stdout
    assert "\\u001b[2J" in said
    assert "\x1b" not in said
    assert "x" * 40 not in said


@pytest.mark.parametrize("of", ["weight", "running_var"])
def test_weights_that_are_no_numbers_are_refused(quick_command, tmp_path, of) -> None:
    quick_command("train.py", "model.batch_norm=true", *QUICK)
    (run_dir,) = (tmp_path / "outputs" / "digits").iterdir()
    checkpoint = read_checkpoint(run_dir / "checkpoints" / "best.ckpt")
    kept = checkpoint["state_dict"]
    kept[next(name for name in kept if name.endswith(of))][0] = torch.nan
    write_checkpoint(checkpoint, tmp_path / "nan.ckpt")
    with pytest.raises(ValueError, match="some of its weights are no finite numbers"):
        load_run(tmp_path / "nan.ckpt")


def test_the_output_cannot_be_the_input(runs, quick_command, tmp_path) -> None:
    make_table(4, 10).write_csv(tmp_path / "new.csv")
    process = quick_command(
        "predict.py", f"run={runs['binary']}", "input=new.csv", "output=./new.csv", succeed=False
    )
    assert "output must be another file than input" in process.stderr


def test_data_frames_and_arrays_give_the_same_predictions(runs) -> None:
    model = load_run(runs["regression"])
    new = make_table(30, 11)
    expected = model.predict(new)
    frame = pandas.DataFrame(new.to_dict(as_series=False))
    assert model.predict(frame).equals(expected)
    array = np.array(new.select(model.reader.column_names).rows(), dtype=object)
    assert model.predict(array).equals(expected)
    with pytest.raises(ValueError, match=r"an array of the shape \(rows, 4\)"):
        model.predict(array[:, :2])


def test_tables_of_pyarrow_are_read_by_the_names_of_their_columns(runs) -> None:
    model = load_run(runs["regression"])
    new = make_table(30, 11)
    turned = new.select(new.columns[::-1]).to_arrow()
    assert model.predict(turned).equals(model.predict(new))
    assert model.predict(turned.to_batches()[0]).equals(model.predict(new))
    with pytest.raises(ValueError, match="must have a name of its own"):
        model.predict(turned.rename_columns(["size"] * turned.num_columns))


def test_columns_that_nobody_can_tell_apart_are_refused(runs) -> None:
    model = load_run(runs["regression"])
    new = make_table(3, 11)
    for name in ("size ", "\u00a0size"):
        with pytest.raises(ValueError, match="more than one column is called 'size'; leave"):
            model.predict(new.with_columns(pl.lit(1.0).alias(name)))
    frame = new.to_pandas().rename(columns={"zip": 1}).assign(**{"1": 2})
    with pytest.raises(ValueError, match="must have a name of its own"):
        model.predict(frame)


def test_codes_that_have_lost_their_zeros_are_told_of(runs, caplog) -> None:
    new = make_table(3, 11).with_columns(pl.Series("zip", [501, 1234, 90210]))
    load_run(runs["regression"]).predict(new)
    (record,) = caplog.records
    assert "'zip': 2 cells of a category" in record.message
    assert record.message.endswith("such as '501' (but '00501': leading zeros are a part of it)")


def test_numbers_that_are_far_from_those_of_training_are_told_of(runs, caplog) -> None:
    model = load_run(runs["regression"])
    new = make_table(30, 11)
    model.predict(new)
    assert not caplog.records
    model.predict(new.with_columns(pl.col("size") * 1000))
    (record,) = caplog.records
    present = 30 - new["size"].null_count()
    pattern = (
        rf"column 'size': \d+ of {present} numbers lie far outside those of training; are they"
    )
    assert re.search(pattern, record.message)
    caplog.clear()
    later = pl.col("since").str.to_date().dt.offset_by("90y").dt.to_string()
    model.predict(new.with_columns(later))
    assert caplog.records[0].message.endswith("30 of 30 dates lie far outside those of training")


def test_missing_cells_of_a_data_frame_are_missing_in_its_array(runs) -> None:
    model = load_run(runs["regression"])
    frame = make_table(30, 11).select(model.reader.column_names).to_pandas()
    frame["size"] = frame["size"].astype("Float64")
    frame["since"] = pandas.to_datetime(frame["since"])
    expected = model.predict(frame)
    assert model.predict(frame.to_numpy()).equals(expected)
    frame.loc[3, "size"], frame.loc[4, "since"] = pandas.NA, pandas.NaT
    gone = model.predict(frame)
    assert not gone.equals(expected)
    assert model.predict(frame.to_numpy()).equals(gone)


def test_data_frames_of_other_types_are_refused_in_a_sentence(runs) -> None:
    model, frame = load_run(runs["regression"]), make_table(3, 1).to_pandas()
    periods = pandas.to_datetime(frame["since"]).dt.to_period("D")
    for changed, message in (
        (frame.assign(zip=[["a"]] * 3), r"column 'zip' must hold numbers, text or dates, got List"),
        (frame.assign(since=periods), r"column 'since' must hold numbers, text or dates, got Obj"),
        ("new.csv", r"rows must be a data frame, or an array .*, got str"),
        (
            frame.iloc[0],
            r"must be a data frame, got a series of pandas; of one row .*iloc\[\[0\]\]",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            model.predict(changed)


def test_times_without_a_zone_are_refused_where_training_had_one(quick_command, tmp_path) -> None:
    times = [f"2024-05-{1 + i % 28:02} {i % 24:02}:30:00+02:00" for i in range(60)]
    frame = pl.DataFrame({"t": times, "x": range(60), "y": [i % 24 for i in range(60)]})
    frame.write_csv(tmp_path / "t.csv")
    table = ["data=csv", "data.path=t.csv", "data.target=y", "data.task=regression"]
    quick_command("train.py", *table, *QUICK)
    model = load_run(next(tmp_path.glob("outputs/csv/*")))
    zoned = frame.with_columns(pl.col("t").str.to_datetime("%Y-%m-%d %H:%M:%S%z"))
    assert model.predict(zoned).equals(model.predict(frame))
    with pytest.raises(ValueError, match="column 't' must hold times with their zone, as in train"):
        model.predict(zoned.with_columns(pl.col("t").dt.replace_time_zone(None)))


def test_times_with_a_zone_are_refused_where_training_had_none(quick_command, tmp_path) -> None:
    rows = "\n".join(f"2024-0{1 + i % 9}-01 12:00:00,2024-0{1 + i % 9}-02,{i}.5" for i in range(80))
    model = load_run(train(tmp_path, f"t,d,y\n{rows}\n", "data.target=y"))
    text = pl.read_csv(tmp_path / "train.csv")[:9].drop("y")
    naive = pandas.DataFrame(text.to_dict(as_series=False)).apply(pandas.to_datetime)
    expected = model.predict(naive)
    assert expected.equals(model.predict(text))
    for name, cells in naive.items():
        zoned = naive.assign(**{str(name): cells.dt.tz_localize("Europe/Berlin")})
        message = f"column '{name}' must hold dates or times without a zone, as in training, got "
        with pytest.raises(ValueError, match=message) as caught:
            model.predict(zoned)
        assert "such as with dt.tz_convert and dt.tz_localize(None) in pandas" in str(caught.value)
        away = zoned[name].dt.tz_convert("America/New_York")
        mended = zoned.assign(
            **{str(name): away.dt.tz_convert("Europe/Berlin").dt.tz_localize(None)}
        )
        assert model.predict(mended).equals(expected)


def test_times_without_a_zone_are_refused_where_training_had_utc(quick_command, tmp_path) -> None:
    rows = "\n".join(f"2024-0{1 + i % 9}-01T12:00:00Z,{i}.5" for i in range(80))
    model = load_run(train(tmp_path, f"t,y\n{rows}\n", "data.target=y"))
    frame = pl.read_csv(tmp_path / "train.csv", try_parse_dates=False)[:9].drop("y")
    zoned = frame.select(pl.col("t").str.to_datetime("%Y-%m-%dT%H:%M:%S%#z"))
    assert model.predict(zoned).equals(model.predict(frame))
    berlin = zoned.select(pl.col("t").dt.convert_time_zone("Europe/Berlin"))
    assert model.predict(berlin).equals(model.predict(frame))
    with pytest.raises(ValueError, match="column 't' must hold times with their zone, as in train"):
        model.predict(zoned.select(pl.col("t").dt.replace_time_zone(None)))


def test_images_are_predicted_from_idx_files_folders_and_arrays(
    runs, quick_command, tmp_path
) -> None:
    pixels = read_idx(DIGITS / "images-idx3-ubyte.gz", ndim=3, sha256=None)[:12]
    model = load_run(runs["digits"])
    expected = model.predict(pixels.numpy())
    folder = tmp_path / "pictures"
    folder.mkdir()
    for i, picture in enumerate(pixels):
        Image.fromarray(picture.numpy()).save(folder / f"{i:02d}.png")
    assert model.predict(folder).equals(expected)
    (folder / "notes.txt").write_text("no picture")
    process = quick_command(
        "predict.py", f"run={runs['digits']}", "input=pictures", "output=out/predictions.csv"
    )
    assert "pictures: left out what is no PNG file: notes.txt\n" in process.stdout
    (folder / "notes.txt").unlink()
    rows = written(tmp_path)
    assert [row["file"] for row in rows] == [f"{i:02d}.png" for i in range(12)]
    assert [row["prediction"] for row in rows] == expected["prediction"].to_list()
    assert model.predict(sorted(folder.iterdir())).equals(expected)
    assert model.predict(tuple(map(str, sorted(folder.iterdir())))).equals(expected)
    every = model.predict(DIGITS / "images-idx3-ubyte.gz")
    assert len(every) == 1797
    assert every[:12].equals(expected)


@pytest.mark.parametrize("kind", ["idx", "folder"])
def test_images_are_predicted_some_at_a_time(
    runs, quick_command, tmp_path, monkeypatch, kind
) -> None:
    monkeypatch.setattr("nnlab.prediction._IMAGES", 5)
    pixels = read_idx(DIGITS / "images-idx3-ubyte.gz", ndim=3, sha256=None)[:12]
    if kind == "idx":
        header = bytes([0, 0, 8, 3]) + b"".join(n.to_bytes(4, "big") for n in pixels.shape)
        (tmp_path / "new").write_bytes(header + pixels.numpy().tobytes())
    else:
        (tmp_path / "new").mkdir()
        for i, picture in enumerate(pixels):
            Image.fromarray(picture.numpy()).save(tmp_path / "new" / f"{i:02d}.png")
    quick_command("predict.py", f"run={runs['digits']}", "input=new", "output=out/predictions.csv")
    rows = written(tmp_path)
    name = "image" if kind == "idx" else "file"
    assert [int(row[name].removesuffix(".png")) for row in rows] == list(range(12))
    expected = load_run(runs["digits"]).predict(pixels.numpy())
    assert [row["prediction"] for row in rows] == expected["prediction"].to_list()


def test_pictures_of_16_bits_are_those_of_8(runs, tmp_path) -> None:
    pixels = read_idx(DIGITS / "images-idx3-ubyte.gz", ndim=3, sha256=None)[:9].numpy()
    for i, picture in enumerate(pixels):
        Image.fromarray(picture.astype(np.uint16) * 257).save(tmp_path / f"{i}.png")
    model = load_run(runs["digits"])
    assert model.predict(tmp_path).equals(model.predict(pixels))


def test_transparent_pictures_are_refused_and_opaque_ones_are_not(runs, tmp_path) -> None:
    pixels = read_idx(DIGITS / "images-idx3-ubyte.gz", ndim=3, sha256=None)[:1].numpy()
    model, path = load_run(runs["digits"]), tmp_path / "a.png"
    picture = Image.fromarray(pixels[0]).convert("RGBA")
    picture.save(path)
    assert model.predict(path).equals(model.predict(pixels))
    picture.putalpha(Image.fromarray(pixels[0]))
    picture.save(path)
    with pytest.raises(ValueError, match=r"a\.png must have no transparent pixels"):
        model.predict(path)


def chunk(kind: bytes, content: bytes) -> bytes:
    """A part of a PNG file."""
    checked = kind + content
    return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))


def test_damaged_pictures_are_refused_in_a_sentence(runs, tmp_path) -> None:
    model, path = load_run(runs["digits"]), tmp_path / "a.png"
    Image.new("L", (8, 8)).save(path)
    whole = path.read_bytes()
    start, rest = whole[:33], whole[33:]  # up to the end of IHDR
    bomb = chunk(b"zTXt", b"a\0\0" + zlib.compress(b"x" * 2**21))
    palette = start[:24] + b"\x08\x03" + start[26:29]
    for damaged in (
        start + bomb + rest,
        start + chunk(b"pHYs", b"1") + rest,
        palette + struct.pack(">I", zlib.crc32(palette[12:])) + rest,  # without its colours
    ):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"a\.png must be a PNG picture, but cannot be read"):
            model.predict(path)


def test_no_picture_of_the_input_is_written_over(runs, quick_command, tmp_path) -> None:
    Image.new("L", (8, 8)).save(tmp_path / "a.png")
    before = (tmp_path / "a.png").read_bytes()
    words = (f"run={runs['digits']}", "input=.", "output=a.png")
    assert "must not end in .png" in quick_command("predict.py", *words, succeed=False).stderr
    assert (tmp_path / "a.png").read_bytes() == before


@pytest.mark.skipif(sys.platform != "linux", reason="file names are text elsewhere")
def test_a_picture_may_have_a_name_that_is_no_text(runs, quick_command, tmp_path) -> None:
    (tmp_path / "pictures").mkdir()
    name = os.fsencode(tmp_path / "pictures") + b"/odd\xff.png"
    Image.new("L", (8, 8)).save(os.fsdecode(name), format="PNG")
    quick_command("predict.py", f"run={runs['digits']}", "input=pictures", "output=out.csv")
    assert "odd\\xff.png" in (tmp_path / "out.csv").read_text()


def test_images_that_do_not_fit_are_refused(runs, tmp_path) -> None:
    model = load_run(runs["digits"])
    Image.new("L", (9, 8)).save(tmp_path / "wide.png")
    with pytest.raises(ValueError, match=r"wide\.png must have 8 x 8 pixels.*got 8 x 9"):
        model.predict(tmp_path / "wide.png")
    Image.new("1", (30_000, 30_000)).save(tmp_path / "gigapixel.png")
    with pytest.raises(ValueError, match=r"gigapixel\.png must have 8 x 8 .* got 30000 x 30000"):
        model.predict(tmp_path / "gigapixel.png")
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(ValueError, match=r"text\.png must be a PNG picture"):
        model.predict(tmp_path / "text.png")
    with pytest.raises(ValueError, match="whole numbers from 0 to 255"):
        model.predict(np.zeros((2, 8, 8)))
    with pytest.raises(ValueError, match=r'got float32; give array\.astype\("uint8"\)$'):
        model.predict(np.full((2, 8, 8), 200, dtype=np.float32))
    with pytest.raises(ValueError, match=r"got float64; give \(array \* 255\)\.round"):
        model.predict(np.full((2, 8, 8), 0.5))
    with pytest.raises(ValueError, match=r"an array \(images, 8, 8\), got a single image; give im"):
        model.predict(np.zeros((8, 8), dtype=np.uint8))
    with pytest.raises(FileNotFoundError, match="there must be a PNG file"):
        model.predict(tmp_path / "nothing.png")
    for nothing, what in ((None, "NoneType"), (iter([1]), "list_iterator"), ([], r"shape \(0,\)")):
        with pytest.raises(ValueError, match=f"images must be an array of pixels .*got .*{what}"):
            model.predict(nothing)


def test_a_run_opens_from_a_folder_or_a_file_and_from_anywhere(runs, tmp_path) -> None:
    path = tmp_path / "alone.ckpt"
    path.write_bytes((runs["binary"] / "checkpoints" / "best.ckpt").read_bytes())
    new = make_table(5, 12)
    assert load_run(path).predict(new).equals(load_run(runs["binary"]).predict(new))
    with torch.inference_mode():
        assert not load_run(path).training
    with pytest.raises(FileNotFoundError, match=f"; the newest of .* in it is {runs['binary']}$"):
        load_run(runs["binary"].parent)


class Terminal(io.StringIO):
    """What a person sees of stdout and stderr, with the codes that move the cursor."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_bar_is_shown_on_a_terminal_and_leaves_nothing_behind(
    runs, tmp_path, monkeypatch, is_terminal
) -> None:
    make_table(300, 14).with_columns(extra=1).write_csv(tmp_path / "new.csv")
    screen = Terminal() if is_terminal else io.StringIO()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr("nnlab.prediction._CHUNK", 60)
    arguments = [f"run={runs['regression']}", f"input={tmp_path}/new.csv", f"output={tmp_path}/o"]
    monkeypatch.setattr("sys.argv", ["predict.py", *arguments])
    update, shown = Progress.update, []

    def note(self, task, **fields) -> None:
        update(self, task, **fields)
        self.refresh()
        shown.append(self.tasks[0].percentage)

    monkeypatch.setattr(Progress, "update", note)
    with contextlib.redirect_stdout(screen), contextlib.redirect_stderr(screen):
        commands.predict()
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", screen.getvalue())
    # Codes aside, what is printed beside the bar begins a line.
    lines = re.split("[\r\n]+", plain)
    assert "ignored, because training had no such columns: extra" in lines
    assert shown == pytest.approx([20, 40, 60, 80, 100], abs=1)
    bars = [line for line in lines if "━" in line]
    if is_terminal:
        assert re.search(r"━ +\d+% 180 rows \d:\d\d:\d\d elapsed .* left$", "\n".join(bars), re.M)
        # The last thing before the result erases the bar's line.
        assert re.search(
            r"100%.*300 rows.*\x1b\[1A\x1b\[2K300 rows predicted", screen.getvalue(), re.S
        )
    else:
        assert "\x1b" not in screen.getvalue()
        assert not bars


def train(folder: Path, text: str, *settings: str) -> Path:
    (folder / "train.csv").write_text(text)
    run_quickly(folder, "train.py", "data=csv", "data.path=train.csv", *settings, *QUICK)
    (run,) = (folder / "outputs" / "csv").iterdir()
    return run


def train_on_weights(folder: Path) -> Path:
    rows = "\n".join(f"{i % 40} kg,{i},{'yes' if i % 40 > 20 else 'no'}" for i in range(80))
    return train(folder, f"weight,x,y\n{rows}\n", "data.target=y")


def train_on_names(folder: Path) -> Path:
    names = ['"b, or so"', '"c\nd"', "plain"]
    rows = "\n".join(f"{i % 3},{names[i % 3]}" for i in range(60))
    return train(folder, f"x,y\n{rows}\n", "data.target=y")


@pytest.mark.prepare.with_args(train_on_names)
def test_classes_that_no_cell_without_quotes_could_hold_have_some(
    prepared, quick_command, tmp_path
) -> None:
    (tmp_path / "new.csv").write_text('x,note\n0,5" wide\n1,\n')
    predict(quick_command, prepared[1], "data.quote=none")
    rows = written(tmp_path)
    assert [row["note"] for row in rows] == ['5" wide', ""]
    names = ["b, or so", "c\nd", "plain"]
    assert [*rows[0]] == ["x", "note", "prediction", *(f"probability_{name}" for name in names)]
    assert {row["prediction"] for row in rows} <= {*names}
    assert all(0 <= float(row["probability_plain"]) <= 1 for row in rows)


@pytest.mark.prepare.with_args(train_on_weights)
def test_lines_that_the_run_skips_are_told_of(prepared, quick_command, tmp_path) -> None:
    (tmp_path / "new.csv").write_text("weight,x\n12 kg,1\n13 kg,2\n14 kg,3\n")
    process = predict(quick_command, prepared[1], "data.skip_lines=2", succeed=False)
    assert "the run skips 2 lines: set data.skip_lines=0 if this file begins" in process.stderr


@pytest.mark.prepare.with_args(train_on_weights)
def test_numbers_without_the_unit_of_training_are_noted(prepared, caplog) -> None:
    model = load_run(prepared[1])
    text = pl.DataFrame({"weight": ["12 kg", "30 kg"], "x": [1, 2]})
    expected = model.predict(text)
    assert not caplog.records
    numbers = text.select(pl.Series("weight\u00a0", [12.0, 30.0]), "x")
    assert model.predict(numbers).equals(expected)
    (said,) = caplog.records
    assert said.message == (
        "warning: column 'weight': its numbers have no unit and are taken for those of 'kg', as in "
        "training"
    )
    with pytest.raises(ValueError, match=r"numbers such as 1000\.5 kg, got '30' in row 1"):
        model.predict(text.with_columns(weight=pl.Series(["12 kg", "30"])))


def test_shares_in_place_of_percentages_are_told_of(quick_command, tmp_path) -> None:
    lines = [f"{i % 40}%,{i % 3},{i % 40 / 3}" for i in range(120)]
    (tmp_path / "table.csv").write_text("\n".join(["rate,x,y", *lines]))
    quick_command("train.py", "data=csv", "data.path=table.csv", "data.target=y", *QUICK)
    words = (f"run={only_run(tmp_path)}", "input=new.parquet", "output=out.csv")
    for rates, hint in (([0.21, 0.05], "; multiply them by 100 if 1 is all"), ([0.5, 21.0], "")):
        pl.DataFrame({"rate": rates, "x": [1, 2]}).write_parquet(tmp_path / "new.parquet")
        said = quick_command("predict.py", *words).stdout
        assert f"taken for those of '%', as in training{hint}\n" in said


def test_files_and_data_frames_mean_the_same_by_missing(quick_command, tmp_path) -> None:
    rows = "\n".join(
        f"{['a', 'b', '?', ''][i % 4]},{i * 0.5},{'no' if i % 3 else 'yes'}" for i in range(80)
    )
    run = train(tmp_path, f"c,x,y\n{rows}\n", "data.target=y")
    cells = ["a", "?", "", "NA", " ", " NA\t", " a "]
    (tmp_path / "new.csv").write_text("c, x\n" + "\n".join(f"{cell}, 1.5" for cell in cells))
    predict(quick_command, run)
    from_file = [float(row["probability_yes"]) for row in written(tmp_path)]
    # The cells themselves stay what they are.
    assert [row["c"] for row in written(tmp_path)] == cells
    model = load_run(run)
    frame = pl.DataFrame({"c": cells, " x": [" 1.5"] * 7})
    same = ["a", None, np.nan, None, np.nan, None, "a"]
    array = np.array([[cell, 1.5] for cell in same], dtype=object)
    for rows in (frame, pandas.DataFrame(frame.to_dict(as_series=False)), array):
        given = model.predict(rows)["probability_yes"].to_list()
        assert given == pytest.approx(from_file, abs=1e-6)
    # Rows that are alike may differ in the last bit, by their places in a batch.
    assert from_file[1:-1] == pytest.approx([from_file[1]] * 5, abs=1e-6)
    assert from_file[0] == pytest.approx(from_file[-1], abs=1e-6)
    assert from_file[0] != pytest.approx(from_file[1], abs=1e-3)


def read_columns(run: Path) -> list[dict]:
    checkpoint = read_checkpoint(run / "checkpoints" / "best.ckpt")
    return checkpoint["TabularDataModule"]["preprocessing"]["columns"]


def numbers_for_missing(rows: int) -> list[tuple[float, int, str]]:
    """Numbers and codes of which -999 and 99.5 stand for missing ones, and a target."""
    return [
        (
            [-999, 99.5, i * 0.25][min(i % 9, 2)],
            [1, 2, 5, -999][i % 4],
            "no" if i % 3 else "yes",
        )
        for i in range(rows)
    ]


@pytest.mark.parametrize(("decimal", "floats"), [(".", ["k", "b"]), (",", ["k"])])
def test_numbers_for_missing_values_are_missing_in_files_however_they_are_written(
    quick_command, tmp_path, decimal: str, floats: list[str]
) -> None:
    table = pandas.DataFrame(numbers_for_missing(80), columns=["x", "k", "y"])
    table["b"] = [0, 1, -999, 1] * 20
    told, predicted = [], []
    # As pandas writes whole numbers, and as it does once they are floats.
    for name, types in (("whole", {}), ("floats", dict.fromkeys(floats, float))):
        folder = tmp_path / name
        folder.mkdir()
        text = table.astype(types).to_csv(sep=";", decimal=decimal, index=False)
        settings = ["data.target=y", f"data.decimal='{decimal}'", "data.null_values=[-999]"]
        kinds = ["data.columns.b=boolean", "data.columns.k=numeric"]
        run = train(folder, text, *settings, *kinds)
        (tmp_path / "new.csv").write_text(text)
        process = predict(quick_command, run)
        assert "category" not in process.stdout
        predicted += [[row["probability_yes"].replace(",", ".") for row in written(tmp_path, ";")]]
        told += [[c["has_missing"] for c in read_columns(run) if c["kind"] == "numeric"]]
        expected = load_run(run).predict(table.drop(columns="y"))["probability_yes"]
        assert [float(p) for p in predicted[-1]] == pytest.approx(expected.to_list(), abs=1e-6)
    assert told == [[True, True]] * 2
    assert predicted[0] == predicted[1]


@pytest.mark.parametrize("decimal", [".", ","])
def test_numbers_for_missing_values_are_missing_in_data_frames_and_arrays(
    quick_command, tmp_path, decimal: str
) -> None:
    def spell(*cells: object) -> str:
        return ";".join(map(str, cells)).replace(".", decimal)

    lines = "\n".join(spell(*row) for row in numbers_for_missing(80))
    run = train(
        tmp_path,
        f"x;k;y\n{lines}\n",
        "data.target=y",
        "data.columns.k=categorical",
        f"data.decimal='{decimal}'",
        f"data.null_values=['{spell(-999)}','{spell(99.5)}']",
    )
    cells = [(1.5, 1), (-999, 2), (99.5, -999), (None, None)]
    text = "\n".join(spell(*("" if cell is None else cell for cell in row)) for row in cells)
    (tmp_path / "new.csv").write_text(f"x;k\n{text}\n")
    predict(quick_command, run)
    from_file = [float(row["probability_yes"].replace(",", ".")) for row in written(tmp_path, ";")]
    assert from_file[2] == from_file[3]
    model = load_run(run)
    x, k = zip(*cells, strict=True)
    frame = pl.DataFrame({"x": x, "k": k}, strict=False)
    for given in (
        frame,
        frame.cast({"x": pl.Float32, "k": pl.Int16}),
        frame.cast({"x": pl.Decimal(10, 2), "k": pl.Float64}),
        pandas.DataFrame({"x": x, "k": k}),
        np.array(cells, dtype=float),
        np.array(cells, dtype=object),
    ):
        found = model.predict(given)["probability_yes"].to_list()
        assert found == pytest.approx(from_file, abs=1e-6)


def test_decimal_commas_are_read_as_in_training(quick_command, tmp_path) -> None:
    rows = "\n".join(f"{i % 40},{i % 4};{i % 3},5;{i * 3},25" for i in range(80))
    settings = ["data.target=y", "data.decimal=','", "data.columns.v=categorical"]
    run = train(tmp_path, f"x;v;y\n{rows}\n", *settings)
    (tmp_path / "new.csv").write_text("x;v\n3,2;1,5\n-0,5;2,5\n")
    process = predict(quick_command, run)
    assert "training did not have" not in process.stdout
    rows = written(tmp_path, ";")
    assert [row["x"] for row in rows] == ["3,2", "-0,5"]
    model = load_run(run)
    expected = model.predict(pl.DataFrame({"x": [3.2, -0.5], "v": [1.5, 2.5]}))
    given = [float(row["prediction"].replace(",", ".")) for row in rows]
    assert given == pytest.approx(expected["prediction"].to_list())
    (tmp_path / "new.csv").write_text("x;v\n3.2;1.5\n-0.5;2.5\n")
    predict(quick_command, run, "data.decimal='.'")
    assert [float(row["prediction"]) for row in written(tmp_path, ";")] == given
    (tmp_path / "new.csv").write_text("x;v\n3,2;1,5\n1.234;2,5\n")
    process = predict(quick_command, run, succeed=False)
    assert "numbers with a decimal comma, got '1.234' in new.csv, line 3" in (process.stderr)


@pytest.mark.parametrize("script", ["evaluate", "predict"])
def test_a_word_among_decimal_commas_is_named_not_the_commas(
    quick_command, tmp_path, script: str
) -> None:
    lines = [f"{i % 40},{i % 4};{i * 3},25" for i in range(80)]
    run = train(tmp_path, "\n".join(["x;y", *lines]), "data.target=y", "data.decimal=','")
    (tmp_path / "new.csv").write_text("\n".join(["x;y", *lines[:5], "k.A.;3,25", "-;1,25", ""]))
    words = {
        "evaluate": ["data.path=new.csv"],
        "predict": ["input=new.csv", "output=out/predictions.csv"],
    }[script]
    command = (f"{script}.py", f"run={run}", *words)
    error = quick_command(*command, succeed=False).stderr
    assert "got 'k.A.' in new.csv, line 7 (and 1 more such cell); mend or empty the cell" in error
    (suggested,) = re.findall(r"or set (.*) to take such cells as missing$", error)
    quick_command(*command, *shlex.split(suggested))


@pytest.mark.parametrize("separator", [";", "\t", ","])
def test_predictions_are_written_as_the_input_is(quick_command, tmp_path, separator) -> None:
    rows = [
        [f"{i % 40},{i % 4}", "Köln; Ulm" if i % 3 else "Bonn", f"{i * 3},25"] for i in range(80)
    ]
    text = io.StringIO()
    csv.writer(text, delimiter=separator).writerows([["x", "ort", "y"], *rows])
    run = train(tmp_path, text.getvalue(), "data.target=y", "data.decimal=','")
    (tmp_path / "new.csv").write_text("\ufeff" + text.getvalue())
    predict(quick_command, run)
    output = tmp_path / "out" / "predictions.csv"
    assert output.read_text().startswith(
        f"\ufeffx{separator}ort{separator}y{separator}prediction\n"
    )
    opened = pandas.read_csv(output, sep=separator, decimal=",")
    original = pandas.read_csv(tmp_path / "new.csv", sep=separator, decimal=",")
    assert opened[["x", "ort", "y"]].equals(original)
    expected = load_run(run).predict(original)["prediction"]
    assert opened["prediction"].to_list() == pytest.approx(expected.to_list(), rel=1e-6)
    printed = quick_command("evaluate.py", f"run={run}", f"data.path={output}").stdout
    (rmse,) = re.findall(r"^rmse +(\S+)$", printed, re.M)
    error = opened["prediction"] - opened["y"]
    assert float(rmse) == pytest.approx(np.sqrt((error**2).mean()), rel=1e-5)


def test_predictions_of_another_encoding_are_utf_8_and_say_so(quick_command, tmp_path) -> None:
    text = "größe;y\n" + "".join(
        f"{i % 40};{'für' if i % 40 < 20 else 'ohne'}\n" for i in range(80)
    )
    (tmp_path / "train.csv").write_text(text, encoding="cp1252")
    table = ["data=csv", "data.path=train.csv", "data.target=y", "data.encoding=cp1252"]
    quick_command("train.py", *table, *QUICK)
    run = next(tmp_path.glob("outputs/csv/*"))
    quick_command("predict.py", f"run={run}", "input=train.csv", "output=out.csv")
    written = (tmp_path / "out.csv").read_bytes()
    assert written.startswith("\ufeffgröße;y;prediction;probability_für;".encode())


def test_line_breaks_in_names_are_blanks(quick_command, tmp_path) -> None:
    name = "price\n(EUR)"
    frame = pl.DataFrame({name: [i * 0.5 for i in range(60)], "y": [i % 7 for i in range(60)]})
    run = train(tmp_path, frame.write_csv(), "data.target=y", "data.task=regression")
    frame.write_csv(tmp_path / "new.csv")
    predict(quick_command, run)
    output = pl.read_csv(tmp_path / "out" / "predictions.csv")
    assert output.columns == ["price (EUR)", "y", "prediction"]
    expected = load_run(run).predict(frame)["prediction"]
    assert output["prediction"].to_list() == pytest.approx(expected.to_list(), rel=1e-6)


def test_points_that_may_mark_thousands_are_refused(runs, quick_command, tmp_path) -> None:
    new = make_table(5, 13).with_columns(size=pl.lit("1.500"))
    new.write_csv(tmp_path / "new.csv", separator=";")
    process = predict(quick_command, runs["regression"], succeed=False)
    assert "column 'size' of new.csv holds numbers such as '1.500', which semicolons" in (
        process.stderr
    )
    predict(quick_command, runs["regression"], "data.decimal='.'")
    sizes = [str(950 - i) for i in range(10)] + [f"{i}.{i}40" for i in range(1, 10)]
    new = make_table(19, 13).with_columns(size=pl.Series(sizes))
    new.write_csv(tmp_path / "new.csv")
    process = predict(quick_command, runs["regression"], succeed=False)
    assert "such as '1.140' beside '950', as if the point marked thousands" in process.stderr
    assert "take it out, as in 1140, if it marks thousands" in process.stderr


def test_parquet_is_predicted_like_csv(runs, quick_command, tmp_path) -> None:
    new = make_table(30, 13)
    new.write_csv(tmp_path / "new.csv")
    predict(quick_command, runs["regression"])
    expected = [row["prediction"] for row in written(tmp_path)]
    new.with_columns(pl.col("since").str.to_date()).write_parquet(tmp_path / "new.parquet")
    (tmp_path / "new.parquet").rename(tmp_path / "new.csv")  # told by its content
    predict(quick_command, runs["regression"])
    assert [row["prediction"] for row in written(tmp_path)] == expected
    new.with_columns(pair=pl.concat_list("zip", "color")).write_parquet(tmp_path / "new.csv")
    process = predict(quick_command, runs["regression"])
    assert "not in the output, because no CSV file holds such cells: pair" in process.stdout
    assert [row["prediction"] for row in written(tmp_path)] == expected
    new.with_columns(size=pl.concat_list("size")).write_parquet(tmp_path / "new.csv")
    process = predict(quick_command, runs["regression"], succeed=False)
    assert "column 'size' of new.csv must hold numbers or text, got List(Float64)" in process.stderr


def test_cells_of_parquet_that_are_not_used_are_written_as_they_are(
    runs, quick_command, tmp_path
) -> None:
    price = pl.Series("price", ["12345678901234567.89", "0.10", None, "-3.00"])
    words = pl.Series("words", ["None", "NA", "?", "fine"])
    own = [price.cast(pl.Decimal(30, 2)), words, pl.Series("extra", [-999, 0, 1, 2])]
    make_table(4, 13).with_columns(own).write_parquet(tmp_path / "new.csv")
    printed = predict(quick_command, runs["regression"], "data.null_values=[-999, NA]").stdout
    assert "by data.null_values, not missing as in training: " in printed
    rows = written(tmp_path)
    assert [row["words"] for row in rows] == words.to_list()
    assert [row["price"] or None for row in rows] == price.to_list()
    assert [row["extra"] for row in rows] == ["-999", "0", "1", "2"]


def test_durations_are_seconds_in_data_frames_as_in_parquet(quick_command, tmp_path) -> None:
    table = pl.DataFrame({"d": range(80), "e": [i % 9 * 250 for i in range(80)]})
    table = table.cast(pl.Duration("ms")).with_columns(y=pl.int_range(80) * 0.5)
    table.write_parquet(tmp_path / "new.csv")
    settings = ["data=csv", "data.path=new.csv", "data.target=y", "data.columns.d=numeric"]
    quick_command("train.py", *settings, "data.null_values=[0.02]", *QUICK)
    run = only_run(tmp_path)
    predict(quick_command, run)
    from_file = [float(row["prediction"]) for row in written(tmp_path)]
    rows = table.drop("y")
    arrays = {
        name: cells.cast(pl.Duration("ns")).to_numpy() for name, cells in rows.to_dict().items()
    }
    for given in (
        rows,
        rows.cast(pl.Duration("ns")),
        pandas.DataFrame(arrays),
        np.stack([*arrays.values()], axis=1),
        rows.select(pl.all().dt.total_milliseconds() / 1000),
    ):
        found = load_run(run).predict(given)["prediction"].to_list()
        assert found == pytest.approx(from_file, rel=1e-6)


@pytest.mark.parametrize("dtype", [pl.Categorical(), pl.Enum(["1.5", "NA", "?", "2", "a", "-3"])])
def test_texts_of_polars_categories_are_texts(quick_command, tmp_path, dtype) -> None:
    rows = "\n".join(f"{i % 9 * 0.5},{'ab?'[i % 3]},{i * 0.5}" for i in range(80))
    model = load_run(train(tmp_path, f"x,c,y\n{rows}\n", "data.target=y"))
    text = pl.DataFrame({"x": ["1.5", "NA", "2", "-3"], "c": ["a", "?", "NA", None]})
    assert model.predict(text.cast(dtype)).equals(model.predict(text))


@pytest.mark.parametrize("preprocessing", [{}, [1], {"kind": "table", "columns": 5}])
def test_preprocessing_that_nnlab_does_not_write_is_refused(
    runs, tmp_path: Path, preprocessing: object
) -> None:
    checkpoint = read_checkpoint(runs["regression"] / "checkpoints" / "best.ckpt")
    spoilt = {"TabularDataModule": {"preprocessing": preprocessing}}
    write_checkpoint({**checkpoint, **spoilt}, tmp_path / "best.ckpt")
    with pytest.raises(ValueError, match="must hold preprocessing as nnlab writes it"):
        load_run(tmp_path / "best.ckpt")


COLUMN = {"name": "x", "kind": "numeric", "scaling": "robust", "center": 0.0, "scale": 1.0}
COLUMN |= {"knots": [], "levels": [], "has_missing": False, "date_format": None, "periods": []}
CODES = {"name": "c", "kind": "categorical", "categories": ["a"], "written_as": "text"}
CODES |= {"is_embedded": False, "trained_codes": [2]}


@pytest.mark.parametrize(
    "changes",
    [
        {"missing": ["", 1.5]},
        {"decimal": 5},
        {"left_out": "abc"},
        {"columns": []},
        {"columns": [{**COLUMN, "is_date": False, "center": ""}]},
        {"columns": [{**COLUMN, "is_date": False, "low": [1.0]}]},
        {"columns": [{**COLUMN, "is_date": False, "number_format": 3}]},
        {"columns": [{**CODES, "categories": ["a", 1]}]},
        {"columns": [{**CODES, "is_embedded": "yes"}]},
        {"columns": [{**CODES, "trained_codes": [10**30]}]},
        {"columns": [{**CODES, "trained_codes": [2.0]}]},
        {"columns": [CODES, CODES]},
    ],
)
def test_preprocessing_of_other_types_is_refused(runs, tmp_path: Path, changes: dict) -> None:
    checkpoint = read_checkpoint(runs["regression"] / "checkpoints" / "best.ckpt")
    checkpoint["TabularDataModule"]["preprocessing"] |= changes
    write_checkpoint(checkpoint, tmp_path / "best.ckpt")
    with pytest.raises(ValueError, match="must hold preprocessing as nnlab writes it"):
        load_run(tmp_path / "best.ckpt")


def test_categories_in_single_precision_are_found(quick_command, tmp_path: Path) -> None:
    numbers = np.array([0.1, 0.2, 0.3] * 40)
    table = pl.DataFrame({"k": numbers, "y": np.where(numbers < 0.15, "low", "high")})
    table.write_csv(tmp_path / "table.csv")
    kinds = "data.columns.k=categorical"
    quick_command("train.py", "data=csv", "data.path=table.csv", "data.target=y", kinds, *QUICK)
    predictor = load_run(only_run(tmp_path))
    single = numbers[:3].astype(np.float32)
    expected = predictor.predict(table[:3].drop("y"))
    for rows in (pl.DataFrame({"k": single}), pandas.DataFrame({"k": single}), single[:, None]):
        assert predictor.predict(rows).equals(expected)


def test_a_network_of_ones_own_predicts_as_it_was_trained(
    quick_command, tmp_path: Path, monkeypatch
) -> None:
    (tmp_path / "own_models.py").write_text(
        "from nnlab.models import SupervisedModule\n"
        "class Flipped(SupervisedModule):\n"
        "    def forward(self, x):\n"
        "        return super().forward(1.0 - x)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("NNLAB_TRUSTED_PACKAGES", "own_models")
    quick_command("train.py", "model._target_=own_models.Flipped", "trainer.max_epochs=3")
    run_dir = only_run(tmp_path)
    labels = read_idx(DIGITS / "labels-idx1-ubyte.gz", ndim=1, sha256=None)
    predictor = load_run(run_dir)
    found = predictor.predict(DIGITS / "images-idx3-ubyte.gz")["prediction"].cast(pl.Int64)
    assert (found.to_torch() == labels).double().mean() > 0.9
    quick_command("export.py", f"run={run_dir}", "format=torch_export")
    graph = torch.export.load(run_dir / "model.pt2").module()
    (pixels,) = predictor.reader.read(DIGITS / "images-idx3-ubyte.gz")
    torch.testing.assert_close(graph(pixels=pixels[:9]), predictor(pixels[:9]))
    # The file alone knows its class, too.
    alone = load_run(run_dir / "checkpoints" / "best.ckpt")
    assert torch.equal(alone(pixels[:9]), predictor(pixels[:9]))
    monkeypatch.delenv("NNLAB_TRUSTED_PACKAGES")
    with pytest.raises(ValueError, match=r"got own_models\.Flipped; .*NNLAB_TRUSTED_PACKAGES"):
        load_run(run_dir / "checkpoints" / "best.ckpt")
