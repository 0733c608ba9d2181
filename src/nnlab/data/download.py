"""Fetching a file from the first mirror that has it."""

import contextlib
import re
import urllib.request
from collections.abc import Callable, Sequence
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import IO, BinaryIO
from urllib.request import Request

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from nnlab.atomic import replacing

_TIMEOUT = 30.0
_MAX_BYTES = 2**28
_PIECE = 2**16


def download(
    name: str, *, mirrors: Sequence[str], root: Path, verify: Callable[[Path], object]
) -> Path:
    """Fetch a file over https and move it into place once it is whole and verified.

    Args:
        name: The file's name at each mirror and in `root`.
        mirrors: Addresses of folders, ending in a slash, tried in turn.
        root: The folder to put it in; made if it is not there.
        verify: Called with the downloaded file, raises ValueError if it is not the right one.

    Returns:
        The file's path in `root`.

    Raises:
        ValueError: A mirror's address is not https, or the name is a path.
        ConnectionError: No mirror gave the right file; the message has each one's reason.
        OSError: `root` cannot be written.
    """
    for mirror in mirrors:
        if not mirror.startswith("https://"):
            raise ValueError(f"mirrors must be https addresses, got {mirror}")
    if re.search(r"[/\\]", name):
        raise ValueError(f"a file to download must have a name, not a path, got {name}")
    is_new = not root.exists()
    root.mkdir(parents=True, exist_ok=True)
    try:
        with replacing(root / name) as file:
            _fetch_first(name, mirrors, file, verify)
    except OSError:
        if is_new:
            with contextlib.suppress(OSError):  # something else has come there
                root.rmdir()
        raise
    return root / name


def _fetch_first(
    name: str, mirrors: Sequence[str], file: BinaryIO, verify: Callable[[Path], object]
) -> None:
    """Write what the first mirror gives that has the right file."""
    path, reasons = Path(file.name), []
    for mirror in mirrors:
        file.seek(0)
        file.truncate()
        try:
            _fetch(mirror + name, file)
            file.flush()
            verify(path)
        except (OSError, HTTPException, ValueError) as error:
            if getattr(error, "filename", None) == path:  # nor would it hold another mirror's
                raise
            reasons.append(f"{mirror}: {error}")
        else:
            return
    raise ConnectionError(
        f"{name} is not in {path.parent} and no mirror gave it ({'; '.join(reasons)}); put the "
        "file into that folder yourself, or name the folder that has it with data.root=FOLDER"
    )


class _HttpsOnly(urllib.request.HTTPRedirectHandler):
    """Follows a redirect from https, to which the first address was held, to https only."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        if not newurl.startswith("https://"):
            raise ValueError(f"it redirects to {newurl}, which is not https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _fetch(url: str, file: BinaryIO) -> None:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
    )
    opener = urllib.request.build_opener(_HttpsOnly)
    with (
        opener.open(url, timeout=_TIMEOUT) as response,
        Progress(*columns) as progress,
    ):
        total = response.headers.get("Content-Length")
        task = progress.add_task(url.rsplit("/", 1)[-1], total=int(total) if total else None)
        received = 0
        while piece := response.read(_PIECE):
            received += len(piece)
            if received > _MAX_BYTES:
                raise ValueError(f"it is larger than {_MAX_BYTES} bytes")
            file.write(piece)
            progress.update(task, completed=received)
