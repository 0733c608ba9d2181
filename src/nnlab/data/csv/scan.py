"""The records of a CSV file, block by block, as wide as the header."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from threading import Lock

from nnlab.data.csv.dialect import Dialect
from nnlab.data.csv.layout import (
    CR,
    LF,
    Place,
    check_characters,
    check_quotes,
    count,
    plain_line_ends,
    record_ends,
    without_blanks,
    without_quotes_in_comments,
)
from nnlab.data.csv.records import Block, Records
from nnlab.data.csv.survey import padded_columns, survey

_log = logging.getLogger(__name__)
# A quote that is never closed must not pull the whole of a large file into memory.
_MAX_RECORD_BYTES = 64 * 2**20


@dataclass(frozen=True, kw_only=True)
class Piece:
    """Some whole records as the file holds them.

    Attributes:
        text: The lines, each ended by LF or CRLF.
        place: Where they begin.
        lines: How many LF there are, also in quotes.
    """

    text: bytes
    place: Place
    lines: int


class Scan:
    """Goes once through the records behind the header, in memory that the file cannot grow.

    Blank lines are left out where there are several columns (in a single one, a blank line is a
    missing value unless it ends the file), and so are comments; how many is said at the end.

    Args:
        dialect: How the file is written.

    Attributes:
        bytes_read: How much of the file has been read for the records so far.
    """

    def __init__(self, dialect: Dialect) -> None:
        self.bytes_read = 0
        self._dialect = dialect
        self._width = len(dialect.names)
        self._blank = 0
        self._comments = 0
        self._is_trimmed = False
        self._lock = Lock()

    def __iter__(self) -> Iterator[Records]:
        """The records, block by block.

        Raises:
            ValueError: A record is wider or narrower than the header, or is no CSV; the message
                names its line.
        """
        for piece in self.pieces():
            records = self.check(piece)
            if records.count:
                yield records
        self.tell()

    def pieces(self) -> Iterator[Piece]:
        """The text behind the header, cut between two records.

        Raises:
            ValueError: The file is cut short, not in its encoding, or has a record without end.
        """
        place, rest = self._dialect.rows, b""
        quote, comment = self._dialect.marks.quote, self._dialect.comment
        for block in self._blocks():
            has_comment = comment is not None and (
                _may_hold(comment, rest + block[: len(comment)]) or _may_hold(comment, block)
            )
            if quote is not None and (quote in rest or has_comment):
                # The block may begin inside quotes, or a comment, so it cannot be judged alone.
                block, rest = rest + block, b""
                if comment is not None and has_comment:
                    block = without_quotes_in_comments(block, quote, comment)
            end = self._last_end(block)
            if end:
                is_whole = not rest and end == len(block)
                text = block if is_whole else b"".join((rest, memoryview(block)[:end]))
                rest = block[end:]
                behind = place.after(text)
                yield Piece(text=text, place=place, lines=behind.line - place.line)
                place = behind
            else:
                rest += block
                if len(rest) > _MAX_RECORD_BYTES:
                    self._refuse_endless(rest, place)
        if self._width == 1:
            rest = rest.rstrip(b"\r\n")
        if rest:
            text = rest if rest.endswith(b"\n") else rest + b"\n"
            yield Piece(text=text, place=place, lines=count(text, LF))

    def _blocks(self) -> Iterator[bytes]:
        """The text behind the header."""
        source = self._dialect.source
        skip = self._dialect.rows.offset - source.text_offset
        for block in source.utf8_blocks(self._note_read):
            yield block[skip:]
            skip = max(skip - len(block), 0)

    def _note_read(self, count: int) -> None:
        self.bytes_read = count

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

    def check(self, piece: Piece) -> Records:
        """The records of a piece, without lines that are none; pieces may be checked at once.

        Raises:
            ValueError: A record is wider or narrower than the header, or is no CSV; the message
                names its line.
        """
        marks, width = self._dialect.marks, len(self._dialect.names)
        text, place, lines = piece.text, piece.place, piece.lines
        if CR in text:
            check_characters(text, place)
            check_quotes(text, marks, place)
            text = plain_line_ends(text, marks, place)
        seen = survey(text, marks)
        if text is piece.text:
            if seen.has_nul or not seen.is_ascii:
                check_characters(text, place)
            if seen.has_quote:
                check_quotes(text, marks, place)
        block = Block(text=text, place=place, dialect=self._dialect)
        # A record that is too long can hide one that is too short. Polars refuses the first, and
        # then `Block.check_widths` finds which it is; counting alone is many times faster.
        is_plain = not seen.has_quote and self._dialect.comment is None
        if not is_plain or lines + seen.separators != lines * width:
            block.check_widths()
            text, blank, comments = block.without_other_lines()
            with self._lock:
                self._blank += blank
                self._comments += comments
            lines = block.count
            seen = seen if text is block.text else survey(text, marks)
        padded = padded_columns(text, seen.zeros, marks, width)
        trimmed = without_blanks(text, marks) if seen.has_outer_blank else text
        self._is_trimmed |= len(trimmed) < len(text)
        return Records(text=text, trimmed=trimmed, count=lines, padded=padded, block=block)

    def tell(self) -> None:
        """Say what was left out, once all is checked."""
        left_out = [
            f"{count} {kind} {'line' if count == 1 else 'lines'}"
            for count, kind in ((self._blank, "blank"), (self._comments, "comment"))
            if count
        ]
        name = self._dialect.source.path.name
        if left_out and self._dialect.is_told:
            _log.info("%s: left out %s", name, " and ".join(left_out))
        if self._is_trimmed and self._dialect.is_told:
            _log.info("%s: blanks around cells do not count", name)


def _may_hold(comment: bytes, text: bytes) -> bool:
    return text.startswith(comment) or b"\n" + comment in text
