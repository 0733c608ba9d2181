"""Which rows of a table are learned from, validated and tested on."""

from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import torch
from torch import Tensor

from nnlab.data.columns.date_inference import moments
from nnlab.data.split import (
    count_to_hold_out,
    hold_out,
    order_to_hold_out,
    places,
    take_fold,
)
from nnlab.data.table import require_column

_ROWS = {"val": "validation", "test": "test"}


@dataclass(frozen=True, kw_only=True)
class TableSplit:
    """How the rows of a table are split.

    Attributes:
        val_fraction: Share of the rows that are left after the test rows; None where validation
            rows have a file of their own.
        test_fraction: Share of all rows; None where test rows have a file of their own.
        group: A column whose equal values stay in one split; None for none.
        time: A column of numbers or dates; later rows are held out. None for none.
        time_format: How its dates are written, where they are text; None to find out.
        fold: Which of the `folds` is tested on, in [0, folds).
        folds: Number of folds of a cross-validation; None for a single split.
        seed: Chooses the rows.

    Raises:
        ValueError: Two of them exclude each other.
    """

    val_fraction: float | None
    test_fraction: float | None
    group: str | None
    time: str | None
    time_format: str | None
    fold: int
    folds: int | None
    seed: int

    @property
    def is_made(self) -> bool:
        """Whether rows are held out of the table at all."""
        return self.val_fraction is not None or self.test_fraction is not None

    def notices(self, frame: pl.DataFrame) -> list[str]:
        """What a person should know of it; nothing of rows at random.

        Args:
            frame: The table.
        """
        said = []
        if self.folds is not None:
            every = ",".join(map(str, range(self.folds)))
            said.append(f"fold {self.fold} is tested on; for each in turn: -m data.fold={every}")
        if self.group is not None and not self.is_made:
            said.append(f"{self.group} is no input")
        elif self.group is not None:
            said += self._notices_of_group(frame.get_column(self.group))
        if self.time is not None and self.is_made:
            said.append(f"the latest rows by {self.time} are held out")
        return said

    def _notices_of_group(self, groups: pl.Series) -> list[str]:
        if groups.n_unique() == len(groups):
            return [
                f"{self.group} is another in each row, so it keeps none together; it is no input"
            ]
        together = f"rows with the same {self.group} stay together; it is no input"
        missing = groups.null_count()
        of_none = f"{missing:,} rows without a {self.group} form one group"
        return [together, of_none] if missing > 1 else [together]

    def __post_init__(self) -> None:
        if self.group is not None and self.time is not None:
            raise ValueError(
                f"group and time exclude each other, got group={self.group} and time={self.time}; "
                "leave one of them out"
            )
        if self.folds is None:
            if self.fold != 0:
                raise ValueError(f"fold={self.fold} needs folds; add data.folds=K to the command")
            return
        if not 0 <= self.fold < self.folds:
            raise ValueError(
                f"fold must be a whole number in [0, {self.folds}), got fold={self.fold}"
            )
        if self.time is not None:
            raise ValueError(
                f"folds and time exclude each other, got folds={self.folds} and time={self.time}"
            )
        if self.test_fraction is None:
            raise ValueError(
                f"folds and test_path exclude each other, got both, and folds={self.folds}"
            )

    def choose(self, frame: pl.DataFrame, path: Path, classes: Tensor | None) -> dict[str, Tensor]:
        """The rows of each split that comes out of a table.

        Args:
            frame: The table.
            path: Its file, for messages.
            classes: Class index of each row, `(rows,)`, for stratified splits; None for none.

        Returns:
            Sorted indices: of `train`, and of `val` and `test` where they have no own file.

        Raises:
            ValueError: A column is not there or does not serve, or there are too few rows.
        """
        facts: dict[str, Any] = {
            "classes": classes,
            "groups": self._groups(frame, path),
            "times": self._times(frame, path),
        }
        self._refuse_few(frame)
        held_out: dict[str, Tensor] = {}
        is_train = torch.ones(len(frame), dtype=torch.bool)
        with ThreadPoolExecutor(2) as pool:
            order = self._order_of_rest(len(frame), pool)
            if self.test_fraction is not None:
                held_out["test"] = self._hold_out_test(len(frame), facts)
                is_train = ~held_out["test"]
            if self.val_fraction is not None:
                held_out["val"] = self._hold_out_val(self.val_fraction, is_train, facts, order)
                is_train &= ~held_out["val"]
            chosen = {"train": is_train, **held_out}
            return dict(zip(chosen, pool.map(places, chosen.values()), strict=True))

    def _hold_out_test(self, rows: int, facts: dict[str, Any]) -> Tensor:
        if self.folds is None:
            fraction = self.test_fraction or 0.0
            left = 1 if self.val_fraction is None else 2
            return hold_out(rows, fraction=fraction, seed=self.seed, left=left, **facts)
        return take_fold(
            rows,
            fold=self.fold,
            folds=self.folds,
            seed=self.seed,
            classes=facts["classes"],
            groups=facts["groups"],
        )

    def _order_of_rest(self, rows: int, pool: Executor) -> Future[Tensor] | None:
        """The order of the rest, worked out while the test rows are chosen; None if not at random.

        Of millions of rows, to make the two orders is about half of a split's work, or more.
        """
        are_at_random = self.group is None and self.time is None and self.folds is None
        if not are_at_random or self.test_fraction is None or self.val_fraction is None:
            return None
        rest = rows - count_to_hold_out(rows, self.test_fraction)
        return pool.submit(order_to_hold_out, rest, self.seed)

    def _hold_out_val(
        self,
        fraction: float,
        is_rest: Tensor,
        facts: dict[str, Any],
        order: Future[Tensor] | None,
    ) -> Tensor:
        """Which rows are validation rows, `(rows,)`, bool, of those that are no test rows."""
        of_rest: dict[str, Any] = {
            name: None if fact is None else fact[is_rest] for name, fact in facts.items()
        }
        chosen = hold_out(
            int(torch.count_nonzero(is_rest)),
            fraction=fraction,
            seed=self.seed,
            order=None if order is None else order.result(),
            **of_rest,
        )
        # Masks, because the numbers of millions of rows would have to find memory.
        return torch.zeros_like(is_rest).masked_scatter_(is_rest, chosen)

    def _refuse_few(self, frame: pl.DataFrame) -> None:
        """Refuse a group or time with too few values for a split to have one of its own."""
        held_out = {"val": self.val_fraction, "test": self.test_fraction}
        parts = [name for name, share in held_out.items() if share is not None]
        for setting, name in (("data.group", self.group), ("data.time", self.time)):
            if name is None or (count := frame[name].n_unique()) > len(parts):
                continue
            values = ", ".join(f"'{value}'" for value in frame[name].unique(maintain_order=True))
            rows = " and ".join(["training", *(_ROWS[part] for part in parts)])
            ways_out = " or ".join(f"data.{part}_path=FILE" for part in parts)
            raise ValueError(
                f"{setting} must name a column of at least {len(parts) + 1} different values, for "
                f"{rows} rows, got {count} in '{name}' ({values}); leave it out to split at "
                f"random, or hold rows out in a file of their own with {ways_out}"
            )

    def _groups(self, frame: pl.DataFrame, path: Path) -> Tensor | None:
        """The number of each row's group; rows without a value form one group."""
        if self.group is None:
            return None
        values = require_column(frame, self.group, path, "data.group")
        ranks = values.rank("dense").fill_null(0)
        return torch.tensor(ranks.cast(pl.Int64).to_numpy())

    def _times(self, frame: pl.DataFrame, path: Path) -> Tensor | None:
        if self.time is None:
            return None
        values = require_column(frame, self.time, path, "data.time")
        if not self.is_made:
            return None
        return torch.tensor(moments(values, self.time_format).to_numpy())
