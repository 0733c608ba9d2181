"""The error of a cell that cannot be read, which is told with its place in the file."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from nnlab.data.columns.learned import NumericColumn


class CellError(ValueError):
    """A cell that cannot be read.

    Attributes:
        row: Its row, counted from 0 in the rows that were given.
        way_out: What can be done, for the end of the message.
        words: Its text and those of others like it, where they may spell missing values.
        count: How many such cells the rows have.
        column: What read it; None where that was no column of numbers or dates.
    """

    def __init__(
        self,
        message: str,
        row: int,
        way_out: str = "mend or empty the cell",
        *,
        words: Sequence[str] = (),
        count: int = 1,
        column: "NumericColumn | None" = None,
    ) -> None:
        super().__init__(message)
        self.row = row
        self.way_out = way_out
        self.words = words
        self.count = count
        self.column = column

    def in_all(self, frame: pl.DataFrame) -> "CellError":
        """The same of all rows, where it was found in some of them."""
        try:
            if self.column is not None:
                self.column.read(frame.get_column(self.column.name))
        except CellError as error:
            return error
        return self

    def at(
        self,
        place: str,
        as_missing: Callable[[Sequence[str]], str] | None = None,
        *,
        among: str = "",
    ) -> str:
        """The whole message.

        Args:
            place: Where the cell stands.
            as_missing: Makes the setting by which words count as missing, where there is one.
            among: What the cells were counted in, if not in all there are.
        """
        message = f"{self} in {place}"
        if self.count > 1:
            cells = "cell" if self.count == 2 else "cells"
            message += f" (and {self.count - 1:,} more such {cells}{among})"
        message += f"; {self.way_out}"
        if self.words and as_missing is not None:
            message += f", or set {as_missing(self.words)} to take such cells as missing"
        return message
