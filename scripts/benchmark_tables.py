"""Compare nnlab's defaults with scikit-learn's MLP on a folder of tables.

    pip install -e ".[test]"
    python scripts/benchmark_tables.py FOLDER [--seeds 0 1 2] [--only NAME ...]

FOLDER holds CSV files and a manifest.json: a list of {"name", "file", "target", "task"}. For each
table and seed, 60 % of the rows are learned from, 20 % choose the epoch, and 20 % are tested on,
the same rows for both. nnlab is run as a user runs it, with no setting but the file, the target and
the seed. scikit-learn's MLP has its own defaults, after median imputation, standardisation and
one-hot encoding. The error is 1 - accuracy, or RMSE / standard deviation of the target.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from nnlab.data.csv.options import CsvOptions
from nnlab.data.split import hold_out, places
from nnlab.data.table import read_table
from nnlab.text_table import format_table

_TRAIN = Path(__file__).with_name("train.py")
# Measured once, with one seed each and on other splits, before nnlab could read tables: with
# scikit-learn, with LightGBM's defaults, and with RealMLP-TD as pytabkit has it (Holzmüller et al.
# 2024, "Better by Default").
_QUOTED = {
    "linear": {
        "ames": 0.450,
        "telco_churn": 0.195,
        "credit_data": 0.199,
        "mlc_churn": 0.134,
        "letter": 0.224,
        "diamonds": 0.280,
    },
    "LightGBM": {
        "ames": 0.340,
        "telco_churn": 0.195,
        "credit_data": 0.199,
        "mlc_churn": 0.047,
        "letter": 0.038,
        "diamonds": 0.139,
    },
    "RealMLP-TD": {
        "ames": 0.339,
        "telco_churn": 0.199,
        "credit_data": 0.192,
        "mlc_churn": 0.052,
    },
}


def main() -> None:
    """Print a table of mean errors, a row for each data set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--only", nargs="+", help="names of tables")
    arguments = parser.parse_args()
    if not (arguments.folder / "manifest.json").is_file():
        parser.error(
            f"there is no {arguments.folder / 'manifest.json'}; see the top of this script"
        )
    manifest = json.loads((arguments.folder / "manifest.json").read_text())
    names = arguments.only or [entry["name"] for entry in manifest]
    ours: dict[str, float] = {}
    theirs: dict[str, float] = {}
    rows = []
    for entry in (entry for entry in manifest if entry["name"] in names):
        path, name = arguments.folder / entry["file"], entry["name"]
        runs = [_measure(path, entry["target"], entry["task"], seed) for seed in arguments.seeds]
        ours[name], theirs[name], seconds = (float(mean) for mean in np.mean(runs, axis=0))
        quoted = [f"{errors[name]:.3f}" if name in errors else "" for errors in _QUOTED.values()]
        rows.append([name, f"{ours[name]:.4f}", f"{theirs[name]:.4f}", *quoted, f"{seconds:.0f}"])
        print(*rows[-1], flush=True)
    rows.append(["mean", f"{np.mean([*ours.values()]):.4f}", f"{np.mean([*theirs.values()]):.4f}"])
    reference = [name for name in ours if name in _QUOTED["RealMLP-TD"]]
    if reference:
        mean = np.mean([ours[name] for name in reference])
        quoted_mean = np.mean([_QUOTED["RealMLP-TD"][name] for name in reference])
        shown = [f"{mean:.4f}", "", "", "", f"{quoted_mean:.4f}"]
        rows.append([f"mean of {len(reference)} with RealMLP-TD", *shown])
    header = ["table", "nnlab", "scikit-learn MLP", *_QUOTED, "seconds (nnlab)"]
    width = len(header)
    print(
        "\n" + format_table(header, [row + [""] * (width - len(row)) for row in rows], ("table",))
    )


def _measure(path: Path, target: str, task: str, seed: int) -> tuple[float, float, float]:
    """The errors of nnlab and of scikit-learn, and the seconds of the whole nnlab command."""
    frame = read_table(path, CsvOptions())
    frame = frame.filter(pl.col(target).is_not_null())
    started = time.perf_counter()
    metrics = _run_nnlab(path, target, seed)
    seconds = time.perf_counter() - started
    if task == "regression":
        ours = metrics["rmse"] / float(frame[target].to_numpy().std())
    else:
        ours = 1 - metrics["accuracy"]
    return ours, _error_of_sklearn(frame, target, task, seed), seconds


def _run_nnlab(path: Path, target: str, seed: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        settings = ["data=csv", f"data.path={path.resolve()}", f"data.target={target}"]
        subprocess.run(
            [sys.executable, str(_TRAIN), *settings, f"seed={seed}"],
            cwd=folder,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        (results,) = Path(folder).glob("outputs/csv/*/metrics.json")
        test: dict[str, float] = json.loads(results.read_text())["test"]
        return test


def _error_of_sklearn(frame: pl.DataFrame, target: str, task: str, seed: int) -> float:
    is_regression = task == "regression"
    y = frame[target].to_numpy() if is_regression else frame[target].cast(pl.String).to_numpy()
    classes = None if is_regression else torch.tensor(np.unique(y, return_inverse=True)[1])
    is_test = hold_out(len(y), fraction=0.2, seed=seed, classes=classes)
    rest = places(~is_test)
    is_val = hold_out(
        len(rest), fraction=0.25, seed=seed, classes=None if classes is None else classes[rest]
    )
    train, test = rest[~is_val].numpy(), places(is_test)
    features = frame.drop(target)
    numeric = features.select(pl.selectors.numeric()).columns
    text = [name for name in features.columns if name not in numeric]
    table = _to_objects(features)
    position = {name: i for i, name in enumerate(features.columns)}
    preprocess = ColumnTransformer(
        [
            (
                "numbers",
                make_pipeline(SimpleImputer(strategy="median"), StandardScaler()),
                [position[name] for name in numeric],
            ),
            (
                "categories",
                OneHotEncoder(handle_unknown="ignore"),
                [position[name] for name in text],
            ),
        ]
    )
    mean, std = (y[train].mean(), y[train].std()) if is_regression else (0.0, 1.0)
    learned = (y - mean) / std if is_regression else y
    network = MLPRegressor if is_regression else MLPClassifier
    model = make_pipeline(preprocess, network(random_state=seed))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # its default of 200 epochs is kept
        model.fit(table[train], learned[train])
    predicted = model.predict(table[test.numpy()])
    if not is_regression:
        return float((predicted != y[test.numpy()]).mean())
    residuals = predicted * std + mean - y[test.numpy()]
    return float(np.sqrt(np.square(residuals).mean()) / y.std())


def _to_objects(features: pl.DataFrame) -> np.ndarray[Any, np.dtype[np.object_]]:
    """Numbers as floats with NaN where missing, text with a category for what is missing."""
    columns = [
        values.cast(pl.Float64).fill_null(float("nan")).to_numpy()
        if values.dtype.is_numeric()
        else values.fill_null("missing").to_numpy()
        for values in features
    ]
    return np.column_stack([column.astype(object) for column in columns])


if __name__ == "__main__":
    main()
