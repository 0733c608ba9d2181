"""A table with a target column."""

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import torch
from torch import Tensor

from nnlab.data.columns.column_table import column_table
from nnlab.data.columns.decimal_commas import with_points
from nnlab.data.columns.encoder import RowEncoder
from nnlab.data.columns.kinds import ColumnKind
from nnlab.data.columns.learned import Column, require_columns
from nnlab.data.columns.plain_data import from_plain
from nnlab.data.copies import compared_columns
from nnlab.data.csv.options import CsvOptions, missing_values
from nnlab.data.digests import file_digest
from nnlab.data.known_rows import remember_rows, warn_of_known_rows
from nnlab.data.labelled import LabelledTable
from nnlab.data.missing import no_longer_missing
from nnlab.data.module import InMemoryDataModule, LoadedData, Split
from nnlab.data.names import plain_name
from nnlab.data.other_file_warnings import warn_of_other_files
from nnlab.data.parquet import is_nested, refuse_nested
from nnlab.data.split_warnings import warn_of_order, warn_of_subjects
from nnlab.data.storage import Storage
from nnlab.data.table_encoding import encode_table
from nnlab.data.table_learning import TableLearning
from nnlab.data.table_rows import TableReader
from nnlab.data.table_split import TableSplit
from nnlab.data.table_warnings import (
    warn_of_similar_groups,
    warn_of_table,
    warn_of_untested_classes,
)
from nnlab.data.targets import encode_targets, find_classes, scale_targets
from nnlab.data.unfamiliar import unfamiliar_sentences, unfamiliar_target
from nnlab.rule_types import flat_names
from nnlab.rules import check
from nnlab.spec import DataSpec, Task
from nnlab.suggestions import setting

_log = logging.getLogger(__name__)
# Settings that say how files are written; of two that are written otherwise, none suits both.
_OF_ALL_FILES = re.compile(
    r"data\.(separator|encoding|decimal|quote|header|column_names|skip_lines)="
)


@dataclass(frozen=True, kw_only=True)
class _Overview:
    """What a person should know of a table before training, and what a checkpoint keeps of it.

    Attributes:
        warnings: A sentence each.
        missing: By column, how often each spelling of a missing value occurs.
        known_rows: See `remember_rows`.
    """

    warnings: list[str]
    missing: dict[str, dict[str, int]]
    known_rows: dict[str, Any]


class TabularDataModule(InMemoryDataModule):
    """A table in a CSV or Parquet file; one column is the target, others are features.

    What each column holds is inferred from the training rows unless it is said
    (`nnlab.data.columns.inferred_kinds`); numbers are scaled, categories are one-hot or, where
    they are many, embedded, dates become numbers and cycles (`nnlab.data.columns.encoder`). A
    regression target is standardised. Every statistic is taken from training rows. Rows without a
    target are left out.

    Test rows are held out first, then validation rows: at random and stratified for classes, or
    by `group`, or the latest by `time`; or they lie in files of their own; or the test rows are
    one fold of several.

    Args:
        path: The file; `~` is the home folder.
        target: Name of the target column.
        task: `binary`, `multiclass`, `regression`, or `auto`, for what `infer_task` says.
        columns: Kinds by column name, where they are not to be inferred: `numeric`,
            `categorical`, `boolean`, `date`, or a date's format such as `%d/%m/%Y`.
        drop: Names of columns to leave out.
        scaling: Of numbers: `robust`, `standard` or `quantile`.
        max_one_hot: The most categories of a column that is one-hot, >= 0; with more it is
            embedded. None for what `fit_columns` says.
        val_fraction: Share of the rows that are left after the test rows, in (0, 1).
        test_fraction: Share of all rows, in (0, 1).
        val_path: A file of validation rows; None to hold some out.
        test_path: A file of test rows; None to hold some out.
        group: A column whose equal values stay in one split; it is no feature. None for none.
        time: A column of numbers or dates; later rows are held out. None for none.
        fold: Which of the `folds` is tested on, in [0, folds).
        folds: Number of folds of a cross-validation, >= 2; None for a single split.
        separator: How the files are written, like the eight that follow: see `CsvOptions`.
        encoding: See `CsvOptions`.
        decimal: See `CsvOptions`.
        quote: See `CsvOptions`.
        null_values: See `CsvOptions`.
        header: See `CsvOptions`.
        column_names: See `CsvOptions`.
        skip_lines: See `CsvOptions`.
        comment: See `CsvOptions`.
        memory_map: See `Storage`, like the next.
        scratch: See `Storage`; `~` is the home folder.
        batch_size: Rows of a training batch, >= 1.
        seed: Chooses the splits and the order of the rows.

    Raises:
        ValueError: An argument is outside its range, or two exclude each other.
    """

    def __init__(
        self,
        *,
        path: str,
        target: str,
        task: str,
        columns: Mapping[str, str],
        drop: Sequence[str],
        scaling: str,
        max_one_hot: int | None,
        val_fraction: float,
        test_fraction: float,
        val_path: str | None,
        test_path: str | None,
        group: str | None,
        time: str | None,
        fold: int,
        folds: int | None,
        separator: str | None,
        encoding: str | None,
        decimal: str | None,
        quote: str | None,
        null_values: Sequence[str] | None,
        header: bool | None,
        column_names: Sequence[str] | None,
        skip_lines: int | None,
        comment: str | None,
        memory_map: bool | None,
        scratch: str,
        batch_size: int,
        seed: int,
    ) -> None:
        super().__init__(batch_size=batch_size, seed=seed)
        check(
            path=path,
            target=target,
            task=task,
            columns=columns,
            drop=drop,
            scaling=scaling,
            max_one_hot=max_one_hot,
            val_fraction=val_fraction,
            test_fraction=test_fraction,
            val_path=val_path,
            test_path=test_path,
            group=group,
            time=time,
            fold=fold,
            folds=folds,
            memory_map=memory_map,
            scratch=scratch,
        )
        # As `read_table` gives names.
        target = plain_name(target)
        group, time = (name if name is None else plain_name(name) for name in (group, time))
        for name, column in (("group", group), ("time", time)):
            if column == target:
                raise ValueError(
                    f"{name} must be another column than the target, whose values would all lie on "
                    f"one side of the split, got {name}={column}"
                )
        self.path = Path(path).expanduser()
        self.target = target
        self.task = task
        self.drop = list(map(plain_name, drop))
        self.val_path = val_path
        self.test_path = test_path
        said = {plain_name(name): kind for name, kind in flat_names(columns).items()}
        time_format = said.get(time or "", "")
        self.split = TableSplit(
            val_fraction=val_fraction if val_path is None else None,
            test_fraction=test_fraction if test_path is None else None,
            group=group,
            time=time,
            time_format=time_format if "%" in time_format else None,
            fold=fold,
            folds=folds,
            seed=seed,
        )
        self.reading = CsvOptions(
            separator=separator,
            encoding=encoding,
            decimal=decimal,
            quote=quote,
            null_values=null_values,
            header=header,
            column_names=column_names,
            skip_lines=skip_lines,
            comment=comment,
        )
        self._learning = TableLearning(
            target=target,
            group=group,
            said=said,
            drop=self.drop,
            scaling=scaling,
            max_one_hot=max_one_hot,
            decimal=self._decimal,
        )
        self.storage = Storage(memory_map=memory_map, scratch=Path(scratch).expanduser())

    def load(self, preprocessing: dict[str, Any] | None) -> LoadedData:
        """Read, split and preprocess.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: A file cannot be read as a table, the target is not in it or cannot be
                learned, or the file does not fit the preprocessing of a checkpoint.
        """
        table = self._read(self.path, preprocessing)
        if preprocessing is None:
            return self._load_new(table)
        targets, rows = self._split_rows(table, preprocessing["class_names"])
        columns = from_plain(preprocessing["columns"])
        encoder = RowEncoder(columns)
        splits = self._encode_splits(table, targets, rows, preprocessing, columns, encoder)
        beside = self._load_beside(table, preprocessing)
        splits |= {name: split for name, (_, split) in beside.items()}
        return LoadedData(
            spec=self._spec(encoder, preprocessing, splits["train"][1]),
            preprocessing=preprocessing,
            train=splits["train"],
            val=splits["val"],
            test=splits["test"],
        )

    def _load_new(self, table: LabelledTable) -> LoadedData:
        """A table of which all is to be learned, and told."""
        # What takes one core is done beside steps that leave one idle now and then.
        with ThreadPoolExecutor(1) as pool:
            digest = pool.submit(self.digest)
            with table.locating():
                task = table.choose_task(self.task)
                class_names = find_classes(table.target, task)
            targets, rows = self._split_rows(table, class_names)
            kinds, preprocessing = self._learn(table, targets, rows["train"], task, class_names)
            columns = from_plain(preprocessing["columns"])
            encoder = RowEncoder(columns)
            looking_over = pool.submit(
                self._look_over, table, targets, rows, kinds, columns, class_names
            )
            times = [kind.times for kind in kinds if kind.times is not None]
            splits = self._encode_splits(
                table, targets, rows, preprocessing, columns, encoder, times
            )
        seen = looking_over.result()
        preprocessing |= {"known_rows": seen.known_rows, "digest": digest.result()}
        beside = self._load_beside(table, preprocessing)
        splits |= {name: split for name, (_, split) in beside.items()}
        warnings = seen.warnings
        if beside:
            others = {name: other for name, (other, _) in beside.items()}
            known = {name: splits[name][1] for name in ("train", *beside)}
            warnings += warn_of_other_files(table, rows, others, known, self.split, preprocessing)
            warnings += warn_of_untested_classes(self.target, class_names, known)
        return LoadedData(
            spec=self._spec(encoder, preprocessing, splits["train"][1]),
            preprocessing=preprocessing,
            column_table=column_table(kinds, columns, seen.missing),
            warnings=warnings,
            train=splits["train"],
            val=splits["val"],
            test=splits["test"],
        )

    def _split_rows(
        self, table: LabelledTable, class_names: Sequence[str]
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The targets of all rows, and the rows of each split that comes out of the table."""
        with table.locating():
            targets = encode_targets(table.target, class_names, self._decimal)
            classes = targets if class_names else None
            return targets, self.split.choose(table.frame, self.path, classes)

    def _encode_splits(
        self,
        table: LabelledTable,
        targets: Tensor,
        rows: Mapping[str, Tensor],
        preprocessing: Mapping[str, Any],
        columns: Sequence[Column],
        encoder: RowEncoder,
        times: Sequence[pl.Series] = (),
    ) -> dict[str, Split]:
        """The splits that come out of a table; columns that were learned as `times` are these."""
        frame, parts = table.frame.with_columns(times), list(rows.values())
        with table.locating():
            inputs = encode_table(frame, columns, encoder, parts, self.storage)
            scaled = scale_targets(targets, preprocessing)
        return {
            name: (x, scaled.index_select(0, index))
            for (name, index), x in zip(rows.items(), inputs, strict=True)
        }

    def _load_beside(
        self, table: LabelledTable, preprocessing: Mapping[str, Any]
    ) -> dict[str, tuple[LabelledTable, Split]]:
        """The splits that have files of their own, raw and preprocessed."""
        loaded = {}
        for name, path in (("val", self.val_path), ("test", self.test_path)):
            if path is not None:
                with self._with_settings_of_all(Path(path)):
                    other = self._read(Path(path).expanduser(), preprocessing, table)
                    loaded[name] = (other, self._encode(other, preprocessing))
        return loaded

    def _learn(
        self,
        table: LabelledTable,
        targets: Tensor,
        train: Tensor,
        task: Task,
        class_names: list[str],
    ) -> tuple[list[ColumnKind], dict[str, Any]]:
        """What the columns hold, and the preprocessing."""
        for notice in self.split.notices(table.frame):
            _log.info("split  %s", notice)
        kinds, learned = self._learning.learn(
            table,
            targets,
            train,
            task=task,
            class_names=class_names,
            keeps_times=self.storage.fits(table.frame),
        )
        return kinds, learned | {
            "missing": missing_values(self.reading),
            "held_out_digests": self.held_out_digests(),
        }

    def _look_over(
        self,
        table: LabelledTable,
        targets: Tensor,
        rows: Mapping[str, Tensor],
        kinds: Sequence[ColumnKind],
        columns: Sequence[Column],
        class_names: Sequence[str],
    ) -> _Overview:
        compared = compared_columns(table.frame, kinds, self.target)
        warnings = warn_of_table(
            table, targets, rows, kinds, columns, class_names, compared=compared, drop=self.drop
        )
        if self.split.group is None and self.split.time is None:
            with table.locating():
                warnings += warn_of_order(table.frame, columns)
            warnings += warn_of_subjects(table.frame, kinds, self.target)
        if self.split.group is not None:
            warnings += warn_of_similar_groups(table.frame.get_column(self.split.group))
        return _Overview(
            warnings=warnings,
            missing=table.count_missing(),
            known_rows=remember_rows(table.frame, rows["train"], compared),
        )

    def read_labelled(self, path: Path, preprocessing: Mapping[str, Any]) -> Split:
        """All rows of a file that have a target, preprocessed as in training.

        What training had not, such as other categories and numbers far off, is told of, and so are
        rows of training.
        """
        for sentence in no_longer_missing(preprocessing["missing"], missing_values(self.reading)):
            _log.info("%s", sentence)
        table = self._read(path, preprocessing)
        split = self._encode(table, preprocessing)
        reader = TableReader(preprocessing)
        for sentence in unfamiliar_sentences(reader, table.frame, table.place):
            _log.info("%s", sentence)
        for sentence in unfamiliar_target(split[1], preprocessing):
            _log.info("%s", sentence)
        for sentence in warn_of_known_rows(table.frame, preprocessing):
            _log.warning("warning: %s", sentence)
        return split

    def _encode(self, table: LabelledTable, preprocessing: Mapping[str, Any]) -> Split:
        columns = from_plain(preprocessing["columns"])
        require_columns(table.frame, columns, f"in {table.path.name}")
        rows = [torch.arange(len(table.frame))]
        with table.locating():
            targets = encode_targets(table.target, preprocessing["class_names"], self._decimal)
            frame = with_points(table.frame, columns) if self._decimal == "," else table.frame
        with table.locating(frame):
            (x,) = encode_table(frame, columns, RowEncoder(columns), rows, self.storage)
            return x, scale_targets(targets, preprocessing)

    def digest(self) -> str:
        """SHA-256 of the file at `path`, to tell whether it is that of a checkpoint."""
        return file_digest(self.path)

    def held_out_digests(self) -> dict[str, str]:
        """The same of the files of `val` and `test` rows, where these have their own."""
        paths = {"val": self.val_path, "test": self.test_path}
        return {
            split: file_digest(Path(path).expanduser())
            for split, path in paths.items()
            if path is not None
        }

    def _read(
        self,
        path: Path,
        preprocessing: Mapping[str, Any] | None,
        beside: LabelledTable | None = None,
    ) -> LabelledTable:
        """The rows of a file that have a target, as training read it.

        Args:
            path: The file.
            preprocessing: That of training; None where this is to be learned from the file.
            beside: The table of training, where its settings are for this file, too.
        """
        said = {} if preprocessing else self._learning.said
        text = list(map(plain_name, preprocessing["text"])) if preprocessing else ()
        table = LabelledTable(
            path,
            self.reading,
            target=self.target,
            text=text,
            categories=[name for name, kind in said.items() if kind == "categorical"],
            storage=self.storage,
            class_names=preprocessing["class_names"] if preprocessing else None,
            # Those of the first version have none.
            target_format=preprocessing.get("target_format") if preprocessing else None,
            beside=beside,
        )
        self._refuse_nested(table.frame, path, preprocessing)
        return table

    @contextmanager
    def _with_settings_of_all(self, path: Path) -> Iterator[None]:
        """Add to an error of a file beside the first that settings are for both."""
        try:
            yield
        except ValueError as error:
            if not _OF_ALL_FILES.search(str(error)):
                raise
            raise ValueError(
                f"{error}; such a setting is for all files of a run, so write {path.name} as "
                f"{self.path.name} is written if it does not suit both"
            ) from error

    def _refuse_nested(
        self, frame: pl.DataFrame, path: Path, preprocessing: Mapping[str, Any] | None
    ) -> None:
        """Refuse lists and the like, unless they are dropped or training did not use them."""
        nested = [values.name for values in frame if is_nested(values)]
        refuse_nested(frame.select(v for v in frame if v.name == self.target), path)
        if preprocessing is None:
            drop = list(dict.fromkeys([*self.drop, *nested]))
            way_out = f", or leave it out with {setting('data.drop', drop)}"
            refuse_nested(frame.select(v for v in frame if v.name not in self.drop), path, way_out)
            return
        used = {self.target, *(column["name"] for column in preprocessing["columns"])}
        refuse_nested(frame.select(v for v in frame if v.name in used), path)

    @property
    def _decimal(self) -> str:
        return self.reading.decimal or "."

    def _spec(
        self, encoder: RowEncoder, preprocessing: Mapping[str, Any], targets: Tensor
    ) -> DataSpec:
        class_names = preprocessing["class_names"]
        counts = torch.bincount(targets, minlength=len(class_names)) if class_names else targets[:0]
        return DataSpec(
            task=preprocessing["task"],
            input_shape=[encoder.out_features],
            numbers=encoder.numbers,
            category_sizes=encoder.category_sizes,
            class_names=class_names,
            class_counts=counts.tolist(),
            target_mean=preprocessing["target_mean"],
            target_std=preprocessing["target_std"],
        )
