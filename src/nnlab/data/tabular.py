"""A table with a target column."""

import logging
from pathlib import Path
from typing import Any, cast

import polars as pl
from torch import Tensor

from nnlab.data.columns import encode, fit_columns, from_plain, to_plain
from nnlab.data.module import InMemoryDataModule, LoadedData
from nnlab.data.split import hold_out
from nnlab.data.table import few, read_table, require_column
from nnlab.data.targets import encode_targets, find_classes, infer_task, mean_and_std
from nnlab.rules import check
from nnlab.spec import DataSpec, Task

_log = logging.getLogger(__name__)


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
        task: `binary`, `multiclass`, `regression`, or `auto`, for what `infer_task` says.
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
            path=path,
            target=target,
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
            ValueError: The file cannot be read as a CSV, the target is not in it or cannot be
                learned, or the file does not fit the preprocessing of a checkpoint.
        """
        features, target = self._read()
        if preprocessing is None:
            task = self._choose_task(target)
            class_names = find_classes(target, task)
        else:
            task, class_names = preprocessing["task"], preprocessing["class_names"]
        targets = encode_targets(target, class_names)
        rows = self._split(targets, task)
        if preprocessing is None:
            preprocessing = self._fit(features, targets, rows["train"], task, class_names)
        x = encode(features, from_plain(preprocessing["columns"]))
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

    def _read(self) -> tuple[pl.DataFrame, pl.Series]:
        """Features and target of the rows that have a target."""
        frame = read_table(self.path)
        has_target = require_column(frame, self.target, self.path).is_not_null()
        labelled = frame.filter(has_target)
        if without := len(frame) - len(labelled):
            _log.info("%d of %d rows have no %s and are left out", without, len(frame), self.target)
        return labelled.drop(self.target), labelled[self.target]

    def _choose_task(self, target: pl.Series) -> Task:
        inferred = infer_task(target)
        if self.task != "auto":
            return cast(Task, self.task)
        _log.info("task   %s, from %d values of %s", inferred, target.n_unique(), self.target)
        return inferred

    def _split(self, targets: Tensor, task: Task) -> dict[str, Tensor]:
        """Indices of the rows of each split."""
        classes = None if task == "regression" else targets
        rest, test = hold_out(
            len(targets), fraction=self.test_fraction, seed=self.seed, classes=classes
        )
        train, val = hold_out(
            len(rest),
            fraction=self.val_fraction,
            seed=self.seed,
            classes=None if classes is None else classes[rest],
        )
        return {"train": rest[train], "val": rest[val], "test": test}

    def _fit(
        self,
        features: pl.DataFrame,
        targets: Tensor,
        train: Tensor,
        task: Task,
        class_names: list[str],
    ) -> dict[str, Any]:
        columns = fit_columns(features[train.numpy()], max_categories=self.max_categories)
        if not columns:
            raise ValueError(
                f"{self.path.name} must have a column besides '{self.target}' that varies, "
                f"got {few(features.columns) or 'none'}"
            )
        is_regression = task == "regression"
        mean, std = mean_and_std(targets[train]) if is_regression else (0.0, 1.0)
        return {
            "kind": "table",
            "columns": to_plain(columns),
            "target": self.target,
            "task": task,
            "class_names": class_names,
            "target_mean": mean,
            "target_std": std,
        }
