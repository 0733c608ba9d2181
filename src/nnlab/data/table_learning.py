"""What the training rows of a table teach of its columns and its target."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from torch import Tensor

from nnlab.data.columns.cell_error import CellError
from nnlab.data.columns.fitting import fit_columns, mean_and_spread
from nnlab.data.columns.inferred_kinds import infer_kinds
from nnlab.data.columns.kinds import ColumnKind
from nnlab.data.columns.learned import Column
from nnlab.data.columns.plain_data import to_plain
from nnlab.data.columns.said_kinds import check_names
from nnlab.data.columns.words import is_text
from nnlab.data.labelled import LabelledTable
from nnlab.data.threads import map_in_threads
from nnlab.spec import Task

# In fewer training rows a column may seem to have one value by chance.
_FEW_ROWS = 10


@dataclass(frozen=True, kw_only=True)
class TableLearning:
    """How the columns of a table are learned.

    Attributes:
        target: Name of the target column.
        group: A column that only splits the rows; None for none.
        said: Kinds by column name, where they are not to be inferred.
        drop: Names of columns to leave out.
        scaling: How numbers are scaled.
        max_one_hot: The most categories of a column that is one-hot; None for what `fit_columns`
            says.
        decimal: The decimal mark of plain numbers in the file.
    """

    target: str
    group: str | None
    said: Mapping[str, str]
    drop: Sequence[str]
    scaling: str
    max_one_hot: int | None
    decimal: str

    def learn(
        self,
        table: LabelledTable,
        targets: Tensor,
        train: Tensor,
        *,
        task: Task,
        class_names: Sequence[str],
        keeps_times: bool,
    ) -> tuple[list[ColumnKind], dict[str, Any]]:
        """What the columns hold, and what of it new rows need, as plain data.

        Args:
            table: All rows.
            targets: Their targets, `(rows,)`.
            train: Indices of the rows that are learned from.
            task: What is learned.
            class_names: The classes; none for regression.
            keeps_times: See `learn_columns`.

        Raises:
            ValueError: No column says something, or the target does not vary.
        """
        kinds, columns = self._learn_features(table, train, keeps_times)
        if not columns:
            reasons = "; ".join(f"{kind.name}: {kind.note}" for kind in kinds[:3]) or "no other"
            way_out = "; give more rows" if kinds and len(train) < _FEW_ROWS else ""
            raise ValueError(
                f"{table.path.name} must have a column besides '{self.target}' that says "
                f"something, got {len(kinds)} in {len(train):,} training "
                f"{'row' if len(train) == 1 else 'rows'} ({reasons}){way_out}"
            )
        learned = targets[train].numpy()
        mean, std = mean_and_spread(learned) if not class_names else (0.0, 1.0)
        if not std:
            raise ValueError(
                f"target '{self.target}' must vary in the {len(train):,} training rows, but all "
                f"have {mean:g}, or numbers too close to that to tell apart; choose another "
                "target, or split the rows in another way"
            )
        return kinds, {
            "kind": "table",
            "columns": to_plain(columns),
            "left_out": [
                *(kind.name for kind in kinds if not kind.is_used),
                *(name for name in (self.group,) if name is not None),
            ],
            "text": [values.name for values in table.frame if is_text(values)],
            "decimal": self.decimal,
            "target": self.target,
            "target_format": table.target_format,
            "task": task,
            "class_names": list(class_names),
            "target_low": float(learned.min()) if not class_names else None,
            "target_high": float(learned.max()) if not class_names else None,
            "target_mean": mean,
            "target_std": std,
        }

    def _learn_features(
        self, table: LabelledTable, train: Tensor, keeps_times: bool
    ) -> tuple[list[ColumnKind], list[Column]]:
        is_train = np.zeros(len(table.frame), dtype=np.bool_)
        is_train[train.numpy()] = True
        no_features = (self.target, self.group)
        features = table.frame.select(v for v in table.frame if v.name not in no_features)
        with table.locating():
            kinds, columns = self.learn_columns(features, is_train, keeps_times=keeps_times)
        table.refuse_open_commas({kind.name: kind.number_format for kind in kinds if kind.is_used})
        return kinds, columns

    def learn_columns(
        self, frame: pl.DataFrame, is_train: NDArray[np.bool_], *, keeps_times: bool
    ) -> tuple[list[ColumnKind], list[Column]]:
        """What the columns of a table hold, and what is learned of those that are used.

        Args:
            frame: The features of all rows.
            is_train: Which of the rows are learned from, `(rows,)`.
            keeps_times: Whether there is memory for the `times` of all kinds.

        Raises:
            ValueError: A name is no column's, or a kind does not suit its values.
            CellError: A cell of a training row cannot be read; its row is one of all rows.
        """
        # What is said of the group, which is no feature, is of no use, but no mistake.
        said = {name: kind for name, kind in self.said.items() if name != self.group}
        drop = [name for name in self.drop if name != self.group]
        check_names(frame.columns, said=said, drop=drop)
        keep = pl.Series(is_train)

        def learn(name: str) -> tuple[ColumnKind, list[Column]]:
            whole = frame.get_column(name).to_frame()  # `select` would take * for all columns
            rows = whole.filter(keep)
            (kind,) = infer_kinds(
                rows,
                said={name: said[name]} if name in said else {},
                drop=[name] if name in drop else [],
                whole=whole,
                decimal=self.decimal,
            )
            if kind.times is not None:
                rows = kind.times.to_frame().filter(keep)
            columns = fit_columns(rows, [kind], scaling=self.scaling, max_one_hot=self.max_one_hot)
            return kind if keeps_times else replace(kind, times=None), columns

        # One at a time: copies of several would have to find fresh memory, which takes longer than
        # to learn from them.
        schema = frame.schema
        # Texts first, all others meanwhile: the dates among them take longest by far.
        names = sorted(schema, key=lambda name: schema[name] != pl.String)
        try:
            found = dict(zip(names, map_in_threads(learn, names, ahead=len(names)), strict=True))
        except CellError as error:
            error.row = int(np.flatnonzero(is_train)[error.row])
            raise
        learned = [found[name] for name in frame.columns]
        return (
            [kind for kind, _ in learned],
            [column for _, columns in learned for column in columns],
        )
