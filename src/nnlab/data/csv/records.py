"""Whole records of a CSV file: their widths and lines, and the lines among them that are none."""

import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nnlab.data.csv.dialect import Dialect
from nnlab.data.csv.header import FEW_NAMES
from nnlab.data.csv.layout import LF, Mask, Place, Positions, as_bytes, cell_ends
from nnlab.suggestions import setting


@dataclass(frozen=True, kw_only=True)
class Records:
    """Some whole records.

    Attributes:
        text: The records, each ended by LF, as many cells in all as the header times their count.
        trimmed: The same without blanks around cells.
        count: How many they are.
        padded: Columns of those numbers that begin with a zero too many, such as 007; cells of
            other columns are no such numbers.
        block: What they were taken from, to find a line or a record of another width.
    """

    text: bytes
    trimmed: bytes
    count: int
    padded: frozenset[int]
    block: "Block"


@dataclass(frozen=True, kw_only=True)
class Block:
    """Whole records as the file holds them, with blank and comment lines.

    Everything here takes time for each record, so that it waits until it is asked for.

    Attributes:
        text: The lines, each ended by LF.
        place: Where they begin.
        dialect: How the file is written.
    """

    text: bytes
    place: Place
    dialect: Dialect

    @cached_property
    def _records(self) -> tuple[Positions, Positions, Positions, Mask]:
        """Each record's first byte, its line end and its width; whether it is one at all."""
        data, ends = cell_ends(self.text, self.dialect.marks)
        is_last = data[ends] == LF
        stops = ends[is_last]
        starts = np.append(0, stops[:-1] + 1)
        is_record = np.ones(len(starts), bool)
        if len(self.dialect.names) > 1:
            is_record = starts < stops
        if (comment := self.dialect.comment) is not None:
            begins_so = starts + len(comment) <= stops
            for index, byte in enumerate(comment):
                begins_so &= data[np.minimum(starts + index, len(data) - 1)] == byte
            is_record &= ~begins_so
        return starts, stops, np.diff(np.flatnonzero(is_last), prepend=-1), is_record

    @cached_property
    def line_numbers(self) -> Positions:
        """The number of the line in which each record begins, `(records,)`."""
        starts, _, _, is_record = self._records
        breaks = np.flatnonzero(as_bytes(self.text) == LF)
        return np.asarray(self.place.line + np.searchsorted(breaks, starts[is_record]))

    def check_widths(self) -> None:
        """Refuse a record that has more or fewer cells than the header.

        Raises:
            ValueError: There is one; the message names its line.
        """
        starts, _, widths, is_record = self._records
        wrong = is_record & (widths != len(self.dialect.names))
        if wrong.any():
            first = int(wrong.argmax())
            is_first = not is_record[:first].any()
            all_longer = bool((widths[is_record] == len(self.dialect.names) + 1).all())
            raise self._wrong_width(
                int(starts[first]), int(widths[first]), is_first=is_first, all_longer=all_longer
            )

    @property
    def count(self) -> int:
        """The number of records."""
        return int(self._records[3].sum())

    def without_other_lines(self) -> tuple[bytes, int, int]:
        """The records alone, and how many blank lines and how many comments there were."""
        starts, stops, _, is_record = self._records
        if is_record.all():
            return self.text, 0, 0
        data, left_out = as_bytes(self.text), ~is_record
        # +1 where a line to leave out begins and -1 behind it: the running sum is 0 in the others.
        steps = np.zeros(len(data) + 1, np.int8)
        steps[starts[left_out]] += 1
        steps[stops[left_out] + 1] -= 1
        kept = data[np.cumsum(steps[:-1], dtype=np.int8) == 0].tobytes()
        blank = int((left_out & (starts == stops)).sum())
        return bytes(kept), blank, int(left_out.sum()) - blank

    def _wrong_width(
        self, start: int, width: int, *, is_first: bool, all_longer: bool
    ) -> ValueError:
        dialect, names = self.dialect, self.dialect.names
        mark = (
            "tab" if dialect.marks.separator == ord("\t") else f"'{chr(dialect.marks.separator)}'"
        )
        way_out = f"mend the line, or set data.separator=... if it is not {mark}"
        line = self.text[start : self.text.find(b"\n", start)]
        is_cut = line.endswith(bytes([dialect.marks.separator]))  # as by a separator too many
        first, begins = line[:1], is_first and self.place == dialect.rows
        if first in (b"#", b"%") and dialect.comment is None:
            way_out = f"set {setting('data.comment', first.decode())} if such lines are comments"
        elif dialect.has_header and names[0][:1] in ("#", "%") and dialect.comment is None:
            way_out = f"set {setting('data.comment', names[0][0])} if the line above is a comment"
        elif self._has_quoted(line, b"'") and dialect.marks.quote != ord("'"):
            way_out = f"set {setting('data.quote', chr(39))} if apostrophes enclose cells"
        elif begins and all_longer and dialect.has_header and len(names) > 1 and not is_cut:
            above = self.place.after(self.text[:start]).line - 1
            named = "name the first column in the header, too"
            if len(names) <= FEW_NAMES:
                named = f"set {setting('data.column_names', ['row', *names])}"
                named += f" data.skip_lines={above}"
            way_out = (
                "if the rows begin with a name or number that has no header, as R writes them, "
                f"{named}"
            )
        elif len(names) == 1 < width or (len(names) < width and begins):
            above = self.place.after(self.text[:start]).line - 1
            way_out += f", or data.skip_lines={above} if this line is the header"
        reference = "the header" if dialect.has_header else "the first row"
        cells = "1 cell" if width == 1 else f"{width} cells"
        return self.place.error(
            self.text, start, f"it has {cells}, but {reference} has {len(names)}; {way_out}"
        )

    def _has_quoted(self, line: bytes, mark: bytes) -> bool:
        """Whether a cell of a line is enclosed by these marks, with a separator in it."""
        separator, mark = re.escape(bytes([self.dialect.marks.separator])), re.escape(mark)
        cell = rb"(^|%s)\s*%s[^%s]*%s[^%s]*%s\s*(%s|$)"
        parts = (separator, mark, mark, separator, mark, mark, separator)
        return re.search(cell % parts, line) is not None
