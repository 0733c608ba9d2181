"""The records of a CSV file in blocks of whole records, each as wide as the header."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nnlab.data.csv_dialect import Dialect
from nnlab.data.csv_layout import (
    CR,
    LF,
    Bytes,
    Marks,
    Place,
    Positions,
    cell_ends,
    check_characters,
    check_quotes,
    plain_line_ends,
    record_ends,
)

_log = logging.getLogger(__name__)
# A quote that is never closed must not pull the whole of a large file into memory.
_MAX_RECORD_BYTES = 64 * 2**20
_DIGITS = (ord("0"), ord("9"))


@dataclass(frozen=True, kw_only=True)
class Lines:
    """The lines of records, counted only when an error must name one."""

    text: bytes
    first: int
    marks: Marks
    comment: bytes | None
    keep_blank: bool

    @cached_property
    def numbers(self) -> Positions:
        """The number of the line in which each record begins, `(records,)`."""
        ends = record_ends(self.text, self.marks)
        starts, kept = _kept_records(self.text, ends, self.comment, self.keep_blank)
        breaks = np.flatnonzero(np.frombuffer(self.text, np.uint8) == LF)
        return np.asarray(self.first + np.searchsorted(breaks, starts[kept]))


@dataclass(frozen=True, kw_only=True)
class Records:
    """Some whole records, checked.

    Attributes:
        text: The records, each as wide as the header and ended by LF; no blank or comment lines.
        count: How many they are.
        padded: Columns of those numbers that begin with a zero too many, such as 007; cells of
            other columns are no such numbers.
        lines: The number of the line in which each begins, .
    """

    text: bytes
    count: int
    padded: frozenset[int]
    lines: Lines


class Scan:
    """Goes once through the records behind the header, in memory that the file cannot grow.

    Blank lines are left out where there are several columns (in a single one, a blank line is a
    missing value unless it ends the file), and so are comments; how many is said at the end.

    Args:
        dialect: How the file is written.
    """

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._width = len(dialect.names)
        self._blank = 0
        self._comments = 0

    def __iter__(self) -> Iterator[Records]:
        """The records, block by block.

        Raises:
            ValueError: A record is wider or narrower than the header, or is no CSV; the message
                names its line.
        """
        place, rest = self._dialect.rows, b""
        for block in self._blocks():
            rest += block
            end = self._last_end(rest)
            if end == 0 and len(rest) > _MAX_RECORD_BYTES:
                self._refuse_endless(rest, place)
            if end:
                text, rest = rest[:end], rest[end:]
                yield self._records(text, place)
                place = place.after(text)
        if self._width == 1:
            rest = rest.rstrip(b"\r\n")
        if rest:
            yield self._records(rest if rest.endswith(b"\n") else rest + b"\n", place)
        self._tell()

    def _blocks(self) -> Iterator[bytes]:
        """The text behind the header."""
        source = self._dialect.source
        skip = self._dialect.rows.offset - source.text_offset
        for block in source.utf8_blocks():
            yield block[skip:]
            skip = max(skip - len(block), 0)

    def _last_end(self, text: bytes) -> int:
        """Where the last whole record ends; the blank lines at the end stay for the next block."""
        quote = self._dialect.marks.quote
        if quote is not None and quote in text:
            ends = record_ends(text, self._dialect.marks)
            end = int(ends[-1]) + 1 if len(ends) else 0
        else:
            end = text.rfind(b"\n") + 1
        if self._width > 1 or end == 0:
            return end
        return text.find(b"\n", len(text[:end].rstrip(b"\r\n"))) + 1 if text[:end].strip() else 0

    def _refuse_endless(self, rest: bytes, place: Place) -> None:
        check_characters(rest, place)
        check_quotes(rest, self._dialect.marks, place)
        raise place.error(
            rest,
            0,
            "the record does not end within 64 MiB; state data.separator=... and data.quote=...",
        )

    def _records(self, text: bytes, place: Place) -> Records:
        """Check whole records; strip what is none."""
        marks, comment = self._dialect.marks, self._dialect.comment
        check_characters(text, place)
        check_quotes(text, marks, place)
        text = plain_line_ends(text, marks, place)
        keep_blank = self._width == 1
        lines = Lines(
            text=text, first=place.line, marks=marks, comment=comment, keep_blank=keep_blank
        )
        data, ends = cell_ends(text, marks)
        if comment is not None or not _is_table(data, ends, self._width):
            text = self._strip(text, place, data, ends)
            data, ends = cell_ends(text, marks)
        return Records(
            text=text,
            count=len(ends) // self._width,
            padded=_padded_columns(data, ends, marks, self._width),
            lines=lines,
        )

    def _strip(self, text: bytes, place: Place, data: Bytes, ends: Positions) -> bytes:
        """The records without blank and comment lines."""
        is_last = data[ends] == LF
        stops = ends[is_last]
        starts, kept = _kept_records(text, stops, self._dialect.comment, self._width == 1)
        widths = np.diff(np.flatnonzero(is_last), prepend=-1)
        wrong = kept & (widths != self._width)
        if wrong.any():
            record = int(wrong.argmax())
            self._refuse_width(text, place, int(starts[record]), int(widths[record]))
        blank = int(((starts == stops) & ~kept).sum())
        self._blank += blank
        self._comments += int((~kept).sum()) - blank
        # +1 where a line to leave out begins and -1 behind it: the running sum is 0 in the others.
        steps = np.zeros(len(data) + 1, np.int8)
        steps[starts[~kept]] += 1
        steps[stops[~kept] + 1] -= 1
        return bytes(data[np.cumsum(steps[:-1], dtype=np.int8) == 0])

    def _refuse_width(self, text: bytes, place: Place, start: int, width: int) -> None:
        dialect = self._dialect
        reference = "the header" if dialect.has_header else "the first row"
        way_out = "mend the line, or set data.separator=... if it is not " + (
            "a tab" if dialect.marks.separator == ord("\t") else f"'{chr(dialect.marks.separator)}'"
        )
        first = text[start : start + 1]
        if first in (b"#", b"%") and dialect.comment is None:
            way_out = f"set data.comment={first.decode()} if such lines are comments"
        elif dialect.has_header and dialect.names[0][:1] in ("#", "%") and dialect.comment is None:
            way_out = f"set data.comment={dialect.names[0][0]} if the line above is a comment"
        elif self._width < width and start == 0 and place.line == dialect.rows.line:
            way_out += f", or data.skip_lines={place.line - 1} if this line is the header"
        raise place.error(
            text, start, f"it has {_cells(width)}, but {reference} has {self._width}; {way_out}"
        )

    def _tell(self) -> None:
        left_out = [
            f"{count} {kind} {'line' if count == 1 else 'lines'}"
            for count, kind in ((self._blank, "blank"), (self._comments, "comment"))
            if count
        ]
        if left_out:
            _log.info("%s: left out %s", self._dialect.source.path.name, " and ".join(left_out))


def _cells(count: int) -> str:
    return "1 cell" if count == 1 else f"{count} cells"


def _is_table(data: Bytes, ends: Positions, width: int) -> bool:
    """Whether every record has `width` cells: every `width`-th end, and no other, is a line's."""
    if len(ends) % width:
        return False
    is_last = data[ends] == LF
    return bool(is_last[width - 1 :: width].all()) and int(is_last.sum()) * width == len(ends)


def _kept_records(
    text: bytes, stops: Positions, comment: bytes | None, keep_blank: bool
) -> tuple[Positions, np.ndarray]:
    """Where each record begins, and whether it is one rather than a blank line or a comment."""
    data = np.frombuffer(text, np.uint8)
    starts = np.append(0, stops[:-1] + 1)
    kept = np.ones(len(starts), bool) if keep_blank else starts < stops
    if comment is not None:
        is_comment = starts + len(comment) <= stops
        for index, byte in enumerate(comment):
            is_comment &= data[np.minimum(starts + index, len(data) - 1)] == byte
        kept &= ~is_comment
    return starts, kept


def _padded_columns(data: Bytes, ends: Positions, marks: Marks, width: int) -> frozenset[int]:
    """The columns in which a number begins with a zero too many."""
    # A zero before a digit and not behind one or a point. `data[-1]` ends a line, which is just
    # what stands before the first cell: index -1 needs no care.
    zero = data[:-1] == ord("0")
    zero &= data[1:] - np.uint8(ord("0")) <= 9
    zero[1:] &= data[:-2] - np.uint8(ord(".")) > ord("9") - ord(".")
    found = np.flatnonzero(zero)
    if len(found) == 0:
        return frozenset()
    before = data[found - 1]
    is_signed = (before == ord("+")) | (before == ord("-"))
    before = np.where(is_signed, data[found - 2], before)
    begins = [marks.separator, LF, CR, ord(" "), ord("\t")]
    begins += [marks.quote] if marks.quote is not None else []
    found = found[np.isin(before, np.array(begins, np.uint8))]
    columns = np.searchsorted(ends, found) % width
    return frozenset(np.unique(columns).tolist())
