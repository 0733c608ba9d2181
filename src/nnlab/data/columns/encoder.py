"""From a row's raw numbers and category codes to a network's inputs, in torch alone."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from nnlab.data.columns.learned import CategoricalColumn, Column, NumericColumn

# Beyond this many scales from the centre a number is as good as infinitely far.
_FAR = 1e6


def _take(values: Tensor, columns: Tensor) -> Tensor:
    """Columns of a table that lies in memory one after the other, as whole pieces of memory."""
    return values.T.index_select(0, columns).T


class RowEncoder(nn.Module):
    """What was learned of a table's columns, as a part of the network.

    It is a module so that an exported network holds it. Numbers are centred and scaled in
    float64; robust scaling then squeezes outliers smoothly, `z / sqrt(1 + (z / 3)^2)`, which
    stays within (-3, 3) (Holzmüller et al. 2024, "Better by Default", section 3); quantile
    scaling interpolates between learned knots. Missing numbers become 0, the centre.

    Args:
        columns: The columns; those of numbers and dates are the columns of `numbers`, the
            categorical ones those of `codes`, each in their order.

    >>> area = NumericColumn(name="area", scaling="standard", center=10.0, scale=2.0, knots=[],
    ...                      levels=[], has_missing=True, date_format=None, periods=[],
    ...                      is_date=False)
    >>> RowEncoder([area])(torch.tensor([[14.0], [math.nan]]).double(), torch.zeros(2, 0).long())
    tensor([[2., 0.],
            [0., 1.]])
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        super().__init__()
        numeric = [column for column in columns if isinstance(column, NumericColumn)]
        categorical = [column for column in columns if isinstance(column, CategoricalColumn)]
        self.is_squeezed = any(column.scaling == "robust" for column in numeric)
        self.numbers = len(numeric)
        self.category_sizes = [c.size for c in categorical if c.is_embedded]
        self._keep("center", [column.center for column in numeric])
        self._keep("factor", [1 / c.scale if c.scale > 0 else 0.0 for c in numeric])
        self._keep_knots(numeric)
        cycles = [(i, period) for i, column in enumerate(numeric) for period in column.periods]
        self._keep_index("cycle_column", [i for i, _ in cycles])
        self._keep("cycle_frequency", [1 / period for _, period in cycles])
        self._keep_index("may_miss", [i for i, column in enumerate(numeric) if column.has_missing])
        one_hot = [
            (i, code)
            for i, column in enumerate(categorical)
            if not column.is_embedded
            for code in column.trained_codes
        ]
        self._keep_index("one_hot_column", [i for i, _ in one_hot])
        self._keep_index("one_hot_code", [code for _, code in one_hot])
        self._keep_index("embedded", [i for i, c in enumerate(categorical) if c.is_embedded])

    @property
    def out_features(self) -> int:
        """Number of inputs it makes of a row."""
        single = (self.may_miss, self.one_hot_code, self.embedded)
        return self.numbers + 2 * len(self.cycle_column) + sum(map(len, single))

    def forward(self, numbers: Tensor, codes: Tensor) -> Tensor:
        """Encode rows.

        Args:
            numbers: `(rows, numeric columns)`, float64, NaN where missing; dates are seconds.
            codes: `(rows, categorical columns)`, int64.

        Returns:
            `(rows, out_features)`, float32: scaled numbers, sines and cosines of dates,
            indicators of missing numbers, one-hot categories, codes to be embedded.
        """
        # float32 first: `nan_to_num` holds the largest float, and torch's exporter to ONNX makes
        # that of float64 infinite.
        scaled = self._scale(numbers).float()
        # In place, a comparison gives 1.0 and 0.0; by way of booleans takes several times as long.
        is_missing = _take(numbers, self.may_miss).float()
        is_missing.ne_(is_missing)  # as NaN alone differs from itself
        turns = _take(numbers, self.cycle_column) * self.cycle_frequency
        # Without whole turns float32 has digits enough, and its sine takes a fraction of the time;
        # so it does where no number is NaN.
        angle = turns.sub_(turns.round()).float().mul_(2 * math.pi)
        present = angle.nan_to_num(nan=0.0)
        parts = [
            scaled.nan_to_num_(nan=0.0),
            present.sin(),
            # Of what is missing the cosine is 0, too: the difference is NaN there, and else 0.
            present.cos().add_(angle.sub_(present)).nan_to_num_(nan=0.0),
            is_missing,
            _take(codes, self.one_hot_column).float().eq_(self.one_hot_code),
            _take(codes, self.embedded),
        ]
        there = [part.float() for part in parts if part.shape[1] > 0]
        return torch.cat(there, dim=1)

    def _scale(self, numbers: Tensor) -> Tensor:
        if self.knots.shape[1]:
            return self._interpolate(numbers)
        # Halved first: the difference of two numbers of 1e308 would be infinite. In place,
        # because large tables are encoded through here, and passes over memory are what it costs.
        scaled = torch.add(-self.center / 2, numbers, alpha=0.5).mul_(self.factor * 2)
        # Within these bounds float32 has all the digits that a network sees.
        near = scaled.float().clamp_(-_FAR, _FAR)
        return (near / 3).square_().add_(1).rsqrt_().mul_(near) if self.is_squeezed else near

    def _interpolate(self, numbers: Tensor) -> Tensor:
        """Between the two knots around each number; beyond the outermost, their levels."""
        if torch.compiler.is_exporting():  # ONNX has no search
            count = (numbers.unsqueeze(-1) >= self.knots).sum(dim=-1)
        else:
            count = torch.searchsorted(self.knots, numbers.T.contiguous(), right=True).T
        left = (count - 1).clamp(0, self.knots.shape[1] - 2)
        column = torch.arange(self.numbers, device=numbers.device)
        start, end = self.knots[column, left], self.knots[column, left + 1]
        low, high = self.levels[column, left], self.levels[column, left + 1]
        share = ((numbers / 2 - start / 2) / (end / 2 - start / 2)).clamp(0, 1)
        return low + share * (high - low)

    def _keep(self, name: str, values: Sequence[float]) -> None:
        self.register_buffer(name, torch.tensor(values, dtype=torch.float64))

    def _keep_index(self, name: str, values: Sequence[int]) -> None:
        self.register_buffer(name, torch.tensor(values, dtype=torch.int64))

    def _keep_knots(self, numeric: Sequence[NumericColumn]) -> None:
        """Knots `(numeric columns, most knots)`; shorter lists end in knots that none reaches."""
        width = max((len(column.knots) for column in numeric), default=0)
        knots = torch.full((self.numbers, width), math.inf, dtype=torch.float64)
        levels = torch.zeros((self.numbers, width), dtype=torch.float64)
        for i, column in enumerate(numeric):
            knots[i, : len(column.knots)] = torch.tensor(column.knots, dtype=torch.float64)
            levels[i, : len(column.levels)] = torch.tensor(column.levels, dtype=torch.float64)
        self.register_buffer("knots", knots)
        self.register_buffer("levels", levels)

    center: Tensor
    factor: Tensor
    knots: Tensor
    levels: Tensor
    cycle_column: Tensor
    cycle_frequency: Tensor
    may_miss: Tensor
    one_hot_column: Tensor
    one_hot_code: Tensor
    embedded: Tensor
