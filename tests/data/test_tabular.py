"""The CSV data module: real tables, inferred tasks, and what is refused."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from nnlab.data import TabularDataModule

PENGUINS = Path(__file__).parents[2] / "src" / "nnlab" / "data" / "embedded" / "penguins.csv"


def make_data(path: Path, target: str, **changes) -> TabularDataModule:
    arguments = {
        "path": str(path),
        "target": target,
        "task": "auto",
        "max_categories": 50,
        "val_fraction": 0.2,
        "test_fraction": 0.2,
        "batch_size": 32,
        "seed": 0,
    }
    return TabularDataModule(**{**arguments, **changes})


@pytest.fixture
def write(tmp_path: Path):
    def write_csv(text: str) -> Path:
        path = tmp_path / "table.csv"
        path.write_text(text)
        return path

    return write_csv


def numbered(targets: list) -> str:
    return "x,y\n" + "".join(f"{i},{target}\n" for i, target in enumerate(targets))


def test_penguins_load_with_their_missing_values() -> None:
    data = make_data(PENGUINS, "species")
    loaded = data.loaded
    assert data.spec.task == "multiclass"
    assert data.spec.class_names == ["Adelie", "Chinstrap", "Gentoo"]
    splits = (loaded.train, loaded.val, loaded.test)
    assert sum(len(targets) for _, targets in splits) == 344
    assert all(torch.isfinite(x).all() for x, _ in splits)
    columns = {column["name"]: column for column in loaded.preprocessing["columns"]}
    assert columns["sex"]["categories"] == ["female", "male"]
    assert columns["body_mass_g"]["has_missing"]


def test_every_real_table_loads_with_its_task(tables_folder: Path) -> None:
    for table in json.loads((tables_folder / "manifest.json").read_text()):
        data = make_data(tables_folder / table["file"], table["target"])
        splits = (data.loaded.train, data.loaded.val, data.loaded.test)
        assert data.spec.task == table["task"], table["name"]
        assert sum(len(targets) for _, targets in splits) == table["rows"], table["name"]
        assert all(torch.isfinite(x).all() for x, _ in splits), table["name"]
        if data.spec.class_names:
            assert len(data.spec.class_names) == table["n_classes"], table["name"]


def test_statistics_come_from_training_rows_only(write) -> None:
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"x": rng.normal(10, 3, 200), "y": rng.normal(-500, 20, 200)})
    loaded = make_data(write(frame.write_csv()), "y").loaded
    x, targets = loaded.train
    for values in (x, targets):
        assert values.mean().item() == pytest.approx(0, abs=1e-5)
        assert values.std(correction=0).item() == pytest.approx(1, abs=1e-5)
    column = loaded.preprocessing["columns"][0]
    assert column["mean"] != pytest.approx(frame["x"].mean(), abs=1e-6)
    assert loaded.spec.target_mean != pytest.approx(frame["y"].mean(), abs=1e-6)
    # Undone, the splits are the rows of the file again.
    splits = (loaded.train, loaded.val, loaded.test)
    every = torch.cat([targets for _, targets in splits]).double()
    undone = every * loaded.spec.target_std + loaded.spec.target_mean
    np.testing.assert_allclose(np.sort(undone.numpy()), np.sort(frame["y"].to_numpy()), rtol=1e-5)


@pytest.mark.parametrize(
    ("targets", "task", "class_names"),
    [
        (["yes", "no"] * 10, "binary", ["no", "yes"]),
        (["true", "false"] * 10, "binary", ["false", "true"]),
        ([0, 1] * 10, "binary", ["0", "1"]),
        ([0.0, 1.0] * 10, "binary", ["0.0", "1.0"]),
        (["c", "a", "b"] * 10, "multiclass", ["a", "b", "c"]),
        ([2, 10, 1] * 10, "multiclass", ["1", "2", "10"]),
        ([0.5, 1.5, 2.5] * 10, "regression", []),
        (list(range(30)), "regression", []),
    ],
)
def test_the_task_is_inferred_from_the_target(write, targets, task, class_names) -> None:
    data = make_data(write(numbered(targets)), "y")
    assert data.spec.task == task
    assert data.spec.class_names == class_names


def test_the_task_can_be_said(write) -> None:
    path = write(numbered([1, 2, 3, 4, 5] * 4))
    assert make_data(path, "y").spec.task == "multiclass"
    assert make_data(path, "y", task="regression").spec.task == "regression"


def test_rows_without_a_target_are_left_out(write) -> None:
    data = make_data(write(numbered(["a", "b", ""] * 10)), "y")
    splits = (data.loaded.train, data.loaded.val, data.loaded.test)
    assert sum(len(targets) for _, targets in splits) == 20


def test_targets_match_their_rows(write) -> None:
    rows = "".join(f"{i},{'high' if i >= 50 else 'low'}\n" for i in range(100))
    loaded = make_data(write("x,y\n" + rows), "y").loaded
    mean, std = (loaded.preprocessing["columns"][0][key] for key in ("mean", "std"))
    for x, targets in (loaded.train, loaded.val, loaded.test):
        is_low = (x.squeeze(1) * std + mean).round() >= 50  # classes in order: high, low
        assert torch.equal(targets, (~is_low).long())


@pytest.mark.parametrize(
    ("text", "target", "changes", "message"),
    [
        (numbered([1.5] * 9), "y", {}, "at least two values, got 1 in"),
        (
            numbered(["a", "b"] * 9),
            "Y",
            {},
            r"target must be a column of table.csv, got target='Y'; did you mean 'y'",
        ),
        (numbered(["a", "b"] * 9), "nothing", {}, r"\(its columns: x, y\)"),
        (numbered(["a", "b"] * 9 + ["c"]), "y", {}, "at least two rows, got one of 'c'"),
        (numbered(["a", "b"] * 9), "y", {"task": "regression"}, "needs a target of numbers"),
        (numbered(["a", "b", "c"] * 9), "y", {"task": "binary"}, "two values, got 3"),
        ("x,y\n1,2\n1,3\n1,4.5\n1,6\n1,9\n", "y", {}, "must have a column besides 'y' that varies"),
        ("y\n1\n2\n3.5\n4\n", "y", {}, "must have a column besides 'y' that varies, got none"),
        ("x,y\n1,2\n1,2,3\n", "y", {}, "line 3: it has 3 cells, but the header has 2"),
        ("", "y", {}, "must hold a table, but it is empty"),
    ],
)
def test_what_cannot_be_learned_is_refused(write, text, target, changes, message) -> None:
    data = make_data(write(text), target, **changes)
    with pytest.raises(ValueError, match=message) as caught:
        data.loaded  # noqa: B018
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"there is no file .*houses\.csv"):
        make_data(tmp_path / "houses.csv", "price").loaded  # noqa: B018


def test_arguments_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match=r"test_fraction must be a number in \(0, 1\)"):
        make_data(PENGUINS, "species", test_fraction=1.0)
