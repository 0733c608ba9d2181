"""How the columns of a table become numbers: the statistics that are learned, and their use."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl
import torch
from torch import Tensor

from nnlab.data.targets import mean_and_std


@dataclass(frozen=True, kw_only=True)
class NumericColumn:
    """A column of numbers, standardised.

    Attributes:
        name: The column's name.
        mean: Mean of the training rows that have a value; missing values are filled with it.
        std: Their standard deviation, > 0.
        has_missing: Whether training rows lack values; then an indicator stands beside the
            number.
    """

    name: str
    mean: float
    std: float
    has_missing: bool

    @property
    def width(self) -> int:
        """Number of inputs it makes."""
        return 1 + self.has_missing

    def encode(self, values: pl.Series) -> Tensor:
        """Numbers, null where missing, to `(rows, width)`."""
        if values.null_count() == len(values):
            values = values.cast(pl.Float64)
        if not values.dtype.is_numeric():
            raise ValueError(
                f"column '{self.name}' must hold numbers, as in training, got text such as "
                f"'{values.drop_nulls()[0]}'"
            )
        standardized = ((values.cast(pl.Float64) - self.mean) / self.std).fill_null(0.0)
        parts = [standardized, values.is_null()][: self.width]
        return torch.stack([torch.tensor(part.to_numpy()).float() for part in parts], dim=1)


@dataclass(frozen=True, kw_only=True)
class CategoricalColumn:
    """A column of categories, one-hot.

    Attributes:
        name: The column's name.
        categories: Those that have an input of their own. After them come one input for a
            missing value and one for any other category.
    """

    name: str
    categories: list[str]

    @property
    def width(self) -> int:
        """Number of inputs it makes."""
        return len(self.categories) + 2

    def encode(self, values: pl.Series) -> Tensor:
        """Strings, null where missing, to `(rows, width)`."""
        index: dict[str | None, int] = {name: i for i, name in enumerate([*self.categories, None])}
        codes = values.cast(pl.String).replace_strict(
            index, default=len(index), return_dtype=pl.Int64
        )
        return torch.nn.functional.one_hot(torch.tensor(codes.to_numpy()), self.width).float()


Column = NumericColumn | CategoricalColumn


def fit_columns(frame: pl.DataFrame, *, max_categories: int) -> list[Column]:
    """Learn each column's statistics from training rows.

    Args:
        frame: The features of the training rows, numbers or strings.
        max_categories: The most categories of a column that get an input of their own, the most
            frequent first; the others share one.

    Returns:
        The columns that vary; one that is the same in every training row says nothing.
    """
    columns: list[Column] = []
    for values in frame:
        if values.n_unique() < 2:
            continue
        if values.dtype.is_numeric():
            columns.append(_fit_numeric(values))
        else:
            counts = Counter(values.drop_nulls().to_list())
            ranked = sorted(counts, key=lambda category: (-counts[category], category))
            columns.append(
                CategoricalColumn(name=values.name, categories=sorted(ranked[:max_categories]))
            )
    return columns


def _fit_numeric(values: pl.Series) -> NumericColumn:
    mean, std = mean_and_std(torch.tensor(values.drop_nulls().cast(pl.Float64).to_numpy()))
    return NumericColumn(name=values.name, mean=mean, std=std, has_missing=values.null_count() > 0)


def encode(frame: pl.DataFrame, columns: Sequence[Column]) -> Tensor:
    """The columns of a table side by side, `(rows, sum of widths)`, float32.

    Raises:
        ValueError: A column is missing, or holds text where numbers were learned.
    """
    for column in columns:
        if column.name not in frame.columns:
            raise ValueError(f"column '{column.name}' must be there, as in training, but is not")
    return torch.cat([column.encode(frame[column.name]) for column in columns], dim=1)


def to_plain(columns: Sequence[Column]) -> list[dict[str, Any]]:
    """Columns as plain data, for the checkpoint."""
    kinds = {NumericColumn: "numeric", CategoricalColumn: "categorical"}
    return [{"kind": kinds[type(column)], **asdict(column)} for column in columns]


def from_plain(plain: Sequence[dict[str, Any]]) -> list[Column]:
    """Columns from what `to_plain` made."""
    kinds: dict[str, type[Column]] = {"numeric": NumericColumn, "categorical": CategoricalColumn}
    return [
        kinds[entry["kind"]](**{key: value for key, value in entry.items() if key != "kind"})
        for entry in plain
    ]
