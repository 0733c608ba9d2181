"""Where the cells and records of a piece of CSV text end, quotes respected, without a Python loop.

Text is UTF-8 in a numpy array of bytes; separators, quotes and line ends are single ASCII bytes,
which never occur inside another character of UTF-8.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlab.suggestions import setting

Bytes = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Positions = NDArray[np.intp]

LF, CR, TAB, SPACE = b"\n\r\t "
# Arrays of this size stay in the processor's cache.
_SLICE_BYTES = 2**18


@dataclass(frozen=True, kw_only=True)
class Marks:
    """The bytes that end a cell and that quote one; `quote` is None where none is quoted."""

    separator: int
    quote: int | None


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a piece of text begins, for messages: its file, byte offset and line."""

    path: Path
    offset: int
    line: int

    def after(self, text: bytes) -> "Place":
        """Where the text behind `text` begins."""
        return Place(
            path=self.path,
            offset=self.offset + len(text),
            line=self.line + count(text, LF),
        )

    def error(self, text: bytes, position: int, message: str) -> ValueError:
        """An error at a position of the text that begins here."""
        return ValueError(f"{self.path}, line {self.after(text[:position]).line}: {message}")


def as_bytes(text: bytes) -> Bytes:
    """The text as an array that shares its memory."""
    return np.frombuffer(text, np.uint8)


def count(text: bytes, byte: int) -> int:
    """How often a byte occurs."""
    data = as_bytes(text)
    slices = (data[start : start + _SLICE_BYTES] for start in range(0, len(data), _SLICE_BYTES))
    return sum(int(np.count_nonzero(part == byte)) for part in slices)


def unquoted(data: Bytes, found: Mask, marks: Marks) -> Mask:
    """Those of the found bytes that stand outside quotes, for text that begins outside."""
    if marks.quote is None:
        return found
    # From one quote to the next all is inside or all outside, in turn: several times faster than
    # a running sum over the bytes.
    bounds = np.concatenate(([0], np.flatnonzero(data == marks.quote), [len(data)]))
    outside = np.arange(len(bounds) - 1) % 2 == 0
    return np.asarray(found & np.repeat(outside, np.diff(bounds)))


def cell_ends(text: bytes, marks: Marks) -> tuple[Bytes, Positions]:
    """The text as an array, and the positions of separators and line ends outside quotes."""
    data = as_bytes(text)
    found = (data == LF) | (data == marks.separator)
    if marks.quote is not None and marks.quote in text:
        found = unquoted(data, found, marks)
    return data, np.flatnonzero(found)


def record_ends(text: bytes, marks: Marks) -> Positions:
    """The positions of line ends outside quotes."""
    data = as_bytes(text)
    return np.flatnonzero(unquoted(data, data == LF, marks))


def check_characters(text: bytes, place: Place) -> None:
    """Refuse what is not UTF-8, and the NUL character.

    Raises:
        ValueError: It is there; the message names its line.
    """
    if not text.isascii():
        try:
            text.decode()
        except UnicodeDecodeError as error:
            raise place.error(
                text,
                error.start,
                f"it is not UTF-8 (byte 0x{text[error.start]:02x} at offset "
                f"{place.offset + error.start}); {_other_encoding(text)}",
            ) from error
    if (position := text.find(b"\0")) >= 0:
        raise place.error(
            text,
            position,
            "there is a NUL character, which no text holds; mend the file, or state how it is "
            "encoded with data.encoding=...",
        )


def _other_encoding(text: bytes) -> str:
    """The way out of text that is not UTF-8."""
    lost = text.decode(errors="replace").count("\ufffd")
    whole = sum(not letter.isascii() for letter in text.decode(errors="ignore"))
    if whole >= lost:
        return (
            "mend the byte, as other characters are UTF-8, or set data.encoding=... to what it is"
        )
    # Where most letters are none of ASCII, they stand together.
    runs = re.findall(rb"[\x80-\xff]+", text)
    if sum(map(len, runs)) >= 4 * len(runs):
        return (
            "set data.encoding=... to what it is, such as gb18030 of Chinese, shift_jis of "
            "Japanese, euc_kr of Korean or cp1251 of Cyrillic text"
        )
    # Latin-1 but for quotes, dashes and the euro, which may yet come.
    return "set data.encoding=cp1252 or whatever it is"


def without_quotes_in_comments(text: bytes, quote: int, comment: bytes) -> bytes:
    """The text with blanks for the quotes of its comment lines, which open and close nothing.

    Args:
        text: Text that begins with a record; the last line may be cut.
        quote: The quote.
        comment: What a comment line begins with; lines inside quotes are none.
    """
    mark = bytes([quote])
    parts, behind, is_inside = [], 0, False
    for line in re.finditer(rb"^" + re.escape(comment) + rb"[^\n]*", text, re.MULTILINE):
        before = text[behind : line.start()]
        is_inside ^= before.count(mark) % 2 == 1
        parts += [before, line[0] if is_inside else line[0].replace(mark, b" ")]
        is_inside ^= parts[-1].count(mark) % 2 == 1
        behind = line.end()
    return b"".join([*parts, text[behind:]])


def plain_line_ends(text: bytes, marks: Marks, place: Place) -> bytes:
    """The text with LF for each CRLF outside quotes.

    Raises:
        ValueError: A CR stands alone there.
    """
    if b"\r" not in text:
        return text
    data = as_bytes(text)
    found = unquoted(data, data == CR, marks)
    positions = np.flatnonzero(found)
    alone = data[np.minimum(positions + 1, len(data) - 1)] != LF
    if alone.any():
        raise place.error(
            text,
            int(positions[alone.argmax()]),
            "a CR stands alone, not before an LF; save the file with LF or CRLF line ends",
        )
    if marks.quote is None or marks.quote not in text:
        return text.replace(b"\r\n", b"\n")
    return data[~found].tobytes()


def without_blanks(text: bytes, marks: Marks) -> bytes:
    """The text without blanks and tabs at the ends of its cells, in quotes or not.

    Args:
        text: Whole records, with LF for CRLF and quotes as `check_quotes` wants them.
        marks: The separator and the quote.
    """
    # One that separates cells may stand within quotes.
    has_quotes = marks.quote is not None and marks.quote in text
    blanks = [mark for mark in (SPACE, TAB) if mark != marks.separator or has_quotes]
    data, edges = as_bytes(text), _cell_edges(text, marks)
    found = np.flatnonzero(np.isin(data, blanks) & ~edges)
    if len(found) == 0:
        return text
    first = np.flatnonzero(np.diff(found, prepend=-2) > 1)
    last = np.append(first[1:], len(found)) - 1
    # `edges[-1]`, a line end, is also what stands before the first cell.
    at_edge = edges[found[first] - 1] | edges[found[last] + 1]
    kept = np.ones(len(data), np.bool_)
    kept[found[np.repeat(at_edge, last - first + 1)]] = False
    return data[kept].tobytes()


def _cell_edges(text: bytes, marks: Marks) -> Mask:
    """The bytes between which cells stand: separators, line ends, and the quotes around cells."""
    data, ends = cell_ends(text, marks)
    edges = np.zeros(len(data), np.bool_)
    edges[ends] = True
    if marks.quote is not None:
        starts = np.append(0, ends[:-1] + 1)
        is_quoted = data[starts] == marks.quote
        edges[starts[is_quoted]] = edges[ends[is_quoted] - 1] = True
    return edges


def check_quotes(text: bytes, marks: Marks, place: Place) -> None:
    r"""Refuse quotes that do not wrap whole cells, and one that is never closed.

    Quotes within an unquoted cell are text if they come in pairs, as in `37.8"N 17.9"W`: then
    every reader agrees on where the cell ends.

    Args:
        text: Whole records.
        marks: The separator and the quote.
        place: Where the text begins.

    Raises:
        ValueError: There is such a quote; the message names the line of the first.
    """
    if marks.quote is None or marks.quote not in text:
        return
    data = as_bytes(text)
    quotes = np.flatnonzero(data == marks.quote)
    opening, closing = quotes[0::2], quotes[1::2]
    bare = _inside_unquoted_cells(data, opening, closing, marks)
    unpaired = _unpaired(data, opening[bare], closing, np.flatnonzero(bare), marks)
    ends = np.array([marks.separator, LF, CR, marks.quote], np.uint8)
    closed = closing[~bare[: len(closing)]]
    followed = closed[~np.isin(data[np.minimum(closed + 1, len(data) - 1)], ends)]
    way_out = "double a quote inside quotes, or set data.quote=none if quotes are part of the text"
    if len(unpaired) and not (len(followed) and followed[0] < unpaired[0]):
        first = int(unpaired[0])
        before = text[:first].rstrip(b" \t")
        if len(before) < first and before.endswith(bytes([marks.separator])):
            way_out = "take out the blank before the quote that opens the cell"
        message = f"a quote stands inside a cell that does not begin with one; {way_out}"
        raise place.error(text, first, message)
    if len(followed):
        first = int(followed[0])
        if text[first + 1 : first + 3] == bytes([SPACE, marks.quote]):
            way_out = f"set {setting('data.separator', ' ')} if blanks separate cells"
        message = f"text follows the quote that closes a cell; {way_out}"
        raise place.error(text, first, message)
    if len(opening) > len(closing):
        message = f"the quote that opens here is never closed; close it, or {way_out}"
        raise place.error(text, int(quotes[-1]), message)


def _inside_unquoted_cells(
    data: Bytes, opening: Positions, closing: Positions, marks: Marks
) -> Mask:
    """Which pairs of quotes begin within a cell."""
    before = data[opening - 1]
    begins_cell = (opening == 0) | (before == marks.separator) | (before == LF)
    # The second of two quotes in a row belongs to the pair before it.
    doubled = np.zeros(len(opening), bool)
    doubled[1:] = opening[1:] == closing[: len(opening) - 1] + 1
    chain = np.cumsum(~doubled) - 1
    return np.asarray(~begins_cell[~doubled][chain])


def _unpaired(
    data: Bytes, opening: Positions, closing: Positions, pairs: Positions, marks: Marks
) -> Positions:
    """Those quotes within unquoted cells that no other in the cell closes, or after mere blanks."""
    if len(opening) == 0:
        return opening
    ends = np.flatnonzero((data == LF) | (data == marks.separator))
    closes = np.append(closing, len(data))[pairs]
    crosses = np.searchsorted(ends, opening) != np.searchsorted(ends, closes)
    visible = np.flatnonzero((data != SPACE) & (data != TAB))
    last: Any = visible[np.searchsorted(visible, opening) - 1]
    after_blanks = (last != opening - 1) & ((data[last] == marks.separator) | (data[last] == LF))
    return np.asarray(opening[crosses | after_blanks])
