"""The text of a CSV file, whatever its encoding, as blocks of UTF-8; what is no such file."""

import codecs
import gzip
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from nnlab.data.foreign_files import reading_gzip, refuse_web_page
from nnlab.paths import require_file

# In larger ones polars is quicker, but a file of some ten of them keeps fewer threads busy, and the
# processor's cache should hold them, where most passes over a block then find them.
BLOCK_BYTES = 2**23
# The end of a block in which a line end is looked for; most lines are shorter.
_TAIL_BYTES = 2**12
# UTF-32 first: its mark begins with the one of UTF-16.
_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_OTHER_FORMATS = {
    b"PK\x03\x04": "a zip archive or an Excel workbook",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"%PDF-": "a PDF",
    b"SQLite format 3": "an SQLite database",
    b"\xfd7zXZ": "compressed with xz",
    b"\x28\xb5\x2f\xfd": "compressed with zstandard",
    b"PAR1\x15": "a Parquet file inside a gzip file",
    b"\x1f\x8b": "compressed with gzip twice",
    **{b"BZh%d1AY&SY" % level: "compressed with bzip2" for level in range(1, 10)},
}


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where the text is and how it is encoded.

    Attributes:
        path: The file.
        is_gzip: Whether it is compressed with gzip.
        encoding: Python's name of the encoding.
        mark: The byte order mark it begins with, or nothing.
    """

    path: Path
    is_gzip: bool
    encoding: str
    mark: bytes

    @property
    def text_offset(self) -> int:
        """Bytes of a UTF-8 file before its text; offsets in recoded text count from 0."""
        return len(self.mark) if self.encoding == "utf-8" else 0

    def utf8_blocks(self, on_read: Callable[[int], None] | None = None) -> Iterator[bytes]:
        """The text in pieces of some MiB; UTF-8 files come as they are, unchecked.

        Args:
            on_read: Told before each piece how many bytes of the file have been read for it and
                those before; of a compressed file, compressed bytes.

        Raises:
            ValueError: The file is cut short, or not in the encoding.
        """
        blocks = self._blocks(on_read)
        return blocks if self.encoding == "utf-8" else self._recoded(blocks)

    def _blocks(self, on_read: Callable[[int], None] | None) -> Iterator[bytes]:
        with ExitStack() as stack:
            raw = stack.enter_context(self.path.open("rb"))
            file = _unpacked(raw, self.is_gzip, stack)
            file.seek(len(self.mark))
            while block := _read(file, self.path, self._block_size(file)):
                if on_read is not None:
                    on_read(raw.tell())
                yield block

    def _block_size(self, file: BinaryIO) -> int:
        """So many bytes that the next block ends with a line, where that is cheap to find out.

        What follows the last line end would have to be copied to the front of the next block, and
        all of that block with it.
        """
        if self.is_gzip or BLOCK_BYTES <= _TAIL_BYTES:
            return BLOCK_BYTES
        start = file.tell()
        file.seek(start + BLOCK_BYTES - _TAIL_BYTES)
        end = file.read(_TAIL_BYTES).rfind(b"\n")
        file.seek(start)
        return BLOCK_BYTES - _TAIL_BYTES + end + 1

    def _recoded(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        decoder = codecs.getincrementaldecoder(self.encoding)()
        offset, line, is_ascii = len(self.mark), 1, True
        for block in _with_end(blocks):
            waiting = len(decoder.getstate()[0])
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                if self.encoding in ("utf-16", "utf-32") and offset == 0:
                    raise self._without_mark(error) from error  # of Python 3.13 and later
                line += error.object[: error.start].decode(self.encoding, "replace").count("\n")
                place = offset - waiting + error.start
                raise ValueError(
                    f"{self.path}, line {line}: byte {place} does not fit the encoding "
                    f"{self.encoding} ({error.reason}); state the right one with data.encoding=..."
                ) from error
            except UnicodeError as error:  # as of UTF-16 that does not say which byte comes first
                raise self._without_mark(error) from error
            if not text.isascii():
                self._refuse_misread(block, text, line, is_first=is_ascii)
                is_ascii = False
            try:
                recoded = text.encode()
            except UnicodeEncodeError as error:  # as of UTF-7, which can write what is no character
                line += text.count("\n", 0, error.start)
                raise ValueError(
                    f"{self.path}, line {line}: what {self.encoding} reads there is no character; "
                    "state the right encoding with data.encoding=..."
                ) from error
            offset += len(block)
            line += text.count("\n")
            yield recoded

    def _without_mark(self, error: UnicodeError) -> ValueError:
        kinds = f"{self.encoding}-le or {self.encoding}-be"
        way_out = f"{kinds}, if it is" if self.encoding in ("utf-16", "utf-32") else "..."
        return ValueError(
            f"{self.path} must be in the encoding {self.encoding}, but is not ({error}); "
            f"set data.encoding={way_out}"
        )

    def _refuse_misread(self, block: bytes, text: str, line: int, *, is_first: bool) -> None:
        """Refuse what decodes, but shows that the encoding is another.

        Args:
            block: Some bytes of the file.
            text: What they decode to.
            line: The line in which they begin.
            is_first: Whether all before is ASCII.
        """
        if is_first and len(text) == len(block) and _is_utf8(block):
            found, name, reason = re.search(r"[^\0-\x7f]+", text), "utf-8", "is UTF-8, where"
        elif self.encoding.startswith("iso8859"):
            found, name = re.search(r"[\x80-\x9f]", text), "cp1252"
            reason = "looks like a text of Windows, where"
        else:
            return
        if found:
            line += text.count("\n", 0, found.start())
            raise ValueError(
                f"{self.path}, line {line}: the file {reason} {self.encoding} reads "
                f"{found[0][:20]!r}; set data.encoding={name}"
            )


def _is_utf8(block: bytes) -> bool:
    """Whether bytes that begin as ASCII are UTF-8 and not ASCII alone; the end may be cut."""
    try:
        return not codecs.getincrementaldecoder("utf-8")().decode(block).isascii()
    except UnicodeDecodeError:
        return False


def _with_end(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The blocks, and an empty one that says there are no more."""
    yield from blocks
    yield b""


def open_source(path: Path, encoding: str | None) -> Source:
    """Find out how a text file is encoded.

    Args:
        path: The file, perhaps compressed with gzip.
        encoding: What the user says it is; None trusts a byte order mark, else UTF-8.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is empty, no text, or its byte order mark says otherwise.
    """
    head, is_gzip = _read_head(path)
    if not head:
        raise ValueError(f"{path} must hold a table, but it is empty")
    for magic, name in _OTHER_FORMATS.items():
        if head.startswith(magic):
            raise ValueError(f"{path} must be a CSV or Parquet file, but it is {name}; export it")
    marks = (mark for mark in _BYTE_ORDER_MARKS if head.startswith(mark))
    mark = next(marks, b"")
    stated = codecs.lookup(encoding).name.removesuffix("-sig") if encoding else None
    shown = _BYTE_ORDER_MARKS.get(mark)
    if shown and stated and stated not in (shown, shown.removesuffix(shown[-3:])):
        raise ValueError(
            f"{path} begins with the byte order mark of {shown}, but data.encoding={encoding}; "
            f"leave data.encoding out, or set data.encoding={shown}"
        )
    source = Source(path=path, is_gzip=is_gzip, encoding=shown or stated or "utf-8", mark=mark)
    _refuse_other_text(head.removeprefix(mark), source)
    return source


def _read_head(path: Path) -> tuple[bytes, bool]:
    """The first bytes of the content, and whether the file is compressed."""
    require_file(path)
    with ExitStack() as stack:
        raw = stack.enter_context(path.open("rb"))
        is_gzip = raw.read(2) == b"\x1f\x8b"
        if path.suffix.lower() == ".gz" and not is_gzip:
            raise ValueError(f"{path} must be a gzip file, as its name says, but is not; rename it")
        raw.seek(0)
        return _read(_unpacked(raw, is_gzip, stack), path, 4096), is_gzip


def _refuse_other_text(head: bytes, source: Source) -> None:
    """Refuse web pages, UTF-16 without its mark, and what is no text at all."""
    path = source.path
    refuse_web_page(path, head, "a CSV file")
    if re.match(rb"(\[\s*)?\{\s*\"[^\"]*\"\s*:", head.lstrip()):
        raise ValueError(f"{path} must be a CSV or Parquet file, but it is JSON; write it as CSV")
    if source.encoding != "utf-8":
        return
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) > len(head) / 5 and min(even, odd) < len(head) / 20:
        name = "utf-16-le" if odd > even else "utf-16-be"
        raise ValueError(
            f"{path}, line 1: it is not UTF-8, but looks like UTF-16 without a byte order mark; "
            f"set data.encoding={name}"
        )
    controls = sum(byte < 32 and byte not in b"\t\n\v\f\r\x1a\x1b" for byte in head)
    if controls > len(head) / 10 and controls > 2:
        raise ValueError(f"{path} must be a CSV or Parquet file, but it is binary; export it")


def _unpacked(raw: BinaryIO, is_gzip: bool, stack: ExitStack) -> BinaryIO:
    return cast(BinaryIO, stack.enter_context(gzip.open(raw))) if is_gzip else raw


def _read(file: BinaryIO, path: Path, count: int) -> bytes:
    with reading_gzip(path):
        return file.read(count)
