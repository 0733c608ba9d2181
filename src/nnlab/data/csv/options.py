"""How a CSV file is written: what the user may state, and which spellings are missing values."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from nnlab.data.columns.words import BLANKS
from nnlab.rules import check

MISSING = (
    *("NA", "na", "N/A", "n/a", "<NA>", "#N/A", "#N/A N/A", "#NA", "NULL", "null", "None", "NONE"),
    *("NaN", "nan", "-NaN", "-nan", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN", ".", "?"),
    *("#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!"),
)
"""Spellings of a missing value unless others are stated; an empty cell always is one, too.

Those that pandas and csvkit share or one of them writes, Excel's and its errors, the point of SAS
and Stata, and the question mark of the UCI repository. Not `-`, `none` or `unknown`, which often
are values.
"""


@dataclass(frozen=True, kw_only=True)
class CsvOptions:
    """What the user states about a CSV file; None is found out or standard.

    Attributes:
        separator: Between two cells, or `tab`; found out among `,`, `;`, tab and `|`.
        encoding: UTF-8, or what the byte order mark says, unless stated.
        decimal: `.` or `,`, the mark between whole and fraction; standard is `.`.
        quote: Around cells that hold separators or line ends, or `none`; standard is `"`.
        null_values: Spellings that count as missing, instead of `MISSING`. In columns of numbers
            -999 is -999.0, too.
        header: Whether the first line names the columns; without names, it does.
        column_names: The columns' names, instead of a header's or where there is none.
        skip_lines: Lines before the header, or before the first row, that are left out.
        comment: A line that begins with this is left out.

    Raises:
        ValueError: A value is none of these, or two of them contradict each other.
    """

    separator: str | None = None
    encoding: str | None = None
    decimal: str | None = None
    quote: str | None = None
    null_values: Sequence[str] | None = None
    header: bool | None = None
    column_names: Sequence[str] | None = None
    skip_lines: int | None = None
    comment: str | None = None

    def __post_init__(self) -> None:
        check(**{field.name: getattr(self, field.name) for field in fields(self)})
        if self.separator is not None and self.separator == self.quote_mark:
            raise ValueError(
                f"separator and quote must differ, got {self.separator} for both; "
                "data.quote=none says that no cell is quoted"
            )
        counts = Counter(self.column_names or [])
        if repeated := next((name for name, count in counts.items() if count > 1), None):
            raise ValueError(f"column_names must be distinct, got '{repeated}' more than once")

    @classmethod
    def of(cls, arguments: Mapping[str, Any]) -> "CsvOptions":
        """The options among the arguments of a `TabularDataModule`."""
        return cls(**{field.name: arguments[field.name] for field in fields(cls)})

    @property
    def quote_mark(self) -> str | None:
        """The quote character; None where no cell is quoted."""
        return None if self.quote == "none" else self.quote or '"'


def missing_values(options: CsvOptions) -> list[str]:
    """All spellings of a missing value under these options, the empty cell first.

    >>> missing_values(CsvOptions(null_values=["-", " ."]))
    ['', '-', '.']
    """
    stated = MISSING if options.null_values is None else options.null_values
    return list(dict.fromkeys(["", *(spelling.strip(BLANKS) for spelling in stated)]))
