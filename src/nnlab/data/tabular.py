"""A CSV file with a target column."""

import logging
from pathlib import Path
from typing import Any, cast

import polars as pl
import torch
from torch import Tensor

from nnlab.data.columns import encode, fit_columns, from_plain, to_plain
from nnlab.data.module import InMemoryDataModule, LoadedData
from nnlab.data.split import hold_out
from nnlab.rules import check, did_you_mean
from nnlab.spec import DataSpec, Task

_log = logging.getLogger(__name__)

# Spellings of a missing value; an empty cell is one, too.
_MISSING = ["", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None", "?"]
# A target of whole numbers with at most this many different ones is taken for classes.
_MAX_INTEGER_CLASSES = 20


class TabularDataModule(InMemoryDataModule):
    """A table in a CSV file; one column is the target, all others are features.

    Numbers are standardised, missing ones filled with the mean and marked by an indicator.
    Everything else is a category, one-hot; missing and unseen categories have an input of their
    own. A column that does not vary is left out. A regression target is standardised. Every
    statistic is taken from training rows. Test rows are held out first, then validation rows,
    both stratified for classes. Rows without a target are left out.

    Args:
        path: The CSV file, with a header; `~` is the home folder.
        target: Name of the target column.
        task: `binary`, `multiclass`, `regression`, or `auto`: classes if the target is text,
            has two values, or whole numbers of at most 20 different values, else regression.
        max_categories: The most categories of a column that get an input of their own, >= 1.
        val_fraction: Share of the rows that are left after the test rows, in (0, 1).
        test_fraction: Share of all rows, in (0, 1).
        batch_size: Rows of a training batch, >= 1.
        seed: Chooses the splits and the order of the rows.

    Raises:
        ValueError: An argument is outside its range.
    """

    def __init__(
        self,
        *,
        path: str,
        target: str,
        task: str,
        max_categories: int,
        val_fraction: float,
        test_fraction: float,
        batch_size: int,
        seed: int,
    ) -> None:
        super().__init__(batch_size=batch_size, seed=seed)
        check(
            task=task,
            max_categories=max_categories,
            val_fraction=val_fraction,
            test_fraction=test_fraction,
        )
        self.path = Path(path).expanduser()
        self.target = target
        self.task = task
        self.max_categories = max_categories
        self.val_fraction = val_fraction
        self.test_fraction = test_fraction

    def load(self, preprocessing: dict[str, Any] | None) -> LoadedData:
        """Read, split and preprocess.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: The file cannot be read as a CSV, the target is not in it, or it cannot
                be learned.
        """
        frame = self._read()
        task = self._resolve_task(frame[self.target])
        class_names = [] if task == "regression" else self._class_names(frame[self.target], task)
        targets = self._encode_targets(frame[self.target], class_names)
        features = frame.drop(self.target)

        classes = None if task == "regression" else targets
        every_row = torch.arange(len(targets))
        rest, test = hold_out(
            len(targets), fraction=self.test_fraction, seed=self.seed, classes=classes
        )
        train, val = hold_out(
            len(rest),
            fraction=self.val_fraction,
            seed=self.seed,
            classes=None if classes is None else classes[rest],
        )
        rows = {"train": rest[train], "val": rest[val], "test": every_row[test]}
        if preprocessing is None:
            preprocessing = self._fit(
                features[rows["train"].numpy()], targets[rows["train"]], class_names
            )
        columns = from_plain(preprocessing["columns"])
        x = encode(features, columns)
        mean, std = preprocessing["target_mean"], preprocessing["target_std"]
        if task == "regression":
            targets = ((targets - mean) / std).float()
        spec = DataSpec(
            task=task,
            input_shape=[x.shape[1]],
            class_names=class_names,
            target_mean=mean,
            target_std=std,
        )
        splits = {name: (x[index], targets[index]) for name, index in rows.items()}
        return LoadedData(spec=spec, preprocessing=preprocessing, **splits)

    def _read(self) -> pl.DataFrame:
        if not self.path.is_file():
            raise FileNotFoundError(
                f"data.path must be a CSV file, but there is no file {self.path}; "
                "relative paths start at the current folder"
            )
        try:
            frame = pl.read_csv(self.path, infer_schema_length=None, null_values=_MISSING)
        except (pl.exceptions.PolarsError, UnicodeDecodeError) as error:
            reason = str(error).strip().splitlines()[0]
            raise ValueError(f"{self.path} cannot be read as a CSV file: {reason}") from error
        if self.target not in frame.columns:
            raise ValueError(
                f"target must be a column of {self.path.name}, got target='{self.target}'"
                f"{did_you_mean(self.target, frame.columns)} (its columns: {_few(frame.columns)})"
            )
        frame = frame.with_columns(
            pl.selectors.float().fill_nan(None),
            pl.selectors.boolean().cast(pl.String),
        )
        for name in frame.select(pl.selectors.float()).columns:
            if frame[name].is_infinite().any():
                row = int(frame[name].is_infinite().arg_true()[0]) + 1
                raise ValueError(
                    f"column '{name}' of {self.path.name} must hold finite numbers, got "
                    f"{frame[name][row - 1]} in data row {row}; mend or empty the cell"
                )
        labelled = frame.filter(pl.col(self.target).is_not_null())
        if without := len(frame) - len(labelled):
            _log.info("%d of %d rows have no %s and are left out", without, len(frame), self.target)
        return labelled

    def _resolve_task(self, target: pl.Series) -> Task:
        distinct = target.n_unique()
        if distinct < 2:
            raise ValueError(
                f"target '{self.target}' must take at least two values, got {distinct} "
                f"in {len(target)} rows of {self.path.name}"
            )
        if self.task != "auto":
            if self.task == "regression" and not target.dtype.is_numeric():
                raise ValueError(
                    f"task=regression needs a target of numbers, got '{self.target}' with values "
                    f"such as '{target[0]}'"
                )
            return cast(Task, self.task)
        is_classes = (
            distinct == 2
            or not target.dtype.is_numeric()
            or (target.dtype.is_integer() and distinct <= _MAX_INTEGER_CLASSES)
        )
        task: Task = "regression" if not is_classes else "binary" if distinct == 2 else "multiclass"
        _log.info("task=%s from %d values of %s", task, distinct, self.target)
        return task

    def _class_names(self, target: pl.Series, task: Task) -> list[str]:
        counts = target.value_counts().sort(self.target)
        if task == "binary" and len(counts) != 2:
            raise ValueError(
                f"task=binary needs a target of two values, got {len(counts)} in '{self.target}'"
            )
        rare = counts.filter(pl.col("count") < 2)
        if len(rare):
            raise ValueError(
                f"every class of '{self.target}' must have at least two rows, got one of "
                f"'{rare[self.target][0]}'"
                + ("; for numbers give data.task=regression" if target.dtype.is_numeric() else "")
            )
        return [str(value) for value in counts[self.target]]

    def _encode_targets(self, target: pl.Series, class_names: list[str]) -> Tensor:
        if not class_names:
            return torch.tensor(target.cast(pl.Float64).to_numpy())
        index = {name: i for i, name in enumerate(class_names)}
        codes = target.cast(pl.String).replace_strict(index, return_dtype=pl.Int64)
        return torch.tensor(codes.to_numpy())

    def _fit(
        self, features: pl.DataFrame, targets: Tensor, class_names: list[str]
    ) -> dict[str, Any]:
        columns = fit_columns(features, max_categories=self.max_categories)
        if not columns:
            raise ValueError(
                f"{self.path.name} must have a column besides '{self.target}' that varies, "
                f"got {', '.join(features.columns) or 'none'}"
            )
        is_regression = not class_names
        return {
            "kind": "table",
            "columns": to_plain(columns),
            "target": self.target,
            "class_names": class_names,
            "target_mean": targets.mean().item() if is_regression else 0.0,
            "target_std": (targets.std(correction=0).item() or 1.0) if is_regression else 1.0,
        }


def _few(names: list[str]) -> str:
    """Names for a message that must stay readable."""
    return ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
