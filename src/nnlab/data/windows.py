"""Which rows of a large table are shuffled with each other."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch

# Up to so much is shuffled as a whole.
_WHOLE_BYTES = 2**28
# Of more, memory may hold only a part, and the next part is there before the last is done with.
_WINDOW_BYTES = 2**27
# Neighbouring rows that come into a window together: so many that a disk reads them at once, and
# so few that a window has rows from a thousand places.
_CHUNK_BYTES = 2**17


@dataclass(frozen=True, kw_only=True)
class Windows:
    """Shares out the rows of a table.

    Up to 256 MiB are a single window. More are cut into chunks of neighbouring rows, of about
    128 KiB or a single step, and each window has as many of them, drawn at random, as make 128 MiB.

    Attributes:
        rows: The rows of the table, >= 0.
        row_bytes: What one takes, >= 1.
        step: What the rows of every chunk but the last can be divided by, >= 1.

    >>> Windows(rows=10_000_000, row_bytes=80, step=256).sizes
    [1677312, 1677312, 1677312, 1677312, 1677312, 1613440]
    """

    rows: int
    row_bytes: int
    step: int

    @property
    def sizes(self) -> list[int]:
        """The rows of each window."""
        if self.rows * self.row_bytes <= _WHOLE_BYTES:
            return [self.rows]
        size = self._chunks * self._chunk_rows
        whole = self.rows - self.rows % self._chunk_rows
        others = max(0, -(-whole // size) - 1)
        return [*[size] * others, self.rows - others * size]

    def draw(self, generator: torch.Generator) -> Iterator[list[slice]]:
        """The chunks of each window, in a new order; the one that is shorter is the last of all."""
        if len(self.sizes) == 1:
            yield [slice(self.rows)]
            return
        whole, left = divmod(self.rows, self._chunk_rows)
        order = torch.randperm(whole, generator=generator).tolist() + [whole] * (left > 0)
        chunks = [slice(i * self._chunk_rows, (i + 1) * self._chunk_rows) for i in order]
        last = (len(self.sizes) - 1) * self._chunks
        for start in range(0, last, self._chunks):
            yield chunks[start : start + self._chunks]
        yield chunks[last:]

    @property
    def _chunk_rows(self) -> int:
        return self.step * max(1, _CHUNK_BYTES // (self.step * self.row_bytes))

    @property
    def _chunks(self) -> int:
        return max(1, _WINDOW_BYTES // (self._chunk_rows * self.row_bytes))
