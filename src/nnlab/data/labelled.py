"""The rows of a table that have a target, and where each of them stands in its file."""

import logging
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import polars as pl

from nnlab.data.chunks import find_place
from nnlab.data.columns.cell_error import CellError
from nnlab.data.columns.column_table import spelled
from nnlab.data.columns.kinds import count_distinct
from nnlab.data.columns.number_formats import (
    as_plain_numbers,
    hold_one_number_twice,
    unit_of,
    without_unit,
)
from nnlab.data.columns.odd_cells import FEW_WORDS
from nnlab.data.columns.spelling import spelled_numbers, without_numbers
from nnlab.data.columns.words import is_text
from nnlab.data.csv.decimals import refuse_comma_thousands
from nnlab.data.csv.options import CsvOptions, missing_values
from nnlab.data.missing import MissingValues
from nnlab.data.odd_targets import (
    find_target_format,
    find_words,
    refuse_odd_numbers,
    written_numbers,
)
from nnlab.data.parquet import is_parquet
from nnlab.data.storage import Storage
from nnlab.data.table import read_table, require_column
from nnlab.data.targets import (
    describe_values,
    infer_task,
    may_be_classes,
    refuse_unlearnable,
)
from nnlab.spec import Task
from nnlab.suggestions import setting

_log = logging.getLogger(__name__)


class LabelledTable:
    """A table without the rows that have no target; how many these are, and why, is said.

    Args:
        path: The file.
        options: How it is written.
        target: Name of the target column.
        text: Columns that are text, whatever they hold.
        categories: Columns that stay text if numbers would make one of two of their texts, such as
            1.1 and 1.10.
        storage: Where the table is kept.
        class_names: The classes, where a network has learned them already.
        target_format: How the target's numbers are written, where a network has learned that;
            plain ones are read, too.
        beside: Another table that is read by the same settings; None for none.

    Attributes:
        path: As above.
        frame: The rows, as `read_table` gives them; a target of text is of strings.
        target_format: As above, or what `choose_task` found; None for plain numbers and labels.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It cannot be read as a table, the target is not in it or cannot be learned.
    """

    def __init__(
        self,
        path: Path,
        options: CsvOptions,
        *,
        target: str,
        text: Collection[str],
        categories: Collection[str] = (),
        storage: Storage,
        class_names: Collection[str] | None = None,
        target_format: str | None = None,
        beside: "LabelledTable | None" = None,
    ) -> None:
        self.path = path
        self.frame = read_table(path, options, text=[*text, *categories], storage=storage)
        self._options = options
        self._target = target
        self._class_names = class_names
        self._missing: MissingValues = MissingValues(
            path, options, missing_values(options), None if beside is None else beside._missing
        )
        self._rows: pl.Series | None = None  # those of the file, where some are left out
        values = require_column(self.frame, target, path)
        if values.dtype == pl.Enum:
            values = values.cast(pl.String)
            self.frame = self.frame.with_columns(values)
        if values.dtype.is_float():
            values = values.fill_nan(None)
        if values.null_count() > 0:
            self._rows = values.is_not_null().arg_true()
            self._tell_left_out(values)
            self.frame = storage.filter(self.frame, values.is_not_null())
        if self.frame.is_empty():
            raise ValueError(
                f"{path} must have a row with a value of the target '{target}', got none; give "
                "labelled rows"
            )
        self._take_numbers(text, categories)
        self.target_format = target_format
        with self.locating():
            self._read_format()

    @property
    def target(self) -> pl.Series:
        """The target column."""
        return self.frame[self._target]

    @contextmanager
    def locating(self, frame: pl.DataFrame | None = None) -> Iterator[None]:
        """Add to a `CellError` the place of its cell in the file.

        Args:
            frame: The rows as they are read, where these are others than `frame`.
        """
        try:
            yield
        except CellError as found:
            error = found.in_all(self.frame if frame is None else frame)
            place = f"{self.path.name}, {self.place(error.row)}"
            raise ValueError(error.at(place, self.as_missing)) from found

    def place(self, row: int) -> str:
        """Where a row of `frame` stands in the file, such as `line 7`; the file is read again."""
        in_file = row if self._rows is None else int(self._rows[row])
        return find_place(self.path, self._options, in_file)

    def _take_numbers(self, text: Collection[str], categories: Collection[str]) -> None:
        """Take columns for numbers that only rows without a target keep from it, or their type.

        Args:
            text: Columns that are text, whatever they hold.
            categories: Those that stay text if two of their texts are one number.
        """
        decimal = self._options.decimal or "."
        texts = [
            values
            for values in self.frame
            if is_text(values)
            and values.name not in text
            and not (values.name in categories and hold_one_number_twice(values, decimal))
        ]
        numbers = [as_plain_numbers(values, decimal) for values in texts]
        spelled = spelled_numbers(missing_values(self._options), decimal)
        self.frame = self.frame.with_columns(
            found if found.name == self._target else without_numbers(found, spelled)
            for found in numbers
            if found is not None
        )

    def _tell_left_out(self, target: pl.Series) -> None:
        """Say how many rows have no target; a class must not vanish because it is called None."""
        said = f"{target.null_count()} of {len(target)} rows have no {target.name} and are left out"
        if self._missing.is_uncounted:
            _log.info("%s: empty cells, or those that data.null_values makes missing", said)
            return
        counts = self._missing.count([target])[target.name]
        words = [word for word in counts if word]
        lost = [word for word in words if self._may_be_class(word, target)]
        if not words:
            _log.info("%s", said)
        elif not lost:
            _log.info("%s: %s", said, spelled(counts))
        else:
            others = [word for word in self._missing.in_use if word not in lost]
            way_out = setting("data.null_values", others)
            shown = f"if {' or '.join(map(repr, lost))} is a class, set {way_out} to keep it"
            _log.warning("warning: %s: %s; %s", said, spelled(counts), shown)

    def _may_be_class(self, word: str, target: pl.Series) -> bool:
        if self._class_names is not None:
            return word in self._class_names
        return may_be_classes(target)

    def choose_task(self, said: str) -> Task:
        """What is to be learned of the target, told with its values.

        A target such as $1,000 becomes numbers, if all of it is so and means some.

        Args:
            said: The task that is said, or `auto`.

        Raises:
            CellError: The target's numbers are written oddly, too large, or have words among them.
        """
        self._read_numbers(said)
        self._refuse_words(said)
        distinct = count_distinct(self.target)
        task = infer_task(self.target, distinct) if said == "auto" else cast(Task, said)
        is_said = " as data.task says," if said != "auto" else ""
        is_read = f" read as {self.target_format}," if self.target_format else ""
        values = describe_values(self.target, distinct, task)
        _log.info("task   %s,%s%s from %s", task, is_said, is_read, values)
        return task

    def _read_numbers(self, task: str) -> None:
        self.target_format = find_target_format(self.target, task, self._options.decimal or ".")
        self.refuse_open_commas({self._target: self.target_format})
        self._read_format()

    def refuse_open_commas(self, formats: Mapping[str, str | None]) -> None:
        """Refuse to take commas for marks of thousands where they may be decimal marks.

        Args:
            formats: How columns write their numbers, by name.

        Raises:
            ValueError: A column may mean either.
        """
        # Where dollars and pounds are, commas mark thousands.
        grouped = re.compile(r"[^$£]*1,000[^$£]*")
        names = [name for name, pattern in formats.items() if grouped.fullmatch(pattern or "")]
        cells = list(map(self.frame.get_column, names))
        if cells and not is_parquet(self.path):
            refuse_comma_thousands(cells, self.frame, self.path, self._options)

    def _read_format(self) -> None:
        if self.target_format is not None and is_text(self.target):
            self.frame = self.frame.with_columns(written_numbers(self.target, self.target_format))
        elif unit := unit_of(self.target_format or ""):
            numbers = self.target.cast(pl.Float64, strict=False)
            may_be_shares = not (numbers.abs() > 1).any()
            what = f"target '{self._target}'"
            _log.info("%s", without_unit(what, unit, may_be_shares=may_be_shares))
        refuse_unlearnable(self.target)

    def _refuse_words(self, task: str) -> None:
        refuse_odd_numbers(self.target, task, self._options.decimal or ".")
        words = find_words(self.target, task, self._options.decimal or ".")
        if not words:
            return
        spellings = self.target[words].unique(maintain_order=True).to_list()
        ways_out = [f"mend {'it' if len(words) == 1 else 'such cells'}"]
        if len(spellings) <= FEW_WORDS:
            ways_out.append(f"set {self.as_missing(spellings)} to leave such rows out")
        ways_out.append("data.task=multiclass if all of them are labels")
        shown = "word, " if len(words) == 1 else "words, the first "
        raise CellError(
            f"target '{self._target}' must hold numbers or labels, got "
            f"{len(self.target) - len(words):,} numbers and {len(words):,} {shown}'{spellings[0]}'",
            words[0],
            ", or ".join(ways_out),
        )

    def as_missing(self, spellings: Sequence[str]) -> str:
        """The setting by which words count as missing, too."""
        return self._missing.setting(spellings)

    def count_missing(self) -> dict[str, dict[str, int]]:
        """What counts as missing in which column; nothing of a file that takes long to read."""
        return self._missing.count([values for values in self.frame if values.null_count() > 0])
