"""Exported graphs against the network they come from, and the JSON beside them on its own."""

import csv
import io
import json
import math
import re
import shutil
import subprocess
import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from conftest import Command, run_script
from omegaconf import OmegaConf
from torch import nn

from nnlab import load_run
from nnlab.data import TabularDataModule
from nnlab.data.columns.spelling import boolean_text
from nnlab.data.csv.options import CsvOptions
from nnlab.exporting import export
from nnlab.graph_description import describe
from nnlab.graphs import check_graph, export_graph, random_inputs
from nnlab.models import SupervisedModule
from nnlab.models.mlp import ACTIVATIONS, MLP
from nnlab.predictor import Predictor

onnxruntime = pytest.importorskip("onnxruntime")

FORMATS = ["onnx", "torch_export"]
LARGEST = np.finfo(np.float64).max


def write_table(path: Path, *, target: str, rows: int = 240) -> None:
    """Columns of every kind, each written in another way, and gaps."""
    rng = np.random.default_rng(0)
    days = pl.Series(rng.integers(0, 900, rows)).cast(pl.Date)
    moments = pl.from_epoch(pl.Series(rng.integers(1_600_000_000, 1_660_000_000, rows)))
    frame = pl.DataFrame(
        {
            "size": rng.normal(50, 9, rows),
            "income": np.where(rng.random(rows) < 0.1, np.nan, rng.standard_cauchy(rows) * 1e6),
            "born": days.dt.strftime("%d.%m.%Y"),
            "seen": moments.dt.strftime("%Y-%m-%d %H:%M"),
            "island": rng.choice(["Biscoe", "Dream", "Le Roi"], rows),
            "street": rng.choice(list("abcdefghijkl"), rows),
            "area": rng.choice(["408", "415", "510", ""], rows),
            "member": rng.choice(["yes", "no", ""], rows),
            "class": rng.choice(["a", "b", "c"], rows),
            "answer": rng.choice(["no", "yes"], rows),
            "price": rng.normal(1e5, 3e4, rows),
        }
    )
    targets = {"class", "answer", "price"} - {target}
    frame.drop(targets).write_csv(path)


def make_predictor(folder: Path, *, target: str, data: dict, model: dict) -> Predictor:
    """What a run would have written, without its training."""
    path = folder / "table.csv"
    write_table(path, target=target)
    module = TabularDataModule(
        **{
            "path": str(path),
            "target": target,
            "task": "auto",
            "columns": {},
            "drop": [],
            "scaling": "robust",
            "max_one_hot": 4,
            "val_fraction": 0.25,
            "test_fraction": 0.2,
            "val_path": None,
            "test_path": None,
            "memory_map": False,
            "scratch": str(folder),
            "group": None,
            "time": None,
            "fold": 0,
            "folds": None,
            "batch_size": 32,
            "seed": 0,
            **asdict(CsvOptions()),
            **data,
        }
    )
    torch.manual_seed(0)
    network = SupervisedModule(
        **{
            **vars(module.spec),
            "hidden_sizes": [16, 8],
            "activation": "relu",
            "dropout": 0.2,
            "batch_norm": False,
            "layer_norm": False,
            "numeric_embedding": None,
            "embedding_size": 4,
            "loss": "auto",
            "label_smoothing": 0.0,
            "class_weights": None,
            "l1": 0.0,
            "l2": 0.0,
            **model,
        }
    )
    with torch.no_grad():
        for name, values in network.named_buffers():
            if "running" in name:  # batch normalisation that has seen something
                values.uniform_(0.5, 1.5)
    checkpoint = {
        "hyper_parameters": dict(network.hparams),
        "state_dict": network.state_dict(),
        "TabularDataModule": module.state_dict(),
    }
    return Predictor(checkpoint)


NUMBERS = ["size", "income", "born", "seen"]
CATEGORIES = ["island", "street", "area", "member"]
CASES = {
    "robust, two classes": (
        "answer",
        {},
        {"numeric_embedding": "periodic", "batch_norm": True},
    ),
    "quantile, regression": ("price", {"scaling": "quantile"}, {"layer_norm": True}),
    "standard numbers, every layer": (
        "class",
        {"drop": CATEGORIES, "scaling": "standard"},
        {},
    ),
    "categories, linear": (
        "class",
        {"drop": NUMBERS, "max_one_hot": 0},
        {"hidden_sizes": []},
    ),
}


class Exported:
    """A predictor and its graphs."""

    def __init__(self, predictor: Predictor) -> None:
        self.predictor = predictor
        self.content = {format: export_graph(predictor, format) for format in FORMATS}
        self.session = onnxruntime.InferenceSession(self.content["onnx"])
        self.program = torch.export.load(io.BytesIO(self.content["torch_export"]))

    def run(self, format: str, inputs: dict[str, torch.Tensor]) -> np.ndarray:
        if format == "onnx":
            arrays = {name: tensor.numpy() for name, tensor in inputs.items()}
            (output,) = self.session.run(None, arrays)
            return output
        return self.program.module()(**inputs).detach().numpy()


@pytest.fixture(scope="module", params=CASES)
def exported(request, tmp_path_factory) -> Exported:
    target, data, model = CASES[request.param]
    folder = tmp_path_factory.mktemp("table")
    predictor = make_predictor(folder, target=target, data=data, model=model)
    if "every layer" in request.param:
        predictor.network = every_layer(predictor.spec.in_features, classes=3).eval()
    return Exported(predictor)


def every_layer(width: int, *, classes: int) -> nn.Module:
    """Networks in a row, each with another activation.

    Their weights are the same each time: so many in a row magnify what float32 rounds, and one in
    six such rows of networks has some output that differs by a little more than 1e-5.
    """
    torch.manual_seed(0)
    last = len(ACTIVATIONS) - 1
    return nn.Sequential(
        *(
            MLP(
                in_features=width,
                out_features=classes if i == last else width,
                hidden_sizes=[8],
                activation=activation,
                dropout=0.5,
                batch_norm=i % 2 == 0,
                layer_norm=i % 2 == 1,
            )
            for i, activation in enumerate(ACTIVATIONS)
        )
    )


def expected_of(predictor: Predictor, inputs: dict[str, torch.Tensor]) -> np.ndarray:
    rows = len(next(iter(inputs.values())))
    numbers = inputs.get("numbers", torch.empty(rows, 0, dtype=torch.float64))
    codes = inputs.get("codes", torch.empty(rows, 0, dtype=torch.int64))
    with torch.inference_mode():
        return predictor(numbers, codes).numpy()


def assert_same(given: np.ndarray, expected: np.ndarray) -> None:
    assert given.dtype == expected.dtype
    assert np.isfinite(given).all()
    np.testing.assert_allclose(given, expected, rtol=1e-5, atol=1e-5)


# The graphs


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("rows", [1, 5, 1000])
def test_graphs_give_what_the_network_gives_for_any_number_of_rows(
    exported: Exported, format: str, rows: int
) -> None:
    inputs = random_inputs(exported.predictor, rows=rows)
    assert_same(exported.run(format, inputs), expected_of(exported.predictor, inputs))


def test_torch_takes_no_rows_as_well(exported: Exported) -> None:
    inputs = random_inputs(exported.predictor, rows=0)
    given = exported.run("torch_export", inputs)
    assert given.shape == expected_of(exported.predictor, inputs).shape


@pytest.mark.parametrize("format", FORMATS)
def test_graphs_bear_extreme_and_missing_numbers_and_unseen_categories(
    exported: Exported, format: str
) -> None:
    extremes = [LARGEST, -LARGEST, 1e308, 5e-324, 0.0, -0.0, math.nan]
    inputs = random_inputs(exported.predictor, rows=len(extremes))
    if "numbers" in inputs:
        inputs["numbers"][:] = torch.tensor(extremes, dtype=torch.float64)[:, None]
    if "codes" in inputs:
        inputs["codes"][:4] = torch.tensor([0, 1, 0, 1])[:, None]
    assert_same(exported.run(format, inputs), expected_of(exported.predictor, inputs))


def test_inputs_have_names_types_and_any_number_of_rows(exported: Exported) -> None:
    description = describe(exported.predictor, CsvOptions())
    types = {"float64": "tensor(double)", "float32": "tensor(float)", "int64": "tensor(int64)"}
    for said, there in (
        (description["inputs"], exported.session.get_inputs()),
        (description["outputs"], exported.session.get_outputs()),
    ):
        assert [(entry["name"], types[entry["dtype"]], entry["shape"]) for entry in said] == [
            (node.name, node.type, node.shape) for node in there
        ]
    names = tuple(entry["name"] for entry in description["inputs"])
    assert exported.program.graph_signature.user_inputs == names


def test_graphs_tell_nothing_of_the_computer_they_come_from(exported: Exported) -> None:
    for content in exported.content.values():
        assert b"site-packages" not in content
        assert str(Path(torch.__file__).parent).encode() not in content
        assert str(Path(__file__).parents[1]).encode() not in content


def test_numbers_can_be_embedded_without_categories(tmp_path: Path) -> None:
    model = {"numeric_embedding": "periodic"}
    predictor = make_predictor(tmp_path, target="class", data={"drop": CATEGORIES}, model=model)
    content = export_graph(predictor, "torch_export")
    assert check_graph(predictor, content, "torch_export")[0] <= 1e-5


# The check before anything is written


ONE = pytest.mark.parametrize("exported", ["categories, linear"], indirect=True)


@ONE
def test_a_graph_of_another_network_is_noticed(exported: Exported) -> None:
    other = exported.predictor.network
    weights = next(iter(other.parameters()))
    with torch.no_grad():
        weights += 0.05
    try:
        for format in FORMATS:
            with pytest.raises(ValueError, match="must give what PyTorch gives, but differs by"):
                check_graph(exported.predictor, exported.content[format], format)
    finally:
        with torch.no_grad():
            weights -= 0.05


@ONE
def test_without_onnxruntime_the_reference_of_onnx_checks(
    exported: Exported, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    difference, name = check_graph(exported.predictor, exported.content["onnx"], "onnx")
    assert difference <= 1e-5
    assert name == "the reference of onnx"


# The JSON on its own


def inputs_by_json(description: dict, rows: list[dict[str, str]]) -> dict[str, np.ndarray]:
    """A stranger's reading of the JSON: cells of a CSV file as inputs, without nnlab."""
    missing, special = description["missing_cells"], description["codes"]

    def number(cell: str, column: dict) -> float:
        if cell in missing:
            return math.nan
        if column["kind"] == "date":
            moment = datetime.strptime(f"{cell.strip()} +0000", f"{column['format']} %z")
            return moment.timestamp()
        return float(cell.replace(description["decimal_mark"], "."))

    def code(cell: str, column: dict) -> int:
        if cell in missing:
            return special["missing"]
        if column["written_as"] == "number":
            learned = {float(name): code for name, code in column["codes"].items()}
            return learned.get(float(cell), special["other"])
        if column["written_as"] == "boolean":
            spellings = description["boolean_spellings"].items()
            found = [name for name, all_of in spellings if cell.strip().lower() in all_of]
            cell = found[0] if found else cell
        return column["codes"].get(cell, special["other"])

    return {
        entry["name"]: np.array(
            [
                [(number if entry["name"] == "numbers" else code)(row[c["name"]], c) for c in cols]
                for row in rows
            ],
            dtype=entry["dtype"],
        )
        for entry in description["inputs"]
        for cols in [entry["columns"]]
    }


NEW_ROWS = """\
street,member,size,income,born,seen,island,area,note
a, TRUE,48.5,-3e5,01.02.1970,2021-05-06 07:08,Biscoe,415,x
l,off,1e308,NA,31.12.1971,2020-12-31 23:59,dream,415.0,
zz,maybe,  51 ,,NA,2022-02-02 00:00,Le Roi,0510,
,,NaN,7,28.02.1971,,?,999,
b,1.0,50,0.5,05.06.1972,2021-01-01 12:00,Dream,n/a,
"""


def test_the_json_is_all_that_is_needed_to_build_inputs_from_a_csv_file(
    exported: Exported,
) -> None:
    description = json.loads(json.dumps(describe(exported.predictor, CsvOptions())))
    rows = list(csv.DictReader(io.StringIO(NEW_ROWS)))
    (output,) = exported.session.run(None, inputs_by_json(description, rows))

    missing = ["", "NA", "NaN", "n/a", "?"]
    frame = pl.read_csv(NEW_ROWS.encode(), infer_schema=False, null_values=missing)
    predicted = exported.predictor.predict(frame)
    if description["task"] == "regression":
        np.testing.assert_allclose(output, predicted["prediction"].to_numpy(), rtol=1e-5)
        return
    classes = [description["class_names"][i] for i in output.argmax(axis=1)]
    assert classes == predicted["prediction"].to_list()
    np.testing.assert_allclose(output, predicted.drop("prediction").to_numpy(), atol=1e-5)


def test_the_json_names_every_column_with_its_kind(exported: Exported) -> None:
    kinds = {
        "size": "numeric",
        "income": "numeric",
        "born": "date",
        "seen": "date",
        "island": "categorical",
        "street": "categorical",
        "area": "categorical",
        "member": "boolean",
    }
    inputs = describe(exported.predictor, CsvOptions())["inputs"]
    named = {c["name"]: c["kind"] for entry in inputs for c in entry["columns"]}
    assert named == {name: kinds[name] for name in exported.predictor.reader.column_names}
    assert len(named) in (4, 8)


@ONE
def test_the_json_has_the_spellings_of_booleans(exported: Exported) -> None:
    spellings = describe(exported.predictor, CsvOptions())["boolean_spellings"]
    for name, all_of in spellings.items():
        assert set(boolean_text(pl.Series(all_of))) == {name}
    assert {"yes", "true", "1.0"} <= set(spellings["true"])


# The command


def test_a_run_on_images_is_exported_for_both_libraries(
    digits_run, tmp_path: Path, quick_command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run_dir = tmp_path / "run"
    shutil.copytree(digits_run[0], run_dir)
    pixels = np.random.default_rng(0).integers(0, 256, (7, 8, 8), dtype=np.uint8)
    for format, file in (("onnx", "model.onnx"), ("torch_export", "model.pt2")):
        before = {path.name for path in run_dir.iterdir()}
        process = quick_command("export.py", f"run={run_dir}", f"format={format}")
        assert process.stderr == ""
        written = {path.name for path in run_dir.iterdir()} - before
        assert written - {"model.json"} == {file}
        # What is printed can be run as it stands.
        head, _, snippet = process.stdout.partition("To use it:\n\n")
        assert f"graph    run/{file}\n" in head
        names = {"pixels": pixels if format == "onnx" else torch.tensor(pixels)}
        exec("\n".join(line[4:] for line in snippet.splitlines()), names)  # noqa: S102
        expected = load_run(run_dir).predict(pixels).drop("prediction").to_numpy()
        given = torch.as_tensor(names["probabilities"]).detach().numpy()
        np.testing.assert_allclose(given, expected, atol=1e-5)
    description = json.loads((run_dir / "model.json").read_text())
    assert description["inputs"][0]["shape"] == ["rows", 8, 8]
    assert description["class_names"] == [str(digit) for digit in range(10)]
    assert description["target"] is None


def train_and_export(folder: Path, *settings: str) -> subprocess.CompletedProcess[str]:
    run_script(folder, "train.py", *settings)
    (run_dir,) = folder.glob("outputs/*/*")
    # In a process of its own, where a warning is an error and every word of torch's is seen.
    output = "output=here/penguins.onnx"
    return run_script(folder, "export.py", f"run={run_dir}", "format=onnx", output, "threads=1")


@pytest.mark.prepare(
    train_and_export, "data=penguins", "trainer.max_epochs=1", "model.hidden_sizes=[8]"
)
def test_a_run_on_a_table_is_exported_and_predicts_its_file_without_nnlab(
    prepared, quick_command: Command, tmp_path: Path
) -> None:
    folder, process = prepared
    (run_dir,) = folder.glob("outputs/*/*")
    penguins = Path(OmegaConf.load(run_dir / ".hydra" / "config.yaml").data.path)
    assert process.stderr == ""
    assert process.stdout.startswith("graph    here/penguins.onnx\n")
    assert "here/penguins.json tells how" in process.stdout
    assert {path.name for path in (folder / "here").iterdir()} == {
        "penguins.onnx",
        "penguins.json",
    }
    description = json.loads((folder / "here" / "penguins.json").read_text())
    assert (description["task"], description["target"]) == ("multiclass", "species")
    with penguins.open() as file:
        rows = list(csv.DictReader(file))
    session = onnxruntime.InferenceSession(str(folder / "here" / "penguins.onnx"))
    (output,) = session.run(None, inputs_by_json(description, rows))

    quick_command("predict.py", f"run={run_dir}", f"input={penguins}", "output=out.csv")
    predicted = pl.read_csv(tmp_path / "out.csv").select(pl.selectors.starts_with("probability"))
    np.testing.assert_allclose(output, predicted.to_numpy(), atol=1e-5)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["format=onx"], "format must be one of onnx, torch_export, got format=onx; did you mean"),
        (["format=onnx", "output=m.pt2"], "output must end in .onnx with format=onnx, got output="),
        (["format=torch_export", "output=m"], "output must end in .pt2 with format=torch_export"),
        (["format=onnx", "output={run}/metrics.onnx"], "metrics.json as it is, which is not from"),
        (["format=onnx", "data.batch_size=3"], "only run, format, output, threads may be given"),
        ([], "format must be given: add format=onnx or format=torch_export to the command"),
    ],
)
def test_mistakes_are_answered_in_a_sentence(
    digits_run, quick_command: Command, words: list[str], message: str
) -> None:
    run_dir = digits_run[0]
    words = [word.replace("{run}", str(run_dir)) for word in words]
    process = quick_command("export.py", f"run={run_dir}", *words, succeed=False)
    assert process.returncode == 1
    assert message in process.stderr
    assert process.stderr.count("\n") == 1


@pytest.mark.parametrize("package", ["onnx", "onnxscript"])
def test_a_missing_package_is_named_with_what_brings_it(
    digits_run, quick_command: Command, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    process = quick_command("export.py", f"run={digits_run[0]}", "format=onnx", succeed=False)
    assert process.stderr == (
        f"error: format=onnx needs the package {package}: pip install 'nnlab[export]'\n"
    )


def test_a_graph_that_is_not_right_is_not_written(
    digits_run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(predictor: Predictor, format: str) -> bytes:
        with torch.no_grad():
            predictor.network.layers[-1].bias[0] += 1
        content = export_graph(predictor, format)
        with torch.no_grad():
            predictor.network.layers[-1].bias[0] -= 1
        return content

    monkeypatch.setattr("nnlab.exporting.export_graph", wrong)
    cfg = OmegaConf.load(digits_run[0] / ".hydra" / "config.yaml")
    output = tmp_path / "out" / "model.pt2"
    with pytest.raises(ValueError, match="nothing was written"):
        export(cfg, digits_run[0], changed=[], format="torch_export", output=str(output))
    assert not output.parent.exists()


def test_nothing_else_loads_exporting_or_its_packages() -> None:
    package = Path(__file__).parents[1] / "src" / "nnlab"
    loading = {
        path.name
        for path in package.rglob("*.py")
        if re.search(r"^\s*(from|import) .*(exporting|graphs|onnx)", path.read_text(), re.MULTILINE)
    }
    assert loading == {"exporting.py", "graphs.py"}
