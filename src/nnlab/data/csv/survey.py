"""What there is in a piece of CSV text, of all that would need a closer look."""

from dataclasses import dataclass

import numpy as np

from nnlab.data.csv.layout import (
    LF,
    SPACE,
    TAB,
    Bytes,
    Marks,
    Mask,
    Positions,
    as_bytes,
    cell_ends,
)

# All looks at a slice find it in the processor's cache.
SLICE_BYTES = 2**17


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What a text holds.

    Attributes:
        is_ascii: Whether all of it is ASCII.
        has_nul: Whether there is a NUL character.
        has_quote: Whether there is a quote.
        has_outer_blank: Whether a blank or tab stands where a cell may begin or end.
        separators: How many separators there are, in quotes or not.
        zeros: Where zeros stand that may begin a number of several digits; most others are left
            out.
    """

    is_ascii: bool
    has_nul: bool
    has_quote: bool
    has_outer_blank: bool
    separators: int
    zeros: Positions


def survey(text: bytes, marks: Marks) -> Survey:
    """Look over a text; every byte of a file comes through here.

    Args:
        text: Whole records.
        marks: The separator and the quote.
    """
    data = as_bytes(text)
    is_ascii, has_nul, separators = True, False, 0
    quote = marks.quote if marks.quote is not None and marks.quote in text else None
    # One that separates cells may stand within quotes.
    blanks = [b for b in (SPACE, TAB) if b != marks.separator or quote is not None]
    has_outer_blank = bool(text) and text[0] in blanks  # before the first cell nothing stands
    zeros = [np.flatnonzero(data[:1] == ord("0"))]
    for start in range(0, len(text), SLICE_BYTES):
        # With the two bytes that tell of the last.
        part, here = text[start : start + SLICE_BYTES + 2], data[start : start + SLICE_BYTES + 2]
        is_ascii &= part.isascii()
        has_nul |= 0 in part
        is_separator = here == marks.separator
        separators += int(np.count_nonzero(is_separator[:SLICE_BYTES]))
        zeros.append(start + 1 + _zeros(here, marks))
        for blank in blanks:
            if blank in part and not has_outer_blank:
                has_outer_blank = _has_outer_blank(here, blank, is_separator, quote)
    return Survey(
        is_ascii=is_ascii,
        has_nul=has_nul,
        has_quote=quote is not None,
        has_outer_blank=has_outer_blank,
        separators=separators,
        zeros=np.concatenate(zeros),
    )


def _has_outer_blank(here: Bytes, blank: int, is_separator: Mask, quote: int | None) -> bool:
    """Whether a blank stands beside what may end a cell, or begin one."""
    is_end = is_separator | (here == LF)
    if quote is not None:
        is_end |= here == quote
    is_blank = here == blank
    return bool((is_blank[:-1] & is_end[1:]).any() or (is_end[:-1] & is_blank[1:]).any())


def _zeros(here: Bytes, marks: Marks) -> Positions:
    """Where zeros stand that may begin a number of several digits, from the second byte on."""
    # Of what begins a cell, these are not below the point, as digits are not.
    others = [mark for mark in (marks.separator, marks.quote) if mark and mark > ord(".")]
    is_inside = here >= ord("0")  # a digit, a letter and the like
    may_begin = here[:-2] < ord(".")
    for mark in others:
        is_inside &= here != mark
        may_begin |= here[:-2] == mark
    found = (here[1:-1] == ord("0")) & is_inside[2:]
    found &= may_begin
    if found.any():
        # A sign behind a digit is none, as in dates.
        found[1:] &= ~((here[1:-2] == ord("-")) & is_inside[:-3])
    return np.flatnonzero(found)


def padded_columns(text: bytes, zeros: Positions, marks: Marks, width: int) -> frozenset[int]:
    """The columns in which a number begins with a zero too many.

    Args:
        text: Whole records.
        zeros: Those of its survey.
        marks: The separator and the quote.
        width: The cells of a record.
    """
    if len(zeros) == 0:
        return frozenset()
    data = as_bytes(text)
    # `data[-1]` ends a line, just like what stands before the first cell: -1 needs no care.
    is_signed = (data[zeros - 1] == ord("+")) | (data[zeros - 1] == ord("-"))
    before = zeros - 1 - is_signed
    quote = [] if marks.quote is None else [marks.quote]
    begins = np.zeros(256, np.bool_)
    begins[[marks.separator, LF, *b" \t", *quote]] = True
    before = before[begins[data[before]] & _is_digit(data[zeros + 1])]
    if len(before) == 0:
        return frozenset()
    ends = cell_ends(text, marks)[1]
    cells = np.searchsorted(ends, before)
    # Inside quotes a separator is none, such as the comma of "10,05".
    is_none = (data[before] == marks.separator) & (ends[cells] != before)
    cells = np.searchsorted(ends, before[~is_none], side="right")
    return frozenset(np.flatnonzero(np.bincount(cells % width)).tolist())


def _is_digit(data: Bytes) -> Mask:
    return np.asarray(data - np.uint8(ord("0")) <= 9)
