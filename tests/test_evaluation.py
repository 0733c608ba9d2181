"""Testing a finished run again: on its own test rows, on a moved file, on another one."""

import json
import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from conftest import run_quickly
from sklearn.metrics import confusion_matrix, f1_score, precision_score, r2_score, recall_score

from nnlab import load_run

QUICK = ["trainer.max_epochs=3", "model.hidden_sizes=[16]"]


def make_table(rows: int, seed: int) -> pl.DataFrame:
    generator = np.random.default_rng(seed)
    x = generator.normal(size=rows)
    noisy = x + generator.normal(0, 0.5, rows)
    kind = np.where(noisy > 0.5, "high", np.where(noisy < -0.5, "low", "middle"))
    return pl.DataFrame({"x": x, "kind": kind, "number": 100 + 20 * noisy})


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("evaluated")
    make_table(300, 0).write_csv(folder / "train.csv")
    found = {}
    for target, other in (("kind", "number"), ("number", "kind")):
        settings = ["data=csv", "data.path=train.csv", f"data.target={target}"]
        run_quickly(folder, "train.py", *settings, f"data.drop=[{other}]", f"name={target}", *QUICK)
        (found[target],) = (folder / "outputs" / target).iterdir()
    return found


def test_words_that_others_read_as_booleans_are_the_same(quick_command, tmp_path: Path) -> None:
    words = ["True", "False", "unknown"]
    frame = pl.DataFrame({"smoker": [words[i % 3] for i in range(300)]})
    frame = frame.with_columns(pl.int_range(pl.len()).alias("age") % 50)
    frame = frame.with_columns((pl.col("smoker") == "True").cast(pl.Int64).alias("cost") * 300)
    frame = frame.with_columns(pl.col("cost") + pl.col("age"))
    frame.write_csv(tmp_path / "table.csv")
    quick_command("train.py", "data=csv", "data.path=table.csv", "data.target=cost", *QUICK)
    (run_dir,) = tmp_path.glob("outputs/*/*")
    known = frame.filter(pl.col("smoker") != "unknown")
    known.write_csv(tmp_path / "known.csv")
    pl.read_csv(tmp_path / "known.csv", schema_overrides={"smoker": pl.Boolean}).write_parquet(
        tmp_path / "known.parquet"
    )
    for name in ("known.csv", "known.parquet"):
        printed = quick_command("evaluate.py", f"run={run_dir}", f"data.path={name}").stdout
        assert "category that training did not have" not in printed
    found = [
        json.loads((run_dir / "evaluations" / name / "metrics.json").read_text())["test"]
        for name in ("known.csv", "known.parquet")
    ]
    assert found[0] == found[1]
    frame.with_columns(pl.col("smoker").replace("unknown", "never")).write_csv(tmp_path / "odd.csv")
    printed = quick_command("evaluate.py", f"run={run_dir}", "data.path=odd.csv").stdout
    assert "column 'smoker': 100 cells of a category that training did not have" in printed
    assert "such as 'never'" in printed


def test_a_moved_file_is_tested_on_its_test_rows(runs, quick_command, tmp_path) -> None:
    shutil.copy(runs["kind"].parents[2] / "train.csv", tmp_path / "moved.csv")
    printed = quick_command("evaluate.py", f"run={runs['kind']}", "data.path=moved.csv").stdout
    assert "exactly as in" in printed
    assert not (runs["kind"] / "evaluations" / "moved.csv").exists()


def test_a_file_that_is_gone_is_asked_for(runs, quick_command) -> None:
    process = quick_command("evaluate.py", f"run={runs['kind']}", succeed=False)
    assert "there is no file train.csv; if it has moved, name it with data.path=F" in process.stderr


def test_what_a_setting_makes_no_longer_missing_is_told(runs, quick_command, tmp_path) -> None:
    make_table(20, 1).write_csv(tmp_path / "stated.csv")
    other = [f"run={runs['kind']}", "data.path=stated.csv"]
    printed = quick_command("evaluate.py", *other, "data.null_values=[XX]").stdout
    assert "by data.null_values, not missing as in training: NA, na, N/A, n/a, " in printed
    assert "by data.null_values" not in quick_command("evaluate.py", *other).stdout


def test_all_rows_of_another_file_are_tested(runs, quick_command, tmp_path) -> None:
    other = make_table(80, 1)
    other.write_csv(tmp_path / "other.csv", separator=";")
    printed = quick_command("evaluate.py", f"run={runs['kind']}", "data.path=other.csv").stdout
    content = json.loads((runs["kind"] / "evaluations" / "other.csv" / "metrics.json").read_text())
    predicted = load_run(runs["kind"]).predict(other)["prediction"]
    assert content["rows"] == 80
    assert content["test"]["accuracy"] == pytest.approx((predicted == other["kind"]).mean())
    assert content["test"]["f1"] == pytest.approx(
        f1_score(other["kind"], predicted, average="macro"), abs=1e-6
    )
    matrix = confusion_matrix(other["kind"], predicted, labels=["high", "low", "middle"])
    scores = [
        score(other["kind"], predicted, labels=["high", "low", "middle"], average=None)
        for score in (precision_score, recall_score)
    ]
    lines = [line.split() for line in printed.splitlines()]
    for name, row, *of_class in zip(["high", "low", "middle"], matrix, *scores, strict=True):
        never = [0] if name not in set(predicted) else []  # of which there is no precision
        assert [name, *map(str, row), *(f"{s:.4f}" for s in of_class[len(never) :])] in lines


def write_idx(path: Path, values: np.ndarray) -> None:
    header = bytes([0, 0, 8, values.ndim]) + b"".join(n.to_bytes(4, "big") for n in values.shape)
    path.write_bytes(header + values.astype(np.uint8).tobytes())


def write_images(folder: Path, images: int, shape: tuple[int, int], seed: int) -> np.ndarray:
    generator = np.random.default_rng(seed)
    folder.mkdir()
    pixels, labels = generator.integers(0, 256, (images, *shape)), np.arange(images) % 3
    write_idx(folder / "images-idx3-ubyte", pixels)
    write_idx(folder / "labels-idx1-ubyte", labels)
    return pixels.astype(np.uint8)


def test_all_images_of_another_folder_are_tested(quick_command, tmp_path) -> None:
    write_images(tmp_path / "mine", 60, (5, 9), seed=0)
    other = write_images(tmp_path / "other", 30, (5, 9), seed=1)
    write_images(tmp_path / "turned", 30, (9, 5), seed=1)
    quick_command("train.py", "data=digits", "data.root=mine", "data.sha256=null", *QUICK)
    (run_dir,) = (tmp_path / "outputs" / "digits").iterdir()
    shutil.copytree(tmp_path / "mine", tmp_path / "moved")
    assert (
        "exactly as in" in quick_command("evaluate.py", f"run={run_dir}", "data.root=moved").stdout
    )
    quick_command("evaluate.py", f"run={run_dir}", "data.root=other")
    content = json.loads((run_dir / "evaluations" / "other" / "metrics.json").read_text())
    predicted = load_run(run_dir).predict(other)["prediction"].cast(pl.Int64).to_numpy()
    assert content["rows"] == 30
    assert content["test"]["accuracy"] == pytest.approx((predicted == np.arange(30) % 3).mean())
    labels = tmp_path / "mine" / "labels-idx1-ubyte"
    whole = labels.read_bytes()
    labels.write_bytes(whole[:-1] + bytes([1 - whole[-1] % 2]))
    process = quick_command("evaluate.py", f"run={run_dir}", succeed=False)
    assert "mine must be as it was in training, but has changed since; with data.root=mine its" in (
        process.stderr
    )
    labels.unlink()
    process = quick_command("evaluate.py", f"run={run_dir}", succeed=False)
    assert "must be there, but it is not" in process.stderr
    labels.write_bytes(whole)
    # Also where the run's own are checked by their sums.
    config = run_dir / ".hydra" / "config.yaml"
    sums = "sha256: {images-idx3-ubyte: x, labels-idx1-ubyte: x}"
    config.write_text(config.read_text().replace("sha256: null", sums))
    quick_command("evaluate.py", f"run={run_dir}", "data.root=other")
    process = quick_command("evaluate.py", f"run={run_dir}", "data.root=turned", succeed=False)
    assert "must have 5 x 9 pixels, as in training, got 9 x 5" in process.stderr
    # A folder that is named by dots has a name, too: what the run found out of itself stays.
    before = (run_dir / "metrics.json").read_bytes()
    (tmp_path / "other" / "deep").mkdir()
    quick_command("evaluate.py", f"run={run_dir}", f"data.root={tmp_path / 'other' / 'deep'}/..")
    assert (run_dir / "metrics.json").read_bytes() == before


def test_files_of_one_name_keep_their_metrics_apart(runs, quick_command, tmp_path) -> None:
    places = [tmp_path / name / "twin.csv" for name in ("a", "b", "a")]
    for seed, path in enumerate(places[:2], start=7):
        path.parent.mkdir()
        make_table(60, seed).write_csv(path)
    for path in places:
        quick_command("evaluate.py", f"run={runs['kind']}", f"data.path={path}")
    found = runs["kind"].glob("evaluations/twin.csv*/metrics.json")
    assert {str(path.parent.name): json.loads(path.read_text())["path"] for path in found} == {
        "twin.csv": str(places[0]),
        "twin.csv_2": str(places[1]),
    }


def test_a_run_whose_files_have_moved_is_tested_and_gone_on_with(quick_command, tmp_path) -> None:
    keys = ("path", "val_path", "test_path")
    for seed, key in enumerate(keys, start=20):
        make_table(60, seed).write_csv(tmp_path / f"{key}.csv")
    settings = ["data=csv", "data.target=kind", "data.drop=[number]", "trainer.max_epochs=1"]
    files = [f"data.{key}={key}.csv" for key in keys]
    quick_command("train.py", *settings, "model.hidden_sizes=[16]", "scheduler=constant", *files)
    (run,) = (tmp_path / "outputs" / "csv").iterdir()
    for key in keys:
        (tmp_path / f"{key}.csv").rename(tmp_path / f"moved {key}.csv")
    gone = quick_command("evaluate.py", f"run={run}", "data.path=moved path.csv", succeed=False)
    assert "no file val_path.csv; if it has moved, name it with data.val_path=FILE" in gone.stderr
    moved = [f"data.{key}=moved {key}.csv" for key in keys]
    assert "exactly as in" in quick_command("evaluate.py", f"run={run}", *moved).stdout
    longer = quick_command("train.py", f"resume={run}", "trainer.max_epochs=2", *moved).stdout
    assert "epoch 2/2" in longer


def test_residuals_are_told_in_the_unit_of_the_target(runs, quick_command, tmp_path) -> None:
    other = make_table(101, 2)
    other.write_csv(tmp_path / "other.csv")
    printed = quick_command("evaluate.py", f"run={runs['number']}", "data.path=other.csv").stdout
    predicted = load_run(runs["number"]).predict(other)["prediction"]
    residuals = np.sort((predicted - other["number"]).to_numpy())
    lines = [line.split() for line in printed.splitlines()]
    values = lines[
        lines.index(["lowest", "5%", "25%", "median", "75%", "95%", "highest", "mean"]) + 1
    ]
    expected = [*residuals[[0, 5, 25, 50, 75, 95, 100]], residuals.mean()]
    assert [float(value) for value in values] == pytest.approx(expected, rel=1e-3, abs=1e-3)
    metrics = json.loads(
        (runs["number"] / "evaluations" / "other.csv" / "metrics.json").read_text()
    )
    assert metrics["test"]["r2"] == pytest.approx(r2_score(other["number"], predicted), abs=1e-5)


def test_rows_without_a_target_are_left_out_with_a_count(runs, quick_command, tmp_path) -> None:
    other = make_table(20, 3)
    kinds = [None, None, *other["kind"].to_list()[2:]]
    other.with_columns(pl.Series("kind", kinds)).write_csv(tmp_path / "other.csv")
    printed = quick_command("evaluate.py", f"run={runs['kind']}", "data.path=other.csv").stdout
    assert "2 of 20 rows have no kind and are left out" in printed
    assert "the 18 rows that have a target" in printed


@pytest.mark.parametrize(
    ("rows", "target", "said"),
    [
        (5, "kind", "auroc is left out: it needs rows of two classes, but all 5 rows are 'high'"),
        (1, "kind", "auroc is left out: it needs rows of two classes, but the only row is 'high'"),
        (1, "number", "r2 is left out: it needs targets that differ, got 1 row"),
    ],
)
def test_a_metric_that_the_rows_do_not_define_is_named(
    runs, quick_command, tmp_path, rows, target, said
) -> None:
    make_table(200, 6).filter(kind="high")[:rows].write_csv(tmp_path / "other.csv")
    command = ("evaluate.py", f"run={runs[target]}", "data.path=other.csv")
    assert said in quick_command(*command).stdout.splitlines()
    make_table(20, 6).write_csv(tmp_path / "other.csv")
    assert "is left out" not in quick_command(*command).stdout


@pytest.mark.parametrize("column", ["x", "number"])
def test_words_for_missing_values_are_named_with_the_setting_that_takes_them(
    runs, quick_command, tmp_path, column
) -> None:
    other = make_table(20, 3).cast(pl.String)
    cells = ["k.A.", "NA", "-", *other[column].to_list()[3:]]
    other.with_columns(pl.Series(column, cells)).write_csv(tmp_path / "other.csv")
    command = ("evaluate.py", f"run={runs['number']}", "data.path=other.csv")
    error = quick_command(*command, succeed=False).stderr
    way_out = (
        r"line 2 \(and 1 more such cell\); mend or empty the cell, or set (.*) to take such cells "
        "as missing$"
    )
    (suggested,) = re.findall(way_out, error)
    assert "rows that have a target" in quick_command(*command, *shlex.split(suggested)).stdout


def test_a_class_that_was_not_learned_is_named(runs, quick_command, tmp_path) -> None:
    make_table(20, 4).with_columns(pl.lit("huge").alias("kind")).write_csv(tmp_path / "other.csv")
    process = quick_command(
        "evaluate.py", f"run={runs['kind']}", "data.path=other.csv", succeed=False
    )
    message = (
        "target 'kind' must be one of high, low, middle, got 'huge' in other.csv, line 2; mend"
    )
    assert message in process.stderr


def test_a_training_file_that_has_changed_is_not_tested_by_mistake(quick_command, tmp_path) -> None:
    make_table(100, 5).write_csv(tmp_path / "grows.csv")
    settings = ["data=csv", "data.path=grows.csv", "data.target=kind", "data.drop=[number]"]
    quick_command("train.py", *settings, *QUICK)
    (run,) = (tmp_path / "outputs" / "csv").iterdir()
    make_table(120, 5).write_csv(tmp_path / "grows.csv")
    process = quick_command("evaluate.py", f"run={run}", succeed=False)
    assert "grows.csv must be as it was in training, but has changed since" in process.stderr
    printed = quick_command("evaluate.py", f"run={run}", "data.path=grows.csv").stdout
    assert "the 120 rows that have a target" in printed


def test_a_test_file_that_has_changed_is_not_tested_by_mistake(quick_command, tmp_path) -> None:
    make_table(90, 0).write_csv(tmp_path / "train.csv")
    make_table(40, 1).write_csv(tmp_path / "test.csv")
    data = ["data=csv", "data.path=train.csv", "data.target=kind", "data.test_path=test.csv"]
    quick_command("train.py", *data, "name=own", *QUICK)
    (run_dir,) = (tmp_path / "outputs" / "own").iterdir()
    assert "exactly as in" in quick_command("evaluate.py", f"run={run_dir}").stdout
    make_table(40, 2).write_csv(tmp_path / "test.csv")
    process = quick_command("evaluate.py", f"run={run_dir}", succeed=False)
    assert "test.csv must be as it was in training, but has changed since" in process.stderr
    make_table(50, 3).write_csv(tmp_path / "another.csv")
    printed = quick_command("evaluate.py", f"run={run_dir}", "data.test_path=another.csv").stdout
    assert "50 rows" in printed


def test_a_file_with_a_comma_in_its_name_is_tested(runs, quick_command, tmp_path) -> None:
    make_table(80, 1).write_csv(tmp_path / "a,b.csv")
    printed = quick_command("evaluate.py", f"run={runs['kind']}", "data.path=a,b.csv").stdout
    assert "80 rows" in printed
    # What is damaged there stays, and is no hindrance.
    path = runs["kind"] / "evaluations" / "a,b.csv" / "metrics.json"
    path.write_text("{")
    quick_command("evaluate.py", f"run={runs['kind']}", "data.path=a,b.csv")
    assert path.read_text() == "{"
    assert (path.parents[1] / "a,b.csv_2" / "metrics.json").is_file()
