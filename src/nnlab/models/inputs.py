"""How a table's row enters a network: embeddings of categories and of numbers."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from nnlab.rules import check


class TabularInputs(nn.Module):
    """Embeds what is to be embedded of a row: `(batch, in_features)` to `(batch, out_features)`.

    A row has numbers first, then inputs that pass unchanged, and last the codes of columns to be
    embedded, as `DataSpec` lays it out.

    Args:
        in_features: Number of inputs, >= 1.
        numbers: How many of them are continuous.
        category_sizes: Number of codes of each column that is embedded.
        numeric_embedding: None for numbers as they are, or `periodic`, for `PeriodicEmbedding`.
        embedding_size: Numbers that stand for a category, >= 1.

    Raises:
        ValueError: An argument is outside its range.

    >>> inputs = TabularInputs(in_features=4, numbers=2, category_sizes=[5], embedding_size=8,
    ...                        numeric_embedding=None)
    >>> inputs(torch.tensor([[0.5, -0.5, 1.0, 4.0]])).shape
    torch.Size([1, 11])
    """

    def __init__(
        self,
        *,
        in_features: int,
        numbers: int,
        category_sizes: Sequence[int],
        numeric_embedding: str | None,
        embedding_size: int,
    ) -> None:
        super().__init__()
        check(numeric_embedding=numeric_embedding, embedding_size=embedding_size)
        self.numbers = numbers
        self.codes = len(category_sizes)
        self.numeric = (
            PeriodicEmbedding(numbers=numbers) if numeric_embedding and numbers > 0 else None
        )
        # One table for all columns: a single look-up.
        self.categories = nn.Embedding(sum(category_sizes), embedding_size) if self.codes else None
        # Cloned: torch's exporter cannot save an empty piece of a larger tensor.
        starts = torch.tensor([0, *category_sizes]).cumsum(0)[:-1].clone()
        self.register_buffer("starts", starts, persistent=False)
        if self.categories is not None:
            with torch.no_grad():
                # Where training has no other or missing category, these stay as they begin.
                self.categories.weight[starts] = 0
                self.categories.weight[starts + 1] = 0
        unchanged = in_features - numbers - self.codes
        wide = PeriodicEmbedding.SIZE if self.numeric else 1
        self.out_features = numbers * wide + unchanged + self.codes * embedding_size

    @property
    def is_identity(self) -> bool:
        """Whether rows pass as they are."""
        return self.numeric is None and self.categories is None

    def forward(self, x: Tensor) -> Tensor:
        """Map `(batch, in_features)` to `(batch, out_features)`."""
        numbers, rest = x[:, : self.numbers], x[:, self.numbers : x.shape[1] - self.codes]
        parts = [numbers if self.numeric is None else self.numeric(numbers), rest]
        if self.categories is not None:
            codes = x[:, x.shape[1] - self.codes :].long() + self.starts
            parts.append(self.categories(codes).flatten(1))
        return torch.cat(parts, dim=1)

    starts: Tensor


class PeriodicEmbedding(nn.Module):
    """Each number `x` as `(x, W cos(2 pi (w x + b)) + c)`: itself and three learned waves of it.

    "PBLD" of Holzmüller et al. 2024, "Better by Default", section 3.2, after Gorishniy et al.
    2022, "On Embeddings for Numerical Features in Tabular Deep Learning": 16 frequencies w a
    number, drawn from N(0, 0.1^2), each number with weights of its own.

    Args:
        numbers: Number of continuous inputs, >= 1.
    """

    SIZE = 4
    _FREQUENCIES = 16
    _DEVIATION = 0.1

    def __init__(self, *, numbers: int) -> None:
        super().__init__()
        hidden, bound = self._FREQUENCIES, 1 / math.sqrt(self._FREQUENCIES)
        self.frequency = nn.Parameter(torch.randn(numbers, hidden) * self._DEVIATION)
        self.phase = nn.Parameter(torch.empty(numbers, hidden).uniform_(-math.pi, math.pi))
        shape = (numbers, hidden, self.SIZE - 1)
        self.weight = nn.Parameter(torch.empty(shape).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(numbers, 1, self.SIZE - 1).uniform_(-bound, bound))

    def forward(self, x: Tensor) -> Tensor:
        """Map `(batch, numbers)` to `(batch, 4 numbers)`."""
        waves = torch.cos(2 * math.pi * x.unsqueeze(-1) * self.frequency + self.phase)
        mixed = torch.baddbmm(self.bias, waves.transpose(0, 1), self.weight)
        return torch.cat([x.unsqueeze(-1), mixed.transpose(0, 1)], dim=2).flatten(1)
