"""What a CSV file shows at its beginning: the separator, the header, and where the rows begin."""

import logging
import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from nnlab.data.csv.header import check_names, read_names, split_record
from nnlab.data.csv.layout import (
    Marks,
    Place,
    as_bytes,
    check_characters,
    check_quotes,
    record_ends,
    unquoted,
)
from nnlab.data.csv.options import CsvOptions
from nnlab.data.csv.source import Source, open_source
from nnlab.suggestions import setting

_log = logging.getLogger(__name__)
_SAID = re.compile(rb'"?sep=([ -~\t])"?\r?\n')
_SEPARATORS = (",", ";", "\t", "|")
_SAMPLE_BYTES = 2**18
_SAMPLE_RECORDS = 200
_LINE_ENDS, _TEXT = re.compile(rb"[\r\n]+"), re.compile(rb"\S")


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """How a CSV file is written.

    Attributes:
        source: The file and its encoding.
        marks: The separator and the quote.
        comment: Lines that begin with this are left out; None for none.
        names: The columns' names.
        has_header: Whether the file names them.
        is_told: Whether what is not standard, or left out, is said.
        rows: Where the text behind the header begins.
    """

    source: Source
    marks: Marks
    comment: bytes | None
    names: list[str]
    has_header: bool
    is_told: bool
    rows: Place


def find_dialect(path: Path, options: CsvOptions, *, is_told: bool = True) -> Dialect:
    """Find out how a CSV file is written, and say what is not standard.

    Args:
        path: The file.
        options: What the user states about it.
        is_told: Whether to say so; not where a file is read again.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no CSV file, or does not show how it is written.
    """
    source = open_source(path, options.encoding)
    blocks = source.utf8_blocks()
    head, is_whole = next(blocks, b""), next(blocks, b"") == b""
    start = _skip(head, options, Place(path=path, offset=0, line=1))
    # Excel's own way of naming the separator.
    said = None if options.skip_lines else _SAID.match(head, start.offset)
    if said is not None:
        options = replace(options, separator=options.separator or said[1].decode())
        start = _skip(head, replace(options, skip_lines=None), start.after(said[0]))
    head = head[start.offset :]
    start = replace(start, offset=start.offset + source.text_offset)
    head += b"\n" if is_whole and not head.endswith(b"\n") else b""
    _refuse_cr(head, start)
    quote = options.quote_mark
    marks = Marks(separator=0, quote=ord(quote) if quote else None)
    record = _first_record(head, marks, start)
    separator = _separator(head[: len(record) + _SAMPLE_BYTES], marks, start, options)
    marks = Marks(separator=ord(separator), quote=marks.quote)
    check_quotes(record, marks, start)
    cells = split_record(record, marks, start)
    names, has_header = read_names(cells, options, start)
    if has_header:
        check_names(names, record, head[len(record) :], marks, start)
    if is_told:
        _tell(source, separator, record, is_said=said is not None)
    return Dialect(
        source=source,
        marks=marks,
        comment=options.comment.encode() if options.comment else None,
        names=names,
        has_header=has_header,
        is_told=is_told,
        rows=start.after(record) if has_header else start,
    )


def _skip(head: bytes, options: CsvOptions, place: Place) -> Place:
    """Where the header begins: behind the lines to skip and comments."""
    comment = options.comment.encode() if options.comment else None
    left = options.skip_lines or 0
    while left or (comment and head.startswith(comment, place.offset)):
        end = head.find(b"\n", place.offset) + 1
        if not end:
            raise ValueError(
                f"{place.path}, line {place.line}: no line is left for a header after those that "
                f"data.skip_lines={options.skip_lines} and data.comment={options.comment} leave out"
            )
        place = place.after(head[place.offset : end])
        left = max(left - 1, 0)
    blank = _LINE_ENDS.match(head, place.offset)
    lines = blank[0].count(b"\n") if blank else 0
    has_text = _TEXT.search(head, place.offset) is not None
    if lines or not has_text:
        raise ValueError(
            f"{place.path}, line {place.line}: it must be the header, but it is blank; "
            + (
                f"set data.skip_lines={place.line - 1 + lines} to begin below"
                if has_text
                else "the file holds no table, so choose another"
            )
        )
    return place


def _refuse_cr(head: bytes, place: Place) -> None:
    first = head[:_SAMPLE_BYTES].rstrip(b"\r\n")
    if b"\r" in first and b"\n" not in first:
        raise ValueError(
            f"{place.path}, line {place.line}: lines end in CR alone, as on very old computers; "
            "save the file with LF or CRLF line ends"
        )


def _first_record(head: bytes, marks: Marks, place: Place) -> bytes:
    check_characters(head[: head.find(b"\n") + 1], place)
    ends = record_ends(head[:_SAMPLE_BYTES], marks)
    ends = ends if len(ends) else record_ends(head, marks)
    if len(ends) == 0:
        raise ValueError(
            f"{place.path}, line {place.line}: the first record does not end; is a quote never "
            "closed? Close it, or set data.quote=none if quotes are part of the text"
        )
    record = head[: int(ends[0]) + 1]
    check_characters(record, place)
    return record


def _separator(sample: bytes, marks: Marks, place: Place, options: CsvOptions) -> str:
    """The stated separator, or the one that cuts the first records into as many cells each."""
    if options.separator is not None:
        return "\t" if options.separator == "tab" else options.separator
    counts = _count_separators(sample, marks, options.comment)
    constant = [mark for mark, found in counts.items() if found.min() == found.max() > 0]
    if options.decimal == "," and len(constant) > 1:
        constant = [mark for mark in constant if mark != ","]
    if len(constant) > 1:
        names = ["tab" if mark == "\t" else mark for mark in constant]
        raise ValueError(
            f"{place.path}, line {place.line}: cells may be separated by "
            f"{' or by '.join(map(repr, names))}; state it with "
            + " or ".join(setting("data.separator", name) for name in names)
        )
    if constant:
        return constant[0]
    if any(found[0] for found in counts.values()):
        # Some record is too long or too short. The likeliest mark finds it.
        return max(counts, key=lambda mark: _agreement(counts[mark]))
    # Below a title, perhaps of several lines, there may be a table; finding it refuses the title.
    return next((mark for mark, found in counts.items() if _is_constant_below(found)), ",")


def _is_constant_below(found: np.ndarray) -> bool:
    """Whether from some record on, the first or not the last, all have as many separators."""
    below = found[int((found > 0).argmax()) :]
    return bool(below.min(initial=1) == below.max(initial=0) > 0) and (
        len(below) > 1 or len(found) == 2
    )


def _agreement(found: np.ndarray) -> tuple[int, int]:
    """How many records have the header's number of separators, and that number."""
    return (int((found == found[0]).sum()) if found[0] else 0), int(found[0])


def _count_separators(sample: bytes, marks: Marks, comment: str | None) -> dict[str, np.ndarray]:
    """Each separator's count in each of the first records."""
    ends = record_ends(sample, marks)[:_SAMPLE_RECORDS]
    starts = np.append(0, ends[:-1] + 1)
    lines = [sample[start:end].rstrip(b"\r") for start, end in zip(starts, ends, strict=True)]
    mark = comment.encode() if comment else None
    kept = np.array([line != b"" and not (mark and line.startswith(mark)) for line in lines])
    data = as_bytes(sample)
    counts = {}
    for separator in _SEPARATORS:
        found = np.flatnonzero(unquoted(data, data == ord(separator), marks))
        per_record = np.searchsorted(found, ends) - np.searchsorted(found, starts)
        counts[separator] = per_record[kept]
    return counts


def _tell(source: Source, separator: str, record: bytes, *, is_said: bool) -> None:
    """Say what is not standard."""
    notes = []
    if separator != "," or is_said:
        mark = "tab" if separator == "\t" else f"'{separator}'"
        notes.append(f"separated by {mark}" + (", as its first line says" if is_said else ""))
    if source.mark or source.encoding != "utf-8":
        mark = " with a byte order mark" if source.mark else ""
        notes.append(f"encoded in {source.encoding.upper()}{mark}")
    if record.endswith(b"\r\n"):
        notes.append("lines end in CRLF")
    if notes:
        _log.info("%s: %s", source.path.name, ", ".join(notes))
