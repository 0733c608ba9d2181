"""The table data module: real tables, splits, statistics of training rows, and what is refused."""

import copy
import json
import logging
import re
import shlex
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf
from sklearn.preprocessing import QuantileTransformer, RobustScaler, StandardScaler

from nnlab.data import TabularDataModule, missing, storage, table_encoding
from nnlab.data.chunks import read_chunks
from nnlab.data.module import LoadedData
from nnlab.data.table_rows import TableReader
from nnlab.data.unfamiliar import Unfamiliar

ROOT = Path(__file__).parents[2]
PENGUINS = ROOT / "src" / "nnlab" / "data" / "embedded" / "penguins.csv"
DEFAULTS = OmegaConf.to_container(OmegaConf.load(ROOT / "configs/data/csv.yaml"), resolve=False)
SPLITS = ("train", "val", "test")


def make_data(path: Path, target: str, **changes) -> TabularDataModule:
    """A data module with the defaults of `configs/data/csv.yaml`."""
    for_hydra = ("defaults", "_target_")
    arguments = {name: value for name, value in DEFAULTS.items() if name not in for_hydra}
    arguments |= {"path": str(path), "target": target, "seed": 0}
    return TabularDataModule(**{**arguments, **changes})


@pytest.fixture
def write(tmp_path: Path):
    """Writes a text, or a frame as CSV, and returns the path."""

    def write_csv(table: str | pl.DataFrame, name: str = "table.csv") -> Path:
        path = tmp_path / name
        path.write_text(table if isinstance(table, str) else table.write_csv())
        return path

    return write_csv


def numbered(targets: list) -> str:
    return "x,y\n" + "".join(f"{i},{target}\n" for i, target in enumerate(targets))


def halves(targets: list) -> str:
    return "x,y\n" + "".join(f"{i / 2},{target}\n" for i, target in enumerate(targets))


def make_frame(rows: int = 200) -> pl.DataFrame:
    """Rows that can be told by `n`, with groups, dates and a target of unequal classes."""
    rng = np.random.default_rng(0)
    days = [date(2024, 1, 1) + timedelta(int(i)) for i in rng.choice(90, rows)]
    return pl.DataFrame(
        {
            "n": np.arange(rows) + 0.5,
            "skewed": rng.lognormal(2, 1, rows),
            "letter": rng.choice(list("abc"), rows),
            "patient": rng.integers(0, 40, rows),
            "day": [f"{day:%d.%m.%Y}" for day in days],
            "y": rng.choice(["low", "high", "top"], rows, p=[0.7, 0.2, 0.1]),
        }
    )


def rows_of(loaded: LoadedData, split: str) -> list[int]:
    """The row numbers of a split of `make_frame`, recovered from the input of `n`."""
    column = loaded.preprocessing["columns"][0]
    assert column["name"] == "n"
    assert column["scaling"] == "standard"
    x, _ = getattr(loaded, split)
    numbers = x[:, 0].double() * column["scale"] + column["center"]
    return (numbers - 0.5).round().long().tolist()


def targets_of(loaded: LoadedData) -> list[torch.Tensor]:
    """The targets of the three splits in the target's unit."""
    spec = loaded.spec
    return [
        getattr(loaded, split)[1].double() * spec.target_std + spec.target_mean for split in SPLITS
    ]


def inputs_of(loaded: LoadedData) -> list[torch.Tensor]:
    return [getattr(loaded, split)[0] for split in SPLITS]


def test_penguins_load_with_their_missing_values() -> None:
    data = make_data(PENGUINS, "species")
    loaded = data.loaded
    assert data.spec.task == "multiclass"
    assert data.spec.class_names == ["Adelie", "Chinstrap", "Gentoo"]
    assert sum(map(len, targets_of(loaded))) == 344
    assert all(torch.isfinite(x).all() for x in inputs_of(loaded))
    columns = {column["name"]: column for column in loaded.preprocessing["columns"]}
    assert columns["sex"]["categories"] == ["female", "male"]
    assert columns["body_mass_g"]["has_missing"]
    assert loaded.warnings == []


def test_every_real_table_loads_with_its_task(tables_folder: Path) -> None:
    for table in json.loads((tables_folder / "manifest.json").read_text()):
        data = make_data(tables_folder / table["file"], table["target"])
        splits = (data.loaded.train, data.loaded.val, data.loaded.test)
        assert data.spec.task == table["task"], table["name"]
        assert sum(len(targets) for _, targets in splits) == table["rows"], table["name"]
        assert all(torch.isfinite(x).all() for x, _ in splits), table["name"]
        assert all(x.shape[1:] == tuple(data.spec.input_shape) for x, _ in splits)
        if data.spec.class_names:
            assert len(data.spec.class_names) == table["n_classes"], table["name"]
            assert sum(data.spec.class_counts) == len(splits[0][1])
        assert len(data.loaded.column_table) == table["n_num"] + table["n_cat"], table["name"]


@pytest.mark.parametrize("scaling", ["robust", "standard", "quantile"])
def test_statistics_come_from_training_rows_only(write, scaling: str) -> None:
    frame = pl.DataFrame({"x": make_frame()["skewed"], "y": np.arange(200) + 0.5})
    loaded = make_data(write(frame), "y", scaling=scaling).loaded
    # The target is the row's number.
    train, val, test = ((part - 0.5).round().long().numpy() for part in targets_of(loaded))
    assert sorted([*train, *val, *test]) == list(range(200))
    assert loaded.spec.target_mean == pytest.approx((train + 0.5).mean())
    assert loaded.spec.target_std == pytest.approx(train.std())
    x = frame["x"].to_numpy()
    oracle = {
        "robust": RobustScaler(),
        "standard": StandardScaler(),
        "quantile": QuantileTransformer(n_quantiles=len(train), output_distribution="normal"),
    }[scaling]
    oracle.fit(x[train, None])
    for rows, inputs in zip((train, val, test), inputs_of(loaded), strict=True):
        expected = oracle.transform(x[rows, None])[:, 0]
        inputs = inputs[:, 0].double().numpy()
        if scaling == "robust":
            expected = expected / np.sqrt(1 + (expected / 3) ** 2)
        # The ends of a quantile scale are a convention.
        inner = np.abs(expected) < (1.5 if scaling == "quantile" else np.inf)
        atol = 0.05 if scaling == "quantile" else 1e-5
        np.testing.assert_allclose(inputs[inner], expected[inner], atol=atol)


def test_vocabularies_come_from_training_rows_only(write) -> None:
    frame = make_frame().with_columns(n=pl.int_range(200) + 0.5)
    path = write(frame)
    test = rows_of(make_data(path, "y", scaling="standard").loaded, "test")
    # A category that is frequent, but only in test rows.
    is_test = pl.int_range(200).is_in(test)
    path = write(frame.with_columns(letter=pl.when(is_test).then(pl.lit("z")).otherwise("letter")))
    loaded = make_data(path, "y", scaling="standard").loaded
    assert rows_of(loaded, "test") == test
    (letter,) = (c for c in loaded.preprocessing["columns"] if c["name"] == "letter")
    assert letter["categories"] == ["a", "b", "c"]
    assert loaded.test[0].shape[1] == loaded.train[0].shape[1]


@pytest.mark.parametrize(
    ("targets", "task", "class_names"),
    [
        (["yes", "no"] * 10, "binary", ["no", "yes"]),
        (["true", "false"] * 10, "binary", ["false", "true"]),
        ([0, 1] * 10, "binary", ["0", "1"]),
        ([0.0, 1.0] * 10, "binary", ["0", "1"]),
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
    counts = torch.bincount(data.loaded.train[1]).tolist() if class_names else []
    assert data.spec.class_counts == counts


def test_the_task_can_be_said(write) -> None:
    path = write(numbered([1, 2, 3, 4, 5] * 4))
    assert make_data(path, "y").spec.task == "multiclass"
    assert make_data(path, "y", task="regression").spec.task == "regression"


@pytest.mark.parametrize(
    ("targets", "task", "line"),
    [
        (["yes"] * 12 + ["no"] * 8, "auto", "binary, from 2 values of y: 'yes' 12, 'no' 8"),
        (
            [1, 2, 3, 4] * 5,
            "auto",
            "multiclass, from 4 values of y: '4' 5, '3' 5, '2' 5, '1' 5; "
            "data.task=regression takes them as numbers",
        ),
        (
            [*"abcdefgh"] * 3,
            "multiclass",
            "multiclass, as data.task says, from 8 values of y: 'h' 3, 'g' 3, 'f' 3, 'e' 3, "
            "'d' 3, 'c' 3 and 2 more",
        ),
        (
            [0.5, 1.5, 2.5] * 9,
            "auto",
            "regression, from 3 values of y; data.task=multiclass takes them as classes",
        ),
        ([i / 2 for i in range(60)], "auto", "regression, from 60 values of y"),
    ],
)
def test_the_task_is_told_with_its_classes_and_the_way_to_another(
    write, caplog, targets: list, task: str, line: str
) -> None:
    with caplog.at_level(logging.INFO):
        make_data(write(halves(targets)), "y", task=task).loaded  # noqa: B018
    assert f"task   {line}" in caplog.messages
    for suggested in re.findall(r"data\.task=(\w+) takes", line):
        assert make_data(write(halves(targets)), "y", task=suggested).spec.task == suggested


def test_classes_that_are_alike_and_rows_that_are_copies_are_warned_of(write) -> None:
    frame = make_frame().with_columns(y=pl.col("y").replace("top", "HIGH "))
    first, second = make_data(write(pl.concat([frame, frame[:3]])), "y").loaded.warnings
    assert first.startswith("classes of 'y' differ only in capitals or blanks: 'HIGH' and 'high'")
    assert second.startswith("3 of 203 rows repeat another one cell by cell")


def test_numbers_that_are_written_with_signs_are_read_so_ever_after(write) -> None:
    frame = make_frame()
    amounts = (frame["skewed"] * 1000).round(2)
    texts = pl.Series("skewed", [f"${amount:,.2f}" for amount in amounts])
    data = make_data(write(frame.with_columns(texts)), "y")
    plain = make_data(write(frame.with_columns(amounts), "plain.csv"), "y")
    assert data.loaded.column_table[1][4] == "1 input; read as $1,000.5"
    for one, other in zip(inputs_of(data.loaded), inputs_of(plain.loaded), strict=True):
        assert torch.equal(one, other)
    preprocessing = json.loads(json.dumps(data.loaded.preprocessing))
    assert preprocessing["columns"][1]["number_format"] == "$1,000.5"
    reader = TableReader(preprocessing)
    numbers, _ = reader.read(reader.prepare(frame.with_columns(texts)))
    # A data frame may hold the numbers themselves.
    assert torch.equal(numbers, reader.read(reader.prepare(frame.with_columns(amounts)))[0])
    assert numbers[:, 1].tolist() == amounts.to_list()
    other = write(frame.with_columns(texts.set(pl.int_range(200, eager=True) == 7, "950")), "o.csv")
    message = "'skewed' must hold numbers such as $1,000.5, got '950' in o.csv, line 9; mend or"
    with pytest.raises(ValueError, match=re.escape(message)):
        data.read_labelled(other, preprocessing)


def test_a_decimal_comma_tells_what_marks_thousands(write) -> None:
    amounts = [(950, 1100, 23000)[i % 3] + i for i in range(60)]
    rows = "".join(f"{amount:,};{i % 7}\n".replace(",", ".") for i, amount in enumerate(amounts))
    data = make_data(write(f"x;y\n{rows}"), "y", decimal=",")
    assert data.loaded.column_table[0][4] == "1 input; read as 1.000,5"
    reader = TableReader(data.loaded.preprocessing)
    prepared = reader.prepare(pl.DataFrame({"x": ["950", "1.100"]}))
    assert reader.read(prepared)[0].flatten().tolist() == [950, 1100]


def test_rows_without_a_target_are_left_out(write, caplog) -> None:
    data = make_data(write(numbered(["a", "b", ""] * 10)), "y")
    with caplog.at_level(logging.INFO):
        assert sum(map(len, targets_of(data.loaded))) == 20
    assert "10 of 30 rows have no y and are left out" in caplog.text


def test_a_class_that_spells_a_missing_value_is_named_with_the_way_to_keep_it(
    write, caplog
) -> None:
    path = write("x,y\n" + "1.5,None\nNA,Insomnia\n2.5,Apnea\n,\n" * 5)
    with caplog.at_level(logging.WARNING):
        assert make_data(path, "y").loaded.spec.task == "binary"
    (said,) = caplog.messages
    assert said == (
        "warning: 10 of 20 rows have no y and are left out: 5 'None', 5 empty; if 'None' is a "
        "class, set 'data.null_values=[NA]' to keep it"
    )
    loaded = make_data(path, "y", null_values=stated_in(said)).loaded
    assert loaded.spec.class_names == ["Apnea", "Insomnia", "None"]
    assert loaded.preprocessing["columns"][0]["has_missing"]


def test_rows_of_training_in_a_file_to_evaluate_are_told_of(write, tmp_path: Path, caplog) -> None:
    generator = np.random.default_rng(0)
    frame = pl.DataFrame({"x": generator.normal(size=100), "y": ["a", "b"] * 50})
    preprocessing = make_data(write(frame), "y").loaded.preprocessing
    other = tmp_path / "other.parquet"
    for rows, told in ((frame, True), (frame.with_columns(pl.col("x") / 2), False)):
        rows.write_parquet(other)
        caplog.clear()
        make_data(other, "y").read_labelled(other, preprocessing)
        said = [text for text in caplog.messages if text.startswith("warning: 60 of 60 training")]
        assert len(said) == told


def test_of_learned_classes_only_those_are_missed(write, caplog) -> None:
    path = write("x,y\n" + "1.5,None\n2,NA\n2.5,Apnea\n" * 5)
    data = make_data(path, "y", null_values=["NA"])
    preprocessing = data.loaded.preprocessing
    with caplog.at_level(logging.INFO):
        caplog.clear()
        data.read_labelled(path, preprocessing)
        # Only `None` and `Apnea` have been learned.
        assert caplog.messages == ["5 of 15 rows have no y and are left out: 5 'NA'"]
        caplog.clear()
        make_data(path, "y").read_labelled(path, preprocessing)
    (said,) = caplog.messages
    assert said.endswith(
        "5 'None', 5 'NA'; if 'None' is a class, set 'data.null_values=[NA]' to keep it"
    )
    data = make_data(path, "y", null_values=stated_in(said))
    assert len(data.read_labelled(path, preprocessing)[0]) == 10


def test_a_number_that_is_missing_is_no_class(write, caplog, monkeypatch) -> None:
    path, said = write(halves([1.5, 2.5, 3.5, 4.5, "NA", "?"] * 5)), "10 of 30 rows have no y and"
    with caplog.at_level(logging.INFO):
        make_data(path, "y").loaded  # noqa: B018
        assert f"{said} are left out: 5 'NA', 5 '?'" in caplog.messages
        # A large file is not read again to count.
        monkeypatch.setattr(missing, "_SMALL_FILE", 0)
        make_data(path, "y").loaded  # noqa: B018
    assert f"{said} are left out: empty cells, or those that data.null_values" in caplog.text


def stated_in(message: str) -> list[str]:
    """The spellings of missing values in a setting that a message suggests."""
    (stated,) = re.findall(r"'data.null_values=.*?\]'", message)
    value: list[str] = OverridesParser.create().parse_override(*shlex.split(stated)).value()
    return value


def test_targets_match_their_rows(write) -> None:
    frame = make_frame()
    loaded = make_data(write(frame), "y", scaling="standard").loaded
    assert loaded.spec.class_names == ["high", "low", "top"]
    for split in SPLITS:
        names = [loaded.spec.class_names[i] for i in getattr(loaded, split)[1].tolist()]
        assert names == frame["y"][rows_of(loaded, split)].to_list()


def test_splits_have_their_shares_and_are_stratified(write) -> None:
    loaded = make_data(write(make_frame()), "y", val_fraction=0.25, test_fraction=0.2).loaded
    train, val, test = (torch.bincount(getattr(loaded, split)[1]) for split in SPLITS)
    assert [int(counts.sum()) for counts in (train, val, test)] == [120, 40, 40]
    assert ((val / 40 - train / 120).abs() < 0.03).all()
    assert ((test / 40 - train / 120).abs() < 0.03).all()


def test_the_seed_chooses_the_rows(write) -> None:
    path = write(make_frame())
    first, again, other = (
        rows_of(make_data(path, "y", scaling="standard", seed=seed).loaded, "test")
        for seed in (5, 5, 6)
    )
    assert first == again != other


def test_groups_stay_together_and_are_no_feature(write) -> None:
    frame = make_frame()
    data = make_data(write(frame), "y", scaling="standard", group="patient")
    loaded = data.loaded
    rows = {split: rows_of(loaded, split) for split in SPLITS}
    assert sorted(row for part in rows.values() for row in part) == list(range(200))
    patients = [set(frame["patient"][rows[split]].to_list()) for split in SPLITS]
    assert all(patients)
    assert sum(map(len, patients)) == frame["patient"].n_unique()
    assert "patient" not in [row[0] for row in loaded.column_table]
    assert len(rows["test"]) == pytest.approx(40, abs=10)


def test_groups_may_be_texts_and_missing(write) -> None:
    frame = make_frame().with_columns(
        patient=pl.concat_str(pl.lit("P"), "patient").replace("P7", None)
    )
    data = make_data(write(frame), "y", scaling="standard", group="patient")
    patients = [set(frame["patient"][rows_of(data.loaded, split)].to_list()) for split in SPLITS]
    # Those without one are together, too.
    assert sum(map(len, patients)) == frame["patient"].n_unique()
    assert None in set.union(*patients)


def test_rows_without_a_group_are_a_group(write) -> None:
    is_first = pl.int_range(200) < 40
    frame = make_frame().with_columns(patient=pl.when(is_first).then(pl.lit("P")))
    val_path = str(write(make_frame(), "val.csv"))
    data = make_data(write(frame), "y", scaling="standard", group="patient", val_path=val_path)
    assert "patient" in data.loaded.preprocessing["left_out"]  # known, if of no use
    tested = rows_of(data.loaded, "test")
    assert sorted(tested) in ([*range(40)], [*range(40, 200)])


@pytest.mark.parametrize("drop", [[], ["day"]])
def test_later_rows_are_held_out(write, drop: list) -> None:
    frame = make_frame()
    data = make_data(write(frame), "y", scaling="standard", time="day", drop=drop)
    days = frame["day"].str.to_date("%d.%m.%Y")
    train, val, test = (days[rows_of(data.loaded, split)] for split in SPLITS)
    assert train.max() < val.min()
    assert val.max() < test.min()
    assert len(test) == pytest.approx(40, abs=4)
    # It is a feature unless it is dropped.
    kinds = {row[0]: row[1] for row in data.loaded.column_table}
    assert kinds["day"] == ("left out" if drop else "date")


def test_the_format_of_the_time_can_be_said(write) -> None:
    days = [date(2024, 1, 1) + timedelta(i % 300) for i in range(40)]
    texts = [f"{day.replace(day=day.day % 12 + 1):%m/%d/%Y}" for day in days]
    frame = pl.DataFrame({"n": np.arange(40) + 0.5, "when": texts, "y": ["a", "b"] * 20})
    said = {"when": "%m/%d/%Y"}
    data = make_data(write(frame), "y", scaling="standard", time="when", columns=said)
    days = frame["when"].str.to_date("%m/%d/%Y")
    assert days[rows_of(data.loaded, "train")].max() < days[rows_of(data.loaded, "test")].min()


def test_a_row_without_a_time_is_refused(write) -> None:
    frame = make_frame().with_columns(n=pl.when(pl.col("n") != 7.5).then("n"))
    with pytest.raises(ValueError, match=r"'n' must hold a time .*, line 9; fill such cells"):
        make_data(write(frame), "y", time="n").loaded  # noqa: B018


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("setting", ["time", "group"])
def test_three_values_are_enough_for_three_splits_and_two_are_not(
    write, setting: str, seed: int
) -> None:
    years = pl.Series("year", [2022] * 160 + [2023] * 25 + [2024] * 15)
    path = write(make_frame().with_columns(years))
    loaded = make_data(path, "y", scaling="standard", seed=seed, **{setting: "year"}).loaded
    rows = [years[rows_of(loaded, split)].unique().to_list() for split in SPLITS]
    assert sorted(rows) == [[2022], [2023], [2024]]
    if setting == "time":
        assert rows == sorted(rows)
    path = write(make_frame().with_columns(years.clip(2023)))
    message = (
        f"data.{setting} must name a column of at least 3 different values, for training and "
        "validation and test rows, got 2 in 'year' ('2023', '2024'); leave it out to split at "
        "random, or hold rows out in a file of their own with data.val_path=FILE or "
        "data.test_path=FILE"
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        make_data(path, "y", seed=seed, **{setting: "year"}).loaded  # noqa: B018
    other = str(write(make_frame().with_columns(years), "other.csv"))
    loaded = make_data(path, "y", seed=seed, val_path=other, **{setting: "year"}).loaded
    assert len(loaded.test[0]) in ((15,) if setting == "time" else (15, 185))
    path = write(make_frame().with_columns(years.clip(2024)))
    with pytest.raises(ValueError, match=r"at least 2 different values, .* got 1 in .*test_path"):
        make_data(path, "y", seed=seed, val_path=other, **{setting: "year"}).loaded  # noqa: B018


@pytest.mark.parametrize("group", [None, "patient"])
def test_folds_test_every_row_once(write, group) -> None:
    path = write(make_frame())
    tested = []
    for fold in range(4):
        data = make_data(path, "y", scaling="standard", folds=4, fold=fold, group=group)
        rows = {split: rows_of(data.loaded, split) for split in SPLITS}
        assert sorted(row for part in rows.values() for row in part) == list(range(200))
        assert len(rows["test"]) == pytest.approx(50, abs=0 if group is None else 15)
        tested += rows["test"]
        if group:
            patients = [set(make_frame()["patient"][rows[split]]) for split in SPLITS]
            assert sum(map(len, patients)) == make_frame()["patient"].n_unique()
    assert sorted(tested) == list(range(200))


def test_files_of_their_own_are_validated_and_tested_on(write) -> None:
    frame = make_frame()
    main = write(frame[:120], "train.csv")
    paths = {
        "val_path": str(write(frame[120:150], "val.csv")),
        "test_path": str(write(frame[150:].sample(fraction=1, shuffle=True, seed=1), "test.csv")),
    }
    loaded = make_data(main, "y", scaling="standard", **paths).loaded
    assert rows_of(loaded, "train") == list(range(120))
    assert rows_of(loaded, "val") == list(range(120, 150))
    assert sorted(rows_of(loaded, "test")) == list(range(150, 200))
    column = loaded.preprocessing["columns"][0]
    assert column["center"] == pytest.approx(60)  # of the main file alone
    only_test = make_data(main, "y", scaling="standard", test_path=paths["test_path"]).loaded
    assert len(only_test.val[1]) == 30
    assert len(only_test.test[1]) == 50
    only_val = make_data(main, "y", scaling="standard", val_path=paths["val_path"]).loaded
    assert [len(targets) for targets in targets_of(only_val)] == [96, 30, 24]


def test_files_of_their_own_must_fit(write) -> None:
    main = write(make_frame()[:150])
    other = make_frame()[150:]
    for changed, message in (
        (other.drop("skewed"), "column 'skewed' must be in other.csv, as in training"),
        (other.drop("y"), "target must be a column of other.csv"),
        (other.with_columns(y=pl.lit("huge")), "target 'y' must be one of high, low, .* 'huge'"),
        (
            other.with_columns(skewed=pl.Series(["1.5", "2.5", "!", *["3.5"] * 47])),
            "'skewed' must hold finite numbers, got '!' in other.csv, line 4; mend",
        ),
    ):
        path = write(changed, "other.csv")
        with pytest.raises(ValueError, match=message):
            make_data(main, "y", test_path=str(path)).loaded  # noqa: B018


@pytest.mark.parametrize("split", ["val", "test"])
@pytest.mark.parametrize(
    ("labels", "cell", "message"),
    [
        (["a", "b"], "huge", "'y' must be one of a, b, got 'huge' in other.csv, line 6; mend"),
        ([0.5, 1.5, 2.5], "?!", r"'y' must hold numbers, got '\?!' in other.csv, line 6; mend"),
    ],
)
def test_a_target_of_another_file_that_does_not_fit_has_its_line(
    write, split: str, labels: list, cell: str, message: str
) -> None:
    main = write(halves(labels * 9))
    # A row without a target and a blank line stand before it.
    path = write(halves([labels[0], "", f"{labels[0]}\n", cell, labels[1]]), "other.csv")
    with pytest.raises(ValueError, match=message):
        make_data(main, "y", **{f"{split}_path": str(path)}).loaded  # noqa: B018


@pytest.mark.parametrize("task", ["auto", "regression"])
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            {7: "unknown"},
            "must hold numbers or labels, got 59 numbers and 1 word, 'unknown' in table.csv, "
            "line 9; mend it, or set 'data.null_values=[unknown]' to leave such rows out, or "
            "data.task=multiclass if all of them are labels",
        ),
        (
            {50: "n.k.", 7: "not known", 8: "NA"},
            "got 57 numbers and 2 words, the first 'not known' in table.csv, line 9; mend such "
            "cells, or set 'data.null_values=[NA,\"not known\",n.k.]' to leave such rows out",
        ),
        (
            dict.fromkeys(range(30, 60), "none"),
            "got 30 numbers and 30 words, the first 'none' in table.csv, line 32; mend such",
        ),
        (
            {i: f"{i}x" for i in range(11)},
            "words, the first '0x' in table.csv, line 2; mend such cells, or data.task=multiclass",
        ),
    ],
    ids=["one", "two", "half", "many"],
)
def test_a_word_among_numbers_is_found_by_its_line(write, task: str, words, message: str) -> None:
    path = write(halves([words.get(i, i * 1.5) for i in range(60)]))
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        make_data(path, "y", task=task).loaded  # noqa: B018
    if "data.null_values" in message:
        # What is suggested helps.
        spellings = stated_in(str(caught.value))
        loaded = make_data(path, "y", task=task, null_values=spellings).loaded
        assert loaded.spec.task == "regression"
        assert sum(len(rows) for rows in targets_of(loaded)) == 60 - len(words)


def test_a_file_beside_the_first_that_is_written_otherwise_is_to_be_written_alike(write) -> None:
    path = write("x;y\n" + "".join(f"{i / 7:.3f};{i / 3:.4f}\n" for i in range(60)))
    text = "x;y\n" + "".join(f"{i / 7:.3f};{i / 3:.4f}\n" for i in range(60)).replace(".", ",")
    other = write(text, "other.csv")
    way_out = "so write other.csv as table.csv is written if it does not suit both"
    for stated in ({}, {"decimal": "."}):
        with pytest.raises(ValueError, match=r"data\.decimal=.*" + re.escape(way_out)):
            make_data(path, "y", val_path=str(other), **stated).loaded  # noqa: B018
    back = re.escape("set 'data.decimal=\".\"' if the point is a decimal mark")
    with pytest.raises(ValueError, match=back):
        make_data(path, "y", val_path=str(other), decimal=",").loaded  # noqa: B018


def test_a_word_among_amounts_of_money_is_found_by_its_line(write) -> None:
    cells = [f'"€{1000 + 7 * i:,}"' for i in range(60)]
    cells[40] = "on request"
    path = write(halves(cells))
    message = "must hold numbers such as €1,000.5, got 'on request' in table.csv, line 42; mend or"
    for task in ("auto", "regression"):
        with pytest.raises(ValueError, match=re.escape(message)) as caught:
            make_data(path, "y", task=task).loaded  # noqa: B018
        spellings = stated_in(str(caught.value))
        loaded = make_data(path, "y", task=task, null_values=spellings).loaded
        assert loaded.spec.task == "regression"
        assert sum(len(rows) for rows in targets_of(loaded)) == 59


def test_errors_of_excel_are_missing_values(write) -> None:
    cells = ["#DIV/0!", "#REF!", "#N/A", *(f"{i / 7}" for i in range(60))]
    loaded = make_data(write(halves(cells)), "y").loaded
    assert sum(len(rows) for rows in targets_of(loaded)) == 60


@pytest.mark.parametrize("task", ["auto", "regression"])
@pytest.mark.parametrize(
    "cell",
    ["${:,}", "{:.2f} €", "JPY {:,}", "{} %", "{:,}", "{:,}.0", "-{:,}", "({:,})", "({})", "{} kg"],
)
def test_a_target_that_is_written_as_an_amount_is_one_of_numbers(
    write, caplog: pytest.LogCaptureFixture, task: str, cell: str
) -> None:
    numbers = [*range(1000, 1210, 7)] * 2
    path = write(halves(f'"{cell.format(number)}"' for number in numbers))
    if task == "auto" and cell in ("({})", "{} kg"):  # which may be part of a name
        with pytest.raises(ValueError, match=r"1000.* in .*, line 2; set data\.task=regression"):
            make_data(path, "y", task=task).loaded  # noqa: B018
        return
    with caplog.at_level("INFO"):
        loaded = make_data(path, "y", task=task).loaded
    assert loaded.spec.task == "regression"
    assert f"read as {loaded.preprocessing['target_format']}" in caplog.text
    sign = -1 if cell[0] in "-(" else 1
    read = torch.cat(targets_of(loaded)).sort().values
    assert torch.allclose(read, sign * torch.tensor(sorted(numbers)[::sign]).double(), atol=0.01)


OPEN = "".join(f"{i + 1},{250 + i};{i * 7};{i % 2}\n" for i in range(60))


def test_commas_behind_dollars_are_not_asked_about(write) -> None:
    path = write("a;b;y\n" + re.sub(r"(?m)^", "$", OPEN.rstrip("\n")) + "\n")
    columns = make_data(path, "y").loaded.preprocessing["columns"]
    assert columns[0]["number_format"] == "$1,000.5"


def test_names_may_be_given_as_they_stand_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    rows = range(60)
    pl.DataFrame(
        {
            "a ": [i * 1.5 for i in rows],
            " g": [i // 6 for i in rows],
            "t\u00a0": list(rows),
            "d": list(rows),
            "y ": [i % 2 for i in rows],
        }
    ).write_parquet(path)
    for more in ({"group": " g"}, {"time": "t\u00a0"}):
        data = make_data(path, "y ", drop=["d ", "t\u00a0"], columns={" a": "numeric"}, **more)
        names = [column["name"] for column in data.loaded.preprocessing["columns"]]
        assert names == (["a"] if "group" in more else ["a", "g"])


@pytest.mark.parametrize("target", ["y", "a"])
def test_commas_that_may_mark_thousands_are_asked_about(write, target: str) -> None:
    path = write(f"a;b;y\n{OPEN}")
    with pytest.raises(ValueError, match="semicolons between cells leave open") as caught:
        make_data(path, target).loaded  # noqa: B018
    assert "column 'a'" in str(caught.value)
    assert "set 'data.decimal=\",\"' if the comma is a decimal mark" in str(caught.value)
    assert "'data.decimal=\".\"' if it marks thousands" in str(caught.value)
    centres = []
    for decimal in (",", "."):
        preprocessing = make_data(path, target, decimal=decimal).loaded.preprocessing
        column = preprocessing["columns"][0]["center"]
        centres.append(preprocessing["target_mean"] if target == "a" else column)
    assert centres[1] == pytest.approx(centres[0] * 1000)
    if target == "y":
        assert make_data(path, "y", drop=["a"]).loaded.spec.input_shape == [1]
        assert make_data(path, "y", columns={"a": "categorical"}).loaded


@pytest.mark.parametrize(
    "content",
    [
        f"a;b;y\n{OPEN}1,060,309;1;0\n",
        f"a;b;y\n{OPEN}1,250.5;3;1\n",
        "a;b;y\n" + OPEN.replace(";7;", ";7.5;"),
        "a,b,y\n" + re.sub(r"(\d+,\d{3})", r'"\1"', OPEN).replace(";", ","),
    ],
    ids=["two commas", "a point", "a point elsewhere", "commas between cells"],
)
def test_commas_that_mark_thousands_for_sure_are_not_asked_about(write, content: str) -> None:
    columns = make_data(write(content), "y").loaded.preprocessing["columns"]
    assert columns[0]["number_format"] == "1,000.5"


def test_a_target_is_read_by_its_format_in_other_files_too(write, tmp_path: Path) -> None:
    data = make_data(write(halves(f'"${i:,}"' for i in range(980, 1040))), "y")
    preprocessing = data.loaded.preprocessing
    written, plain, odd = (tmp_path / name for name in ("written.csv", "plain.csv", "odd.csv"))
    written.write_text('x,y\n1,"$1,010"\n2,"$1,020"\n')
    plain.write_text("x,y\n1,1010\n2,1020\n")
    odd.write_text('x,y\n1,"$1,010"\n2,about $5\n')
    for path in (written, plain):
        _, targets = data.read_labelled(path, preprocessing)
        numbers = targets * preprocessing["target_std"] + preprocessing["target_mean"]
        assert numbers.tolist() == pytest.approx([1010, 1020], abs=0.01)
    with pytest.raises(
        ValueError, match=r"numbers such as \$1,000\.5, got 'about \$5' in odd.csv, l"
    ):
        data.read_labelled(odd, preprocessing)


@pytest.mark.parametrize("task", ["auto", "regression"])
def test_a_target_of_dates_is_no_classes(write, task: str) -> None:
    texts = [f"{year}-01-01" for year in range(1000, 1210, 7)]
    path = write(halves(texts * 2))
    message = "dates such as '1000-01-01' in table.csv, line 2; make numbers of them"
    with pytest.raises(ValueError, match=message) as caught:
        make_data(path, "y", task=task).loaded  # noqa: B018
    assert str(caught.value).endswith("or set data.task=multiclass if they are labels")
    labels = make_data(path, "y", task="multiclass").loaded.spec.class_names
    assert len(labels) == len(set(texts))


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (
            "${:,}",
            "amounts of money such as '$1,000' in table.csv, line 2; set data.task=regression",
        ),
        ("{} %", "percentages such as '1000 %' in table.csv, line 2; set data.task=regression if"),
        ("{:,}", "numbers with marks for thousands such as '1,000' in table.csv, line 2; set"),
        ("US$ {:,}", "amounts of money such as 'US$ 1,000' in table.csv, line 2; set"),
        ("{:,} or so", None),
    ],
)
def test_a_target_of_few_amounts_may_be_one_of_labels(write, cell: str, message: str) -> None:
    texts = [f'"{cell.format(number)}"' for number in range(1000, 1005)]
    path = write(halves(texts * 12))
    if message:
        with pytest.raises(ValueError, match=re.escape(message)):
            make_data(path, "y").loaded  # noqa: B018
        assert make_data(path, "y", task="regression").loaded.spec.task == "regression"
    assert len(make_data(path, "y", task="multiclass").loaded.spec.class_names) == 5


def test_a_target_of_decimal_commas_is_read_beside_points_where_that_is_said(write) -> None:
    text = "\n".join(["x;y", *(f"{i * 0.037:.3f};{i // 3},{i % 3}5" for i in range(90))])
    with pytest.raises(ValueError, match="if other columns have decimal points"):
        make_data(write(text), "y").loaded  # noqa: B018
    pointed = make_data(write(text), "y", decimal=".").loaded
    commas = make_data(write(text), "y", decimal=",").loaded
    for mine, theirs in ((pointed.train, commas.train), (pointed.test, commas.test)):
        assert torch.equal(mine[1], theirs[1])
        torch.testing.assert_close(mine[0], theirs[0])
    assert pointed.spec.task == "regression"


def test_money_with_decimal_commas_has_its_way_out(write) -> None:
    texts = [f"R$ {1 + i // 9}.{100 + 7 * i},{i % 90 + 10}" for i in range(60)]
    path = write("\n".join(["x;y", *(f"{i % 7};{text}" for i, text in enumerate(texts))]))
    message = (
        "amounts of money such as 'R$ 1.100,10' in table.csv, line 2; set 'data.decimal=\",\"'"
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        make_data(path, "y").loaded  # noqa: B018
    assert make_data(path, "y", decimal=",").loaded.spec.task == "regression"


def test_a_target_in_digits_that_are_not_read_is_no_classes(write) -> None:
    texts = ["".join(chr(0x660 + int(c)) for c in str(number)) for number in range(1000, 1060)]
    with pytest.raises(ValueError, match=r"got numbers in other digits such as .*, line 2; write"):
        make_data(write(halves(texts)), "y").loaded  # noqa: B018


def test_days_are_dates_also_where_pandas_has_written_them(write) -> None:
    days = [f"{2016 + i % 5}{1 + i % 12:02}{1 + i % 28:02}" for i in range(90)]
    rows = [f"{'' if i % 9 == 0 else day},{i % 2}" for i, day in enumerate(days)]
    there = [row for row in rows if not row.startswith(",")]
    data = make_data(write("\n".join(["day,y", *rows])), "y")
    plain = write("\n".join(["day,y", *there]), "plain.csv")
    pandas = write("\n".join(["day,y", *(row.replace(",", ".0,") for row in there)]), "pandas.csv")
    for loaded in (data.loaded, make_data(pandas, "y").loaded):
        assert loaded.column_table[0][1] == "date"
    x, expected = (
        data.read_labelled(path, data.loaded.preprocessing)[0] for path in (pandas, plain)
    )
    assert torch.equal(x, expected)


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("${:,}", "amounts of money such as '$1,000' in table.csv, line 2; leave out the currency"),
        ("{} %", "percentages such as '1000 %' in table.csv, line 2; leave out the %, or set"),
        ("{:,}", "numbers with marks for thousands such as '1,000' in table.csv, line 2; leave"),
        ("{} kg", "numbers with a unit such as '1000 kg' in table.csv, line 2; leave the unit out"),
    ],
)
def test_a_target_of_amounts_with_many_others_among_them_is_no_classes(
    write, cell: str, message: str
) -> None:
    texts = [f'"{cell.format(number)}"' for number in range(1000, 1210, 7)]
    path = write(halves([*texts, *(f"{word} {mark}" for word in "abc" for mark in "?!")] * 2))
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        make_data(path, "y").loaded  # noqa: B018
    assert str(caught.value).endswith("or set data.task=multiclass if they are labels")


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("${:,}", "numbers such as $1,000.5, got 'n. n.' in table.csv, line 32 (and 3 more such"),
        ("{} %", "numbers such as 1000.5 %, got 'n. n.' in table.csv, line 32 (and 3 more such"),
        ("{:,}", "numbers such as 1,000.5, got 'n. n.' in table.csv, line 32 (and 3 more such"),
    ],
)
def test_a_target_of_amounts_with_others_among_them_is_no_classes(
    write, cell: str, message: str
) -> None:
    texts = [f'"{cell.format(number)}"' for number in range(1000, 1210, 7)]
    path = write(halves([*texts, "n. n.", "?!"] * 2))
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        make_data(path, "y").loaded  # noqa: B018
    spellings = stated_in(str(caught.value))
    assert make_data(path, "y", null_values=spellings).loaded.spec.task == "regression"


def test_a_target_of_points_for_thousands_and_decimal_commas_is_no_classes(write) -> None:
    path = write("x,y\n" + "".join(f'{i % 7},"{i % 30 + 1}.234,56"\n' for i in range(60)))
    with pytest.raises(ValueError, match=r"marks for thousands such as '1\.234,56' in"):
        make_data(path, "y", decimal=".").loaded  # noqa: B018
    loaded = make_data(path, "y", decimal=",", separator=",").loaded
    assert min(targets.min() for targets in targets_of(loaded)) == pytest.approx(1234.56)


def test_points_among_decimal_commas_are_no_decimal_points_in_another_file(
    write, tmp_path: Path
) -> None:
    path = write("x;y\n" + "".join(f"{i % 9},{i + 10};{i}\n" for i in range(60)))
    other = tmp_path / "other.csv"
    data = make_data(path, "y", task="regression", decimal=",", val_path=str(other))
    other.write_text("x;y\n1,100;1\n2,5;2\n")
    centre = data.loaded.preprocessing["columns"][0]["center"]
    assert (data.loaded.val[0] > 0)[:, 0].tolist() == [centre < 1.1, centre < 2.5]
    other.write_text("x;y\n1,100;1\n2.100;2\n")
    with pytest.raises(ValueError, match=r"decimal comma, got '2\.100' in other.csv, line 3"):
        data.read_labelled(other, data.loaded.preprocessing)


def test_a_target_of_decimal_commas_with_a_word_among_them_has_its_way_out(write) -> None:
    targets = [*(f'"{i},5"' for i in range(60)), "unknown"]
    with pytest.raises(ValueError, match=r"comma such as '0,5' .* set 'data.decimal"):
        make_data(write(halves(targets)), "y").loaded  # noqa: B018


@pytest.mark.parametrize("cell", ["({})", "\u2212{}", "(1,0{})"])
@pytest.mark.parametrize("plain", ["{}", "{}00"])
def test_a_target_of_numbers_of_which_some_are_written_oddly_is_no_classes(
    write, cell: str, plain: str
) -> None:
    odd = cell.format(11)
    path = write(halves([*map(plain.format, range(2, 9)), f'"{odd}"'] * 8))
    with pytest.raises(ValueError, match="must hold plain numbers or labels, got numbers") as found:
        make_data(path, "y").loaded  # noqa: B018
    assert f"such as '{odd}' in table.csv, line 9; " in str(found.value)
    labels = make_data(path, "y", task="multiclass").loaded.spec.class_names
    assert odd in labels


def test_a_target_whose_commas_stand_before_decimals_for_sure_has_its_way_out(write) -> None:
    # Three digits behind each comma, but none before some.
    path = write(halves([f'"{i % 3},{i:03}"' for i in range(100, 190)]))
    with pytest.raises(ValueError, match=r"decimal comma such as '1,100' .* set 'data\.decimal"):
        make_data(path, "y").loaded  # noqa: B018
    loaded = make_data(path, "y", decimal=",", separator=",").loaded
    assert max(targets.max() for targets in targets_of(loaded)) == pytest.approx(2.188)


def test_classes_that_may_be_numbers_have_a_way_out(write) -> None:
    path = write(halves([f"{i}h 30m" for i in range(60)]))
    with pytest.raises(ValueError, match="if they are numbers, write all of them plainly, such as"):
        make_data(path, "y").loaded  # noqa: B018


@pytest.mark.parametrize("words", [("True", "False"), ("yes", "no"), ("1", "0"), ("t", "F")])
def test_classes_that_say_yes_and_no_are_the_same_however_they_are_written(write, words) -> None:
    rows = make_frame(120).with_columns(y=pl.Series([True, False, False] * 40))
    path = write(
        rows.with_columns(y=rows["y"].cast(pl.String).replace({"true": "True", "false": "False"}))
    )
    others = rows.with_columns(
        y=rows["y"].replace_strict([True, False], words, return_dtype=pl.String)
    )
    trained = make_data(path, "y", test_path=str(write(others, "other.csv"))).loaded
    assert trained.spec.class_names == ["False", "True"]
    assert trained.test[1].tolist() == rows["y"].cast(pl.Int64).to_list()


def test_three_classes_of_which_some_say_yes_are_three(write) -> None:
    for names in (["n", "y", "yes"], ["False", "True", "true"], ["0", "no", "yes"]):
        loaded = make_data(write(halves(names * 20)), "y").loaded
        assert loaded.spec.class_names == names
        assert torch.cat(targets_of(loaded)).long().bincount().tolist() == [20, 20, 20]


def test_numbers_in_parentheses_may_be_labels(write) -> None:
    labels = ["(1)", "(2)", "(3)"]
    assert make_data(write(halves(labels * 10)), "y").loaded.spec.class_names == labels


def test_a_target_of_units_may_be_labels(write) -> None:
    for labels in (["36 months", "60 months"], ["5 mg", "10 mg", "20 mg"]):
        for task in ("auto", "multiclass"):
            loaded = make_data(write(halves(labels * 10)), "y", task=task).loaded
            assert set(loaded.spec.class_names) == set(labels)


def test_decimal_commas_are_no_words(write) -> None:
    rows = "".join(f"{i};{i},5\n" for i in range(60))
    with pytest.raises(ValueError, match=r"got 60 numbers and 1 word, 'some' in .*, line 62"):
        make_data(write(f"x;y\n{rows}60;some\n"), "y", decimal=",").loaded  # noqa: B018


@pytest.mark.parametrize(
    "targets",
    [
        ["1", "2", "3", "other"],
        ["1.5", "other"],
        [f"{i:02x}" for i in range(100)],
        [f"{i:03d}" for i in range(100)],
        ["250.83", "401.9", "428", "V57", "E909", "V58", "V45"],
    ],
    ids=["few numbers", "one number", "hexadecimal", "leading zeros", "mostly words"],
)
def test_labels_may_look_like_numbers(write, targets: list[str]) -> None:
    loaded = make_data(write(halves(targets * 10)), "y").loaded
    assert set(loaded.spec.class_names) == set(targets)


def test_few_numbers_with_a_letter_are_labels(write) -> None:
    assert make_data(write(halves(["2D", "3D"] * 10)), "y").loaded.spec.class_names == ["2D", "3D"]


def test_words_among_numbers_may_be_labels(write) -> None:
    path = write(halves([i * 1.5 for i in range(30)] * 3 + ["none"] * 3))
    loaded = make_data(path, "y", task="multiclass").loaded
    assert len(loaded.spec.class_names) == 31


def test_a_class_of_a_single_row_is_found_by_its_line(write) -> None:
    message = "must have at least two rows, got one of 'c' in table.csv, line 7; add another"
    with pytest.raises(ValueError, match=message):
        make_data(write(halves(["a", "b", "", "a", "b", "c", "a"])), "y").loaded  # noqa: B018


def test_categories_of_numbers_are_read_as_numbers_are(write) -> None:
    cells = ["1,5", "2,5", "3", "-999,0"] * 20
    table = "c;x;y\n" + "".join(f"{c};{i % 7};{'ab'[i % 2]}\n" for i, c in enumerate(cells))
    settings = {"decimal": ",", "null_values": ["-999"], "columns": {"c": "categorical"}}
    data = make_data(write(table), "y", **settings)
    (column,) = (c for c in data.loaded.preprocessing["columns"] if c["name"] == "c")
    assert column["categories"] == ["1.5", "2.5", "3"]
    reader = TableReader(data.loaded.preprocessing)
    for cells in ([1.5, 3.0, None, -999.0], ["1,5", "3", None, "-999,0"]):
        _, codes = reader.read(reader.prepare(pl.DataFrame({"c": cells, "x": [1] * 4})))
        assert codes[:, 0].tolist() == [2, 4, 1, 1]
    years = table.replace("1,5", "2001").replace("2,5", "2002")
    data = make_data(write(years), "y", time="c", columns={"c": "categorical"}, decimal=",")
    assert data.loaded.spec.class_names == ["a", "b"]


def test_all_classes_of_a_single_row_are_named(write) -> None:
    message = "got one of 'c', 'd' in table.csv, line 4; leave these rows out"
    with pytest.raises(ValueError, match=message):
        make_data(write(halves(["a", "b", "c", "a", "b", "d", "a"])), "y").loaded  # noqa: B018
    message = "got one of 'YES' in table.csv, line 4; write classes alike that differ in capitals"
    with pytest.raises(ValueError, match=message):
        make_data(write(halves(["Yes", "no", "YES", "Yes", "no"])), "y").loaded  # noqa: B018


def test_categories_are_told_apart_as_they_are_written(write) -> None:
    versions = ["1.1", "1.10", "1.2"] * 30
    table = "v,x,y\n" + "".join(
        f"{v},{i % 7},{'ab'[v == '1.10']}\n" for i, v in enumerate(versions)
    )
    data = make_data(write(table), "y", columns={"v": "categorical"})
    (column,) = (c for c in data.loaded.preprocessing["columns"] if c["name"] == "v")
    assert column["categories"] == ["1.1", "1.10", "1.2"]
    reader = TableReader(data.loaded.preprocessing)
    _, codes = reader.read(reader.prepare(pl.DataFrame({"v": ["1.10", "1.1"], "x": [1, 2]})))
    assert codes[:, 0].tolist() == [3, 2]
    unfamiliar = Unfamiliar(reader)
    for cells, said in ((["1.10"], 0), ([1.1], 1)):
        prepared = reader.prepare(pl.DataFrame({"v": cells, "x": [1]}))
        unfamiliar.add(prepared, reader.read(prepared), str)
        told = [s for s in unfamiliar.sentences() if "give it as text" in s]
        assert len(told) == said
    # What is a number in any case is one category however it is written, also in training.
    table = table.replace("1.10,", "7,").replace("1.1,", "8,").replace("1.2,", "9,")
    reader = TableReader(
        make_data(write(table), "y", columns={"v": "categorical"}).loaded.preprocessing
    )
    for cells in (["7", "7.0", "9"], [7.0, 7.0, 9.0], [7, 7, 9]):
        _, codes = reader.read(reader.prepare(pl.DataFrame({"v": cells, "x": [1, 2, 3]})))
        assert codes[:, 0].tolist() == [2, 2, 4]


@pytest.mark.parametrize(("factor", "is_asked"), [(0.01, True), (1, False)])
def test_shares_for_percentages_are_asked_about(write, caplog, factor, is_asked) -> None:
    caplog.set_level(logging.INFO)
    cells = [(i * 7 % 90) / 2 + 2 for i in range(60)]
    path = write(halves([f"{cell}%" for cell in cells]))
    preprocessing = make_data(path, "y", task="regression").loaded.preprocessing
    path = write(halves([cell * factor for cell in cells]), "new.csv")
    make_data(path, "y", task="regression").read_labelled(path, preprocessing)
    assert "its numbers have no unit and are taken for those of '%'" in caplog.text
    assert ("; multiply them by 100 if 1 is all" in caplog.text) == is_asked


@pytest.mark.parametrize(
    ("learned", "new", "is_far"),
    [
        ([1000, 9000], ["1.000", "9.000"], True),  # a German file's thousands
        ([20, 80], [0.2, 0.8], True),
        ([20, 80], [2.0, 8.0], False),
        ([-80, -20], [-0.8, -0.2], True),
        ([-20, 80], [-0.2, 0.8], False),
        ([1, 100], [0, 0.5], False),
        ([0.5, 30], [-2.5, 0], False),
        ([0.02, 100], [0.001, 0.001], False),
        (["1975-01-01", "2024-12-31"], ["1970-01-02", "1970-03-01"], False),
    ],
)
def test_numbers_much_smaller_than_any_of_training_are_told_of(
    write, learned: list, new: list, is_far: bool
) -> None:
    rows = "".join(f"{cell},{i}\n" for i, cell in enumerate(learned * 30))
    data = make_data(write("x,y\n" + rows), "y", task="regression")
    reader = TableReader(data.loaded.preprocessing)
    unfamiliar = Unfamiliar(reader)
    prepared = reader.prepare(pl.read_csv(write("x\n" + "".join(f"{c}\n" for c in new), "new.csv")))
    unfamiliar.add(prepared, reader.read(prepared), str)
    assert any("lie far outside" in sentence for sentence in unfamiliar.sentences()) == is_far


@pytest.mark.parametrize(("factor", "is_told"), [(100, True), (0.01, True), (1.2, False)])
def test_a_target_in_another_unit_is_told_of(write, caplog, factor: float, is_told: bool) -> None:
    caplog.set_level(logging.INFO)
    rows = pl.DataFrame(
        {"x": [i / 7 for i in range(200)], "y": [10.0 + i % 90 for i in range(200)]}
    )
    path, other = write(rows), write(rows.with_columns(pl.col("y") * factor), "other.csv")
    loaded = make_data(path, "y", val_path=str(other)).loaded
    told = [w for w in loaded.warnings if w.startswith("other.csv: target 'y':")]
    assert bool(told) == is_told
    make_data(path, "y").read_labelled(other, loaded.preprocessing)
    far = [message for message in caplog.messages if "target 'y':" in message]
    assert bool(far) == is_told


def test_rows_of_another_file_that_are_unlike_those_of_training_are_told_of(write, caplog) -> None:
    caplog.set_level(logging.INFO)
    path = write(halves(range(100)))
    other = write("x,y\n" + "".join(f"{i * 1000},1\n" for i in range(1, 40)) + ",2\n", "other.csv")
    data = make_data(path, "y", task="regression", test_path=str(other))
    far = (
        "column 'x': 39 of 39 numbers lie far outside those of training; are they in another unit?"
    )
    missing = "column 'x': 1 of 40 cells is missing, but none was in training"
    blank = "1 row has no value in any column that is used, in line 41"
    told = [w for w in data.loaded.warnings if w.startswith("other.csv")]
    assert told == [f"other.csv: {sentence}" for sentence in (missing, far, blank)]
    assert far not in caplog.text
    data.read_labelled(other, data.loaded.preprocessing)
    assert all(sentence in caplog.text for sentence in (missing, far, blank))


def test_a_target_written_in_another_way_throughout_is_to_be_written_so(write) -> None:
    path = write(halves([f"{i * 1.5}%" for i in range(60)]))
    data = make_data(path, "y")
    other = write(halves(["1.5 kg", "2.5 kg"]), "other.csv")
    with pytest.raises(ValueError, match=r"1 more such cell\); write the whole column so$"):
        data.read_labelled(other, data.loaded.preprocessing)
    other = write(halves(["1.5 kg", "2.5%"]), "other.csv")
    with pytest.raises(ValueError, match=r"got '1.5 kg' in other.csv, line 2; mend the cell$"):
        data.read_labelled(other, data.loaded.preprocessing)


def test_a_leak_is_found_where_rows_take_turns(write, monkeypatch) -> None:
    monkeypatch.setattr("nnlab.data.table_warnings._LEAK_SAMPLE", 150)
    # Every second row has no target but 0.
    rows = [(i % 2) * (i * 7919 % 997) for i in range(400)]
    frame = pl.DataFrame({"n": range(400), "copy": rows, "y": rows}).with_columns(pl.col("n") + 0.5)
    data = make_data(write(frame), "y", task="regression", time="n")
    assert any("'copy' gives 'y' away" in warning for warning in data.loaded.warnings)


def test_a_format_of_minutes_alone_is_refused(write) -> None:
    table = "t,y\n" + "".join(f"{10 + i % 40}:{10 + i % 31},{i / 7}\n" for i in range(60))
    message = r"data.columns.t must be a date's format with a day or an hour in it, got %M:%S; put"
    with pytest.raises(ValueError, match=message):
        make_data(write(table), "y", columns={"t": "%M:%S"}).loaded  # noqa: B018
    hours = table.replace("\n", "\n00:").removesuffix("00:")
    columns = make_data(write(hours), "y", columns={"t": "%H:%M:%S"}).loaded.preprocessing[
        "columns"
    ]
    assert columns[0]["is_date"]


def test_what_a_person_says_of_columns_counts(write) -> None:
    said = {"patient": "categorical", "letter": "categorical", "day": "%d.%m.%Y"}
    data = make_data(write(make_frame()), "y", columns=said, drop=["n"], max_one_hot=0)
    kinds = {row[0]: row[1] for row in data.loaded.column_table}
    assert kinds == {
        "n": "left out",
        "skewed": "numeric",
        "letter": "categorical",
        "patient": "categorical",
        "day": "date",
    }
    assert data.loaded.preprocessing["left_out"] == ["n"]
    with pytest.raises(ValueError, match=r"data.drop must .* got 'skewd'; did you mean 'skewed'"):
        make_data(write(make_frame()), "y", drop=["skewd"]).loaded  # noqa: B018


def test_the_column_table_says_what_becomes_of_each(write) -> None:
    frame = make_frame().with_columns(
        skewed=pl.when(pl.col("n") < 100).then("skewed"),
        id=pl.int_range(1000, 1200),
        same=pl.lit("s"),
        town=pl.concat_str(pl.lit("T"), pl.int_range(200) % 11),
    )
    loaded = make_data(write(frame), "y", max_one_hot=8).loaded
    table = {name: rest for name, *rest in loaded.column_table}
    assert list(table) == [name for name in frame.columns if name != "y"]
    assert table["n"] == ["numeric", "", "120", "1 input"]
    kind, missing, distinct, text = table["skewed"]
    assert (kind, text) == ("numeric", "2 inputs")
    # Of the training rows.
    x = loaded.train[0]
    assert missing == f"{1 - int(distinct) / 120:.1%}"
    assert table["letter"] == ["categorical", "", "3", "3 inputs"]
    assert table["id"][::3] == ["left out", "an identifier: a different number in each row"]
    assert table["same"] == ["left out", "", "1", "always s"]
    assert table["town"] == ["categorical", "", "11", "embedding of 11 categories"]
    # One day is the day of the week and of the year, and how late it is.
    assert table["day"][0] == "date"
    assert table["day"][3].startswith("3 inputs; read as %d.%m.%Y")
    assert x.shape[1] == 1 + 2 + 3 + 1 + 3 + 1


def test_the_column_table_says_what_counts_as_missing(write) -> None:
    rows = [f"{'NA' if i % 5 == 0 else 'null' if i == 7 else i * 0.5},,{i % 2}" for i in range(30)]
    empty = [f"{i * 0.5},{'' if i % 3 else 'b'},{i % 2}" for i in range(30)]
    loaded = make_data(write("\n".join(["a,b,y", *rows, *empty])), "y").loaded
    table = {name: text for name, *_, text in loaded.column_table}
    # In the whole file; empty cells alone need no word.
    assert table["a"] == "2 inputs; missing: 6 'NA', 1 'null'"
    assert table["b"] == "2 inputs"


def test_a_warning_says_how_words_among_numbers_become_missing(write) -> None:
    cells = ["-" if i % 9 == 0 else "NA" if i == 7 else i * 0.5 for i in range(60)]
    path = write("\n".join(["a,b,y", *(f"{cell},{i},{i % 2}" for i, cell in enumerate(cells))]))
    data = make_data(path, "y", columns={"b": "numeric"})
    (text,) = data.loaded.warnings
    assert text.startswith("'a' is left out: 7 cells are no numbers, such as '-'; mend such cells")
    data = make_data(path, "y", columns={"b": "numeric"}, null_values=stated_in(text))
    (_, kind, *_, text), _ = data.loaded.column_table
    assert (kind, text) == ("numeric", "2 inputs; missing: 7 '-', 1 'NA'")


def test_a_row_number_is_left_out_whatever_its_name(write) -> None:
    # It is a sequence in the file; the training rows are a random part of it.
    frame = make_frame().with_columns(nr=pl.int_range(1, 201))
    kinds = {row[0]: row[1] for row in make_data(write(frame), "y").loaded.column_table}
    assert kinds["nr"] == "left out"


def test_categories_are_embedded_where_there_is_enough_to_learn_that_from(write) -> None:
    """Nine of them, of which each has about 1,000 training rows, or somewhat fewer."""
    for rows, sizes in ((17_000, [11]), (13_000, [])):
        town = pl.concat_str(pl.lit("T"), pl.int_range(rows) % 9)
        frame = pl.select(n=pl.int_range(rows) % 97, town=town, y=pl.int_range(rows) % 2)
        assert make_data(write(frame), "y").loaded.spec.category_sizes == sizes


def test_a_target_that_does_not_vary_in_training_rows_is_refused(write) -> None:
    step = pl.when(pl.int_range(100) < 80).then(5.5)
    later = pl.select(
        n=pl.int_range(100) % 7, t=pl.int_range(100), y=step.otherwise(pl.int_range(100))
    )
    with pytest.raises(
        ValueError, match=r"target 'y' must vary in the \d+ training rows, but all h"
    ):
        make_data(write(later), "y", time="t", task="regression").load(None)
    close = pl.select(n=pl.int_range(100) % 7, y=3 + (pl.int_range(100) % 2) * 1e-12)
    with pytest.raises(ValueError, match="too close to that to tell apart"):
        make_data(write(close), "y", task="regression").load(None)


def test_categories_of_a_test_file_that_training_had_not_are_told_of(write, tmp_path) -> None:
    frame = pl.select(n=pl.int_range(100) % 7, k=pl.lit("a"), y=pl.int_range(100) % 2)
    other = frame.with_columns(k=pl.lit("zzz"))
    other.write_csv(tmp_path / "other.csv")
    letters = pl.Series(["a", "b"] * 50)
    path = write(frame.with_columns(k=letters))
    warnings = make_data(path, "y", test_path=str(tmp_path / "other.csv")).loaded.warnings
    told = [
        warning for warning in warnings if "other.csv: column 'k': 100 cells of a cat" in warning
    ]
    assert len(told) == 1


def test_embedded_categories_are_codes_at_the_end_of_a_row(write) -> None:
    frame = make_frame().with_columns(
        letter=pl.Series([*"abcdefghij"] * 20),
        town=pl.Series([None, *"pqrst", *"pqrst", *"pqrs"] * 13 + ["u"] * 5),
    )
    data = make_data(write(frame), "y", scaling="standard", max_one_hot=4)
    spec, loaded = data.spec, data.loaded
    assert spec.category_sizes == [12, 8]
    assert spec.numbers == 4
    columns = {column["name"]: column for column in loaded.preprocessing["columns"]}
    for split in SPLITS:
        x, rows = getattr(loaded, split)[0], rows_of(loaded, split)
        for name, codes in (("letter", x[:, -2]), ("town", x[:, -1])):
            expected = [
                1 if value is None else columns[name]["categories"].index(value) + 2
                for value in frame[name][rows].to_list()
            ]
            assert codes.tolist() == expected


def test_leaks_are_warned_of(write) -> None:
    frame = make_frame().with_columns(
        copy=pl.col("y").str.to_uppercase(), again=pl.col("y").rank("dense")
    )
    (first, second) = make_data(write(frame), "y").loaded.warnings
    assert first == (
        "'copy' gives 'y' away: on its own it predicts 100.0% of it; if it will not be known when "
        "predicting, leave it out with 'data.drop=[copy]'"
    )
    assert second.startswith("'again' gives 'y' away")
    assert make_data(write(frame), "y", drop=["copy", "again"]).loaded.warnings == []
    frame = make_frame(400).with_columns(y=pl.col("skewed").log() * 3)
    (warning,) = make_data(write(frame), "y").loaded.warnings
    assert warning.startswith("'skewed' gives 'y' away")


def test_training_rows_of_a_single_class_are_no_leak_of_every_column(write) -> None:
    # The first rows in time, all of one class.
    frame = make_frame().with_columns(
        y=pl.when(pl.col("n") < 150).then(pl.lit("no")).otherwise(pl.Series(["no", "yes"] * 100))
    )
    (warning,) = make_data(write(frame), "y", time="n").loaded.warnings
    assert warning.startswith("no training row of 'y' is 'yes', so that cannot be learned")


def test_rows_of_a_test_file_that_are_training_rows_are_warned_of(write) -> None:
    main = make_frame()[:150]
    other = pl.concat([make_frame()[150:], main[:150]])
    data = make_data(write(main), "y", test_path=str(write(other, "other.csv")), drop=["n"])
    of_training, of_validation = [w for w in data.loaded.warnings if w.startswith("other.csv: ")]
    shared = len(data.loaded.train[1])
    assert of_training.startswith(f"other.csv: {shared} of 200 rows are training rows, too, which")
    shared = len(data.loaded.val[1])
    assert of_validation.startswith(f"other.csv: {shared} of 200 test rows are validation rows, to")
    alone = make_data(write(main), "y", test_path=str(write(make_frame()[150:], "other.csv")))
    assert not [text for text in alone.loaded.warnings if text.startswith("other.csv")]


def test_files_of_the_same_rows_to_validate_and_to_test_are_warned_of(write) -> None:
    path, other = write(make_frame()[:150]), write(make_frame()[150:], "other.csv")
    same = make_data(path, "y", val_path=str(other), test_path=str(other))
    (warning,) = [text for text in same.loaded.warnings if text.startswith("other.csv")]
    assert warning.startswith("other.csv: 50 of 50 test rows are validation rows, too, by which")
    data = make_data(path, "y", val_path=str(other))
    assert not [text for text in data.loaded.warnings if "validation rows, too" in text]


def test_groups_and_times_of_training_in_another_file_are_warned_of(write, caplog) -> None:
    caplog.set_level(logging.INFO)
    frame = make_frame()
    path, other = write(frame[:150]), write(frame[150:], "other.csv")
    both = {"val_path": str(other), "test_path": str(other)}

    def warnings(**settings) -> list[str]:
        loaded = make_data(path, "y", **settings).loaded
        return [w.removeprefix("other.csv: ") for w in loaded.warnings if "other.csv" in w]

    known = frame[150:]["patient"].is_in(frame[:150]["patient"].unique().implode()).sum()
    told = [w for w in warnings(group="patient", **both) if "'patient'" in w]
    assert len(told) == 2
    assert told[0].startswith(f"{known} of 50 rows have a 'patient' that training rows have, too")
    assert "split  patient is no input" in caplog.messages
    caplog.clear()
    # Validation rows are the latest of the first file.
    settings = {"time": "n", "test_path": str(other)}
    assert not [w for w in warnings(**settings) if "no later" in w]
    assert "split  the latest rows by n are held out" in caplog.messages
    path, other = write(frame[150:], "later.csv"), write(frame[:150], "other.csv")
    (told,) = [w for w in warnings(time="n", test_path=str(other)) if "no later" in w]
    assert told.startswith("150 of 150 rows are no later than the last training row by 'n'")


def test_counters_and_other_spellings_of_times_and_groups_are_seen_in_another_file(
    write, caplog
) -> None:
    caplog.set_level(logging.INFO)
    chance = np.random.default_rng(0)
    frame = pl.DataFrame(
        {"step": range(1000, 1100), "p": [i // 5 for i in range(100)], "x": chance.normal(size=100)}
    ).with_columns(y=pl.col("x") * 2)
    early = frame.with_columns(
        pl.col("step") - 500, pl.col("p").cast(pl.Float64), x=pl.col("x") + 1
    )
    path, other = write(frame), write(early, "other.csv")
    told = make_data(path, "y", time="step", test_path=str(other)).loaded.warnings
    assert any(w.startswith("other.csv: 100 of 100 rows are no later than the last") for w in told)
    data = make_data(path, "y", group="p", val_path=str(other), test_path=str(other))
    assert any("100 of 100 rows have a 'p' that training" in w for w in data.loaded.warnings)
    gappy = frame.with_columns(
        step=pl.col("step").replace(1000, None), p=pl.col("p").replace(1, None)
    )
    both = {"val_path": str(other), "test_path": str(other)}
    assert make_data(write(gappy), "y", time="step", drop=["p"], **both).loaded
    caplog.clear()
    assert make_data(write(gappy), "y", group="p", drop=["step"]).loaded
    assert "split  5 rows without a p form one group" in caplog.messages
    path, other = write(frame), write(early.with_columns(step=pl.lit(None)), "other.csv")
    told = make_data(path, "y", time="step", test_path=str(other)).loaded.warnings
    assert not any("no later than" in w for w in told)


def test_classes_that_another_file_lacks_are_warned_of(write) -> None:
    frame = make_frame()
    other = frame[150:].filter(pl.col("y") == pl.lit(frame["y"].mode()[0]))
    data = make_data(write(frame[:150]), "y", test_path=str(write(other, "other.csv")))
    assert any(text.startswith("no test row of 'y' is ") for text in data.loaded.warnings)
    assert not any(text.startswith("no validation row") for text in data.loaded.warnings)


def test_rows_are_not_split_by_the_target(write) -> None:
    for name in ("group", "time"):
        with pytest.raises(ValueError, match=f"{name} must be another column than the target"):
            make_data(write(make_frame()), "y", **{name: "y"})


def test_a_target_too_far_from_those_of_training_is_refused_with_its_line(write) -> None:
    main, other = (halves([*range(60), last]) for last in (7.5, 1e60))
    data = make_data(write(main), "y", test_path=str(write(other, "other.csv")))
    message = r"within 1e\+12 standard .*, got 1e\+60 in other.csv, line 62"
    with pytest.raises(ValueError, match=message):
        data.loaded  # noqa: B018


def test_read_again_with_its_preprocessing_the_data_is_the_same(write, tmp_path: Path) -> None:
    path = write(make_frame())
    first = make_data(path, "y", group="patient", max_one_hot=2)
    torch.save(first.state_dict(), tmp_path / "state.pt")
    again = make_data(path, "y", group="patient", max_one_hot=2)
    again.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    assert again.spec == first.spec
    for split in SPLITS:
        for one, other in zip(
            getattr(first.loaded, split), getattr(again.loaded, split), strict=True
        ):
            assert torch.equal(one, other)
    assert again.state_dict() == first.state_dict()


def test_a_checkpoints_statistics_are_kept_where_the_file_has_changed(write) -> None:
    first = make_data(write(make_frame()), "y", scaling="standard")
    state = first.state_dict()
    changed = make_frame(210).with_columns(skewed=pl.lit(1e4), letter=pl.lit("z"))
    again = make_data(write(changed), "y", scaling="robust", drop=["n"])
    again.load_state_dict(state)
    assert again.loaded.preprocessing == state["preprocessing"]
    assert again.spec.input_shape == first.spec.input_shape
    column = state["preprocessing"]["columns"][1]
    expected = (1e4 - column["center"]) / column["scale"]
    np.testing.assert_allclose(again.loaded.val[0][:, 1], expected, rtol=1e-6)
    # Where it was read already, it is too late.
    late = make_data(write(changed), "y")
    late.loaded  # noqa: B018
    with pytest.raises(ValueError, match="must be what the checkpoint was trained on"):
        late.load_state_dict(state)
    # A run of an earlier version goes on, though it tells less of its columns.
    state = copy.deepcopy(late.state_dict())
    for column in state["preprocessing"]["columns"]:
        column.pop("low", None)
    late.load_state_dict(state)
    state["preprocessing"]["columns"][0]["center"] += 1
    with pytest.raises(ValueError, match="must be what the checkpoint was trained on"):
        late.load_state_dict(state)


def test_the_preprocessing_knows_its_files(write) -> None:
    main, other = write(make_frame()), write(make_frame()[:50], "other.csv")
    before = make_data(main, "y", test_path=str(other)).loaded.preprocessing
    assert before["digest"] == make_data(main, "y").digest()
    assert make_data(main, "y", test_path=str(other)).loaded.preprocessing == before
    write(make_frame()[:49], "other.csv")
    after = make_data(main, "y", test_path=str(other)).loaded.preprocessing
    assert after["digest"] == before["digest"]
    assert after["held_out_digests"] != before["held_out_digests"]


def test_a_column_of_text_stays_text_in_other_files(write) -> None:
    rows = [f"{['1.10', '2.50', 'beta'][i % 3]},{i % 2}" for i in range(60)]
    val = [f"{['1.10', '2.50'][i % 2]},{i % 2}" for i in range(10)]
    main = write("\n".join(["v,y", *rows]))
    other = write("\n".join(["v,y", *val]), "val.csv")
    x, _ = make_data(main, "y", val_path=str(other)).loaded.val
    assert x[:, 0].tolist() == [1, 0] * 5
    assert x[:, 1].tolist() == [0, 1] * 5


def test_rows_do_not_depend_on_the_blocks_they_are_encoded_in(write, monkeypatch) -> None:
    path = write(make_frame())
    whole = inputs_of(make_data(path, "y").loaded)
    monkeypatch.setattr(table_encoding, "_ROWS", 7)
    for one, other in zip(whole, inputs_of(make_data(path, "y").loaded), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("name", ["count", "rows", "class", "a [b]", ":smile:", "*", "^a", "a$"])
def test_a_column_may_have_any_name(write, name) -> None:
    rows = [f"{i * 0.5},{'' if i % 7 == 0 else 'uv'[i % 2]}" for i in range(60)]
    data = make_data(write("\n".join([f"x,{name}", *rows])), name)
    assert data.spec.class_names == ["u", "v"]
    path = write("\n".join([f"{name},z,y", *(f"{row[::-1]},{row[0]}" for row in rows)]))
    data = make_data(path, "y")
    assert [row[0] for row in data.loaded.column_table] == [name, "z"]
    reader = TableReader(data.loaded.preprocessing)
    numbers, codes = reader.read(reader.prepare(pl.read_csv(path)))
    assert (numbers.shape, codes.shape) == ((60, 1), (60, 1))


def test_unsigned_and_narrow_numbers_of_parquet_are_numbers(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "u": pl.Series([i * i for i in range(50)], dtype=pl.UInt64),
            "f": pl.Series([0.1, 0.2] * 25, dtype=pl.Float32),
            "d": pl.Series(range(50)).cast(pl.Duration("ms")),
            "y": pl.Series([i * 0.5 for i in range(50)]),
        }
    )
    frame.write_parquet(tmp_path / "t.parquet")
    loaded = make_data(tmp_path / "t.parquet", "y", columns={"f": "categorical"}).loaded
    assert [row[1] for row in loaded.column_table] == ["numeric", "categorical", "numeric"]
    assert loaded.preprocessing["columns"][1]["categories"] == ["0.1", "0.2"]


def test_a_day_that_only_held_out_rows_tell_from_a_month_is_read_right(write) -> None:
    rows = [f"0{1 + i % 9}/0{1 + i % 7}/2024,{i * 0.5}" for i in range(100)]
    late = [*rows, "03/25/2024,100.0"]
    text = "\n".join(["when,y,at", *(f"{row},{i}.5" for i, row in enumerate(late))])
    data = make_data(write(text), "y", time="at")
    assert data.loaded.column_table[0][4].startswith("3 inputs; read as %m/%d/%Y")


def test_a_parquet_file_gives_what_its_csv_gives(tmp_path: Path, write) -> None:
    frame = make_frame().with_columns(
        day=pl.col("day").str.to_date("%d.%m.%Y"),
        seen=pl.col("day").str.to_datetime("%d.%m.%Y", time_zone="UTC"),
        owned=pl.col("n") % 3 < 1,
    )
    frame.write_parquet(tmp_path / "table.parquet")
    from_parquet = make_data(tmp_path / "table.parquet", "y").loaded
    from_csv = make_data(write(frame), "y").loaded
    kinds = {row[0]: row[1] for row in from_parquet.column_table}
    assert (kinds["day"], kinds["seen"], kinds["owned"]) == ("date", "date", "boolean")
    for one, other in zip(inputs_of(from_parquet), inputs_of(from_csv), strict=True):
        assert torch.equal(one, other)


def test_lists_and_the_like_matter_only_where_they_are_used(tmp_path: Path, monkeypatch) -> None:
    frame = make_frame()
    odd = frame.with_columns(
        tags=pl.concat_list("letter", "day"), box=pl.struct("n"), raw=pl.col("day").cast(pl.Binary)
    )
    path = tmp_path / "odd.parquet"
    odd.write_parquet(path)
    message = r"'tags' of .*odd.parquet must hold numbers or text, got List\(String\); spread it"
    with pytest.raises(ValueError, match=message) as caught:
        make_data(path, "y").loaded  # noqa: B018
    assert str(caught.value).endswith(", or leave it out with 'data.drop=[tags,box,raw]'")
    with pytest.raises(ValueError, match=r"'box' of .* with 'data\.drop=\[tags,n,box,raw\]'"):
        make_data(path, "y", drop=["tags", "n"]).loaded  # noqa: B018
    monkeypatch.setattr("nnlab.data.columns.kinds._EXACT_COUNT", 10)
    data = make_data(path, "y", drop=["tags", "box", "raw"])
    frame.write_parquet(tmp_path / "plain.parquet")
    plain = make_data(tmp_path / "plain.parquet", "y")
    assert torch.equal(data.loaded.train[0], plain.loaded.train[0])
    # In another file nobody need drop what training did not use.
    x, _ = plain.read_labelled(path, plain.loaded.preprocessing)
    assert len(x) == 200
    odd.with_columns(letter=pl.col("tags")).write_parquet(path)
    with pytest.raises(ValueError, match=r"column 'letter' of .* must hold numbers or text"):
        plain.read_labelled(path, plain.loaded.preprocessing)


def test_blanks_around_cells_and_names_change_nothing(write) -> None:
    text = make_frame().write_csv()
    path, padded = write(text), write(text.replace(",", " ,  ").replace("\n", " \n"), "padded.csv")
    data = make_data(path, "y")
    loaded, other = data.loaded, make_data(padded, "y").loaded
    assert other.spec == loaded.spec
    for x, same in zip(inputs_of(other), inputs_of(loaded), strict=True):
        torch.testing.assert_close(x, same, rtol=0, atol=0)
    for mine, same in zip(
        data.read_labelled(padded, loaded.preprocessing),
        data.read_labelled(path, loaded.preprocessing),
        strict=True,
    ):
        torch.testing.assert_close(mine, same, rtol=0, atol=0)


@pytest.mark.parametrize("row", [3, 50, 100, 150, 199])
def test_a_bad_cell_is_found_by_its_line_in_the_file(write, row: int) -> None:
    # Rows without a target count, too: a person looks for the line in the file.
    frame = make_frame().with_columns(y=pl.when(pl.int_range(200) % 3 > 0).then("y"))
    cells = pl.col("n").cast(pl.String)
    frame = frame.with_columns(
        n=pl.when(pl.int_range(200) == row).then(pl.lit("oops")).otherwise(cells),
        y=pl.when(pl.int_range(200) == row).then(pl.lit("low")).otherwise("y"),
    )
    message = rf"'n' must hold finite numbers, got 'oops' in table.csv, line {row + 2}; mend"
    with pytest.raises(ValueError, match=message):
        make_data(write(frame), "y", columns={"n": "numeric"}).loaded  # noqa: B018


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("column", ["x", "y"])
def test_all_numbers_that_cannot_be_learned_are_counted(write, seed: int, column: str) -> None:
    frame = pl.DataFrame({"x": [i / 3 for i in range(40)], "y": [i / 2 for i in range(40)]})
    cells = frame[column].cast(pl.String).to_list()
    cells[11], cells[25], cells[39] = "1e400", "-inf", "Infinity"
    text = frame.cast(pl.String).with_columns(pl.Series(column, cells)).write_csv()
    message = r"got 'inf' in table\.csv, line 13 \(and 2 more such cells\); mend or empty the cell$"
    with pytest.raises(ValueError, match=message):
        make_data(write(text), "y", seed=seed).loaded  # noqa: B018


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("cell", "column"), [("inf", "x"), ("-inf", "y"), ("1e200", "y")])
def test_numbers_that_cannot_be_learned_are_refused(write, seed: int, cell: str, column) -> None:
    # In training rows or in others, among features or targets.
    rows = [[str(i / 3), str(i / 2)] for i in range(20)]
    rows[7]["xy".index(column)] = cell
    text = "x,y\n" + "".join(f"{x},{y}\n" for x, y in rows)
    message = rf"'{column}' must hold finite numbers.*, got '{float(cell)!r}' in table.csv, line 9"
    with pytest.raises(ValueError, match=message.replace("+", r"\+")):
        make_data(write(text), "y", seed=seed).loaded  # noqa: B018


def test_an_infinite_target_of_a_test_file_is_refused(write) -> None:
    main, other = write(numbered([i / 2 for i in range(20)])), write("x,y\n1,2\n2,inf\n", "t.csv")
    with pytest.raises(ValueError, match=r"target 'y' must hold finite .* in t.csv, line 3"):
        make_data(main, "y", test_path=str(other)).loaded  # noqa: B018


@pytest.mark.parametrize("scaling", ["robust", "standard", "quantile"])
@pytest.mark.parametrize("unit", [1e308, 1e149, 1e-290])
def test_numbers_and_targets_of_any_unit_are_the_same(write, scaling: str, unit: float) -> None:
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"x": rng.uniform(-1.7, 1.7, 60), "y": rng.uniform(-1.7, 1.7, 60)})
    scaled = frame.with_columns(x=pl.col("x") * unit, y=pl.col("y") * min(unit, 1e149))
    loaded = make_data(write(scaled), "y", scaling=scaling).loaded
    plain = make_data(write(frame), "y", scaling=scaling).loaded
    for split in SPLITS:
        for one, other in zip(getattr(loaded, split), getattr(plain, split), strict=True):
            torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


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
        ("x y\n1 2\n3 4\n", "y", {}, "target='y'; set 'data.separator=\" \"' if that separates"),
        ("'x','y'\n'1','2'\n", "y", {}, "set 'data.quote=.* if cells are quoted so"),
        ("x^y\n1^2\n3^4\n", "y", {}, r"set 'data.separator=\"\^\"' if that separates the cells"),
        ("x   y\n1   2\n", "y", {}, "put one separator, such as a comma, between cells in place"),
        (numbered(["a", "b"] * 9 + ["c"]), "y", {}, "at least two rows, got one of 'c'"),
        (numbered([*range(30), 7]), "y", {"task": "multiclass"}, "give data.task=regression"),
        (numbered(["a", "b"] * 9), "y", {"task": "regression"}, "needs a target of numbers"),
        (numbered(["a", "b", "c"] * 9), "y", {"task": "binary"}, "two values, got 3"),
        (
            numbered([1.5] * 9),
            "y",
            {"task": "multiclass"},
            "two classes or more, got .y. with .1.5.",
        ),
        (numbered(["a", "b"] * 9), "y", {"group": "X"}, "data.group must be a column .* mean 'x'"),
        (numbered(["a", "b"] * 9), "y", {"time": "t"}, "data.time must be a column of table.csv"),
        (numbered(["a", "b"] * 9), "y", {"folds": 19}, "folds must be at most the 18 rows"),
        (numbered(["a", "b"] * 9), "y", {"drop": ["y"]}, "data.drop must name features"),
        (
            "x,y\n1,2\n1,3\n1,4.5\n1,6\n1,9\n",
            "y",
            {},
            r"must have a column besides 'y' that says something, got 1 in 3 training rows \(x: al",
        ),
        ("y\n1\n2\n3.5\n4\n", "y", {}, r"something, got 0 in \d+ training rows? \(no other\)$"),
        (numbered([1, 2, 3.5] * 3), "y", {"drop": ["x"]}, "x: as data.drop says"),
        (numbered([1, 2, 3.5] * 3), "y", {"columns": {"x": "date"}}, "data.columns.x=date needs"),
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
    for changes in ({}, {"test_path": str(tmp_path / "houses.csv")}):
        path = PENGUINS if changes else tmp_path / "houses.csv"
        with pytest.raises(FileNotFoundError, match=r"there is no file .*houses\.csv"):
            make_data(path, "species", **changes).loaded  # noqa: B018


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"test_fraction": 1.0}, r"test_fraction must be a number in \(0, 1\)"),
        ({"val_fraction": 0}, r"val_fraction must be a number in \(0, 1\)"),
        ({"scaling": "minmax"}, "scaling must be one of robust, standard, quantile"),
        ({"max_one_hot": -1}, "max_one_hot must be a whole number of at least 0"),
        ({"columns": {"x": "text"}}, "columns must be a kind for each column that is named"),
        ({"drop": "x"}, "drop must be a list"),
        ({"folds": 1}, "folds must be a whole number of at least 2"),
        ({"folds": 3, "fold": 3}, r"fold must be a whole number in \[0, 3\), got fold=3"),
        ({"fold": 3}, "fold=3 needs folds; add data.folds=K"),
        ({"folds": 3, "time": "t"}, "folds and time exclude each other, got folds=3 and time=t"),
        ({"folds": 3, "test_path": "t.csv"}, "folds and test_path exclude each other"),
        ({"group": "g", "time": "t"}, "group and time exclude each other"),
        ({"separator": ""}, "separator"),
    ],
)
def test_arguments_out_of_range_are_refused(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_data(PENGUINS, "species", **changes)


def test_a_table_on_disk_gives_what_it_gives_in_memory(write, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(storage, "_FILE_BYTES", 4000)
    frame = make_frame(2000).with_columns(
        pl.when(pl.int_range(pl.len()) % 7 > 0).then("y"),
        pl.when(pl.int_range(pl.len()) % 5 > 0).then("skewed"),
    )
    tables = [write(frame), tmp_path / "table.parquet"]
    frame.write_parquet(tables[1])
    for path in tables:
        loaded = [
            make_data(path, "y", memory_map=memory_map, scratch=str(tmp_path)).loaded
            for memory_map in (False, True)
        ]
        assert loaded[0].preprocessing == loaded[1].preprocessing
        assert loaded[0].column_table == loaded[1].column_table
        for name in SPLITS:
            for here, there in zip(getattr(loaded[0], name), getattr(loaded[1], name), strict=True):
                assert torch.equal(here, there)
    preprocessing = loaded[0].preprocessing
    x, targets = make_data(tables[0], "y", memory_map=True, scratch=str(tmp_path)).read_labelled(
        tables[0], preprocessing
    )
    assert len(x) == len(targets) == frame["y"].count()


def kinds_of(data: TabularDataModule) -> dict[str, str]:
    return {row[0]: row[1] for row in data.loaded.column_table}


@pytest.mark.parametrize("line", ["Total,total,", "°C,kg,", "1.5\u00a0,7\u00a0,a"])
def test_a_line_without_a_target_or_odd_blanks_make_no_text_of_numbers(write, line: str) -> None:
    rows = [f"{i * 0.37:.2f},{i % 50},{'ab'[i % 2]}" for i in range(200)]
    data = make_data(write("\n".join(["temp,n,y", *rows, line])), "y")
    assert kinds_of(data) == {"temp": "numeric", "n": "numeric"}
    plain = make_data(write("\n".join(["temp,n,y", *rows]), "plain.csv"), "y")
    if line.endswith(","):
        assert torch.equal(data.loaded.train[0], plain.loaded.train[0])


def test_numbers_for_missing_values_are_told_of_as_they_are_written(write, caplog) -> None:
    rows = [f"{['-999', '-999.00', i][min(i % 9, 2)]},{i * 0.5}" for i in range(90)]
    # A row without a target keeps the column text until it is left out.
    path = write("\n".join(["x,y", *rows, "3.5,-999.0", "4.5,", "total,"]))
    with caplog.at_level(logging.INFO):
        loaded = make_data(path, "y", null_values=["-", "-999"]).loaded
    assert "3 of 93 rows have no y and are left out: 2 empty, 1 '-999.0'" in caplog.text
    ((name, kind, share, _, becomes),) = loaded.column_table
    assert (name, kind) == ("x", "numeric")
    assert becomes.endswith("missing: 10 '-999', 10 '-999.00'")
    assert 0.1 < float(share[:-1]) / 100 < 0.4


def test_a_number_for_missing_values_stays_one_however_it_is_written(write) -> None:
    cells = ["k.A." if i % 9 == 0 else "-999.0" if i == 7 else i * 0.5 for i in range(60)]
    path = write("\n".join(["a,b,y", *(f"{cell},{i},{i % 2}" for i, cell in enumerate(cells))]))
    data = make_data(path, "y", columns={"b": "numeric"}, null_values=["-999", "?"])
    (text,) = data.loaded.warnings
    assert stated_in(text) == ["-999", "k.A."]


def test_numbers_that_a_parquet_file_has_as_text_are_numbers(tmp_path: Path) -> None:
    numbers = pl.DataFrame(
        {
            "a": [i * 0.37 for i in range(200)],
            "n": range(200, 400),
            "y": [i / 7 for i in range(200)],
        }
    )
    codes = pl.DataFrame(
        {
            "zip": [f"{i % 30:05}" for i in range(200)],
            "long": [f"{10**19 + i % 30}" for i in range(200)],
        }
    )
    loaded = []
    for name, frame in (("typed", numbers), ("text", numbers.cast(pl.String))):
        pl.concat([frame, codes], how="horizontal").write_parquet(tmp_path / f"{name}.parquet")
        data = make_data(tmp_path / f"{name}.parquet", "y", drop=["n"])
        loaded.append(data.loaded)
        kinds = {name: kind for name, kind in kinds_of(data).items() if name != "n"}
        assert kinds == {"a": "numeric", "zip": "categorical", "long": "categorical"}
    assert torch.equal(loaded[0].train[0], loaded[1].train[0])
    assert torch.equal(loaded[0].train[1], loaded[1].train[1])


@pytest.mark.parametrize("where", ["val_path", "test_path"])
def test_a_file_without_a_target_is_refused_before_training(write, where: str) -> None:
    unlabelled = write("x,y\n1.5,\n2.5,\n", "new.csv")
    data = make_data(write(halves(["a", "b"] * 20)), "y", **{where: str(unlabelled)})
    with pytest.raises(
        ValueError, match=r"new\.csv must have a row with a value of the target 'y'"
    ):
        _ = data.loaded


def test_a_target_of_lists_is_refused_even_if_it_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pl.DataFrame({"x": range(40), "y": [[i] for i in range(40)]}).write_parquet(path)
    for drop in ([], ["y"]):
        with pytest.raises(ValueError, match=r"column 'y' of .* got List\(Int64\)") as caught:
            _ = make_data(path, "y", drop=drop).loaded
        assert "data.drop" not in str(caught.value)


def test_a_column_without_a_name_is_refused(tmp_path: Path) -> None:
    pl.DataFrame({"x": [1, 2], "": [1, 2], "y": [1, 2]}).write_parquet(tmp_path / "t.parquet")
    with pytest.raises(ValueError, match=r"t\.parquet: column 2 has no name"):
        _ = make_data(tmp_path / "t.parquet", "y").loaded


@pytest.mark.parametrize("other", ["x\u00a0", "\u200bx", "x"])
def test_two_columns_that_look_the_same_are_refused(write, other: str) -> None:
    path = write(f"x,{other},y\n" + "1,2,a\n3,4,b\n" * 10)
    with pytest.raises(ValueError, match="line 1: more than one column is named 'x'"):
        _ = make_data(path, "y").loaded


DAYS = pl.Series("t", [datetime(2024, 1 + i % 9, 13 + i // 9) for i in range(80)])
NOONS = DAYS + timedelta(hours=12, minutes=30)
MINUTES = pl.Series("t", [datetime(2024, 1, 1, i % 24, i % 60) for i in range(80)])
ZONED = NOONS.dt.replace_time_zone("UTC")
# The same moments as files have them: as a person writes them, as ISO 8601 does, and typed.
WRITTEN = {
    "days": [
        DAYS.dt.to_string("%d.%m.%Y"),
        DAYS.dt.to_string("%Y-%m-%d"),
        DAYS.dt.to_string("%Y-%m-%dT00:00:00"),
        DAYS.cast(pl.Date),
        DAYS.cast(pl.Datetime("ns")),
    ],
    "times": [
        NOONS.dt.to_string("%m/%d/%Y %I:%M %p"),
        NOONS.dt.to_string("%Y-%m-%d %H:%M:%S"),
        NOONS.cast(pl.Datetime("ms")),
    ],
    "zones": [
        ZONED.dt.to_string("%Y-%m-%dT%H:%M:%SZ"),
        ZONED,
        ZONED.dt.convert_time_zone("Asia/Kolkata"),
    ],
    "times of day": [
        MINUTES.dt.to_string("%I:%M %p"),
        MINUTES.dt.to_string("%H:%M:%S"),
        MINUTES.dt.time(),
    ],
}


@pytest.mark.parametrize("name", WRITTEN)
def test_dates_are_the_same_however_a_file_has_them(tmp_path: Path, name: str) -> None:
    paths, frames = [], []
    for i, cells in enumerate(WRITTEN[name]):
        frame = pl.DataFrame({"t": cells, "y": [i * 0.5 for i in range(80)]})
        paths.append(tmp_path / f"{i}.csv")
        (frame.write_csv if cells.dtype == pl.String else frame.write_parquet)(paths[-1])
        frames.append(frame)
    for trained, path in enumerate(paths):
        preprocessing = make_data(path, "y").loaded.preprocessing
        assert preprocessing["columns"][0]["is_date"]
        reader, data = TableReader(preprocessing), make_data(path, "y")
        expected, _ = reader.read(reader.prepare(frames[trained]))
        inputs, _ = data.read_labelled(path, preprocessing)
        for other, new in enumerate(paths):
            if other == 0 != trained:
                continue  # nobody need know what a person writes
            (chunk,) = read_chunks(new, rows=100)
            assert torch.equal(reader.read(reader.prepare(chunk.frame))[0], expected)
            assert torch.equal(reader.read(reader.prepare(frames[other]))[0], expected)
            assert torch.equal(data.read_labelled(new, preprocessing)[0], inputs)


def test_times_with_zones_of_several_kinds_are_one_column_of_dates(write) -> None:
    zones = ["Z", "+02", "+02:00", "-0330"]
    hours = {"Z": 0, "+02": 2, "+02:00": 2, "-0330": -3.5}
    moments = [f"2024-05-{1 + i % 28:02}T{i % 24:02}:30:00{zones[i % 4]}" for i in range(120)]
    utc = [i % 24 + 0.5 - hours[zones[i % 4]] + 24 * (i % 28) for i in range(120)]
    rows = [f"{moment},{'ab'[i % 2]}" for i, moment in enumerate(moments)]
    data = make_data(write("\n".join(["t,y", *rows])), "y")
    assert kinds_of(data) == {"t": "date"}
    plain = make_data(
        write("\n".join(["t,y", *(f"{h},{'ab'[i % 2]}" for i, h in enumerate(utc))]), "h.csv"), "y"
    )
    torch.testing.assert_close(
        data.loaded.train[0][:, 0], plain.loaded.train[0][:, 0], rtol=1e-4, atol=1e-5
    )


def test_a_way_out_of_a_file_beside_keeps_the_missing_values_of_the_first(write) -> None:
    path = write(
        "x,c,y\n" + "".join(f"{'NA' if i % 5 == 0 else i / 7},{i % 3},{i % 2}\n" for i in range(60))
    )
    beside = write("x,c,y\n1,1,1\n2,Z,0\n3,2,1\n", "beside.csv")
    with pytest.raises(ValueError, match=r"got 'Z' in beside\.csv, line 3") as error:
        make_data(path, "y", columns={"c": "numeric"}, test_path=str(beside)).loaded  # noqa: B018
    assert "'data.null_values=[NA,Z]'" in str(error.value)
    stated = make_data(
        path, "y", columns={"c": "numeric"}, test_path=str(beside), null_values=["NA", "Z"]
    )
    assert [c["name"] for c in stated.loaded.preprocessing["columns"]] == ["x", "c"]


def test_groups_that_differ_in_capitals_alone_are_warned_of(write) -> None:
    rows = "".join(f"{'BbCDEFGH'[i % 8]},{i * 37 % 101},{i // 3 % 2}\n" for i in range(200))
    data = make_data(write("g,x,y\n" + rows), "y", group="g")
    assert any("groups of 'g' differ only in capitals" in w for w in data.loaded.warnings)
