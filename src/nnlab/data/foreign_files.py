"""Files that are not what their name or place promises: damaged, or a web page in their stead."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def reading_gzip(path: Path) -> Iterator[None]:
    """Turn what a damaged gzip file raises while it is read into a sentence.

    Raises:
        ValueError: It is damaged.
    """
    try:
        yield
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(
            f"{path} must be a whole gzip file, but it is damaged or cut short ({error}); "
            "fetch it again"
        ) from error


def refuse_web_page(path: Path, head: bytes, wanted: str) -> None:
    """Refuse a web page, such as a server sends in place of what is not there.

    Args:
        path: The file.
        head: Its first bytes.
        wanted: What it must be, for the message.

    Raises:
        ValueError: It is a web page.
    """
    if head.lstrip()[:9].lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        raise ValueError(
            f"{path} must be {wanted}, but it is a web page, perhaps an error message saved "
            "under this name; delete it and fetch it again"
        )
