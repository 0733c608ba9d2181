"""Downloads, from real https servers on this machine."""

import functools
import http.server
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from nnlab.data.download import download

CONTENT = b"what the file must hold" * 1000


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Path]]:
    """An https server with a certificate that this process trusts, and its folder."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl command to make a certificate with")
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", *subject, *files],
        check=True,
        capture_output=True,
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "served"
    folder.mkdir()
    handler = functools.partial(QuietHandler, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("localhost", 0), handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"https://localhost:{server.server_port}/", folder
    server.shutdown()
    server.server_close()
    thread.join()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder; `away/` leads to plain http."""

    def do_GET(self) -> None:
        if self.path.startswith("/away/"):
            self.send_response(302)
            self.send_header("Location", f"http://localhost:{self.headers['Host'].split(':')[1]}/")
            self.end_headers()
        else:
            super().do_GET()

    def log_message(self, *_: object) -> None:
        pass


def verify(path: Path) -> None:
    if path.read_bytes() != CONTENT:
        raise ValueError("it is not the right file")


def test_the_second_mirror_is_tried_where_the_first_has_nothing(mirror, tmp_path: Path) -> None:
    address, folder = mirror
    (folder / "good").mkdir()
    (folder / "good" / "file.gz").write_bytes(CONTENT)
    root = tmp_path / "cache" / "mnist"
    path = download(
        "file.gz", mirrors=[address + "bad/", address + "good/"], root=root, verify=verify
    )
    assert path == root / "file.gz"
    assert path.read_bytes() == CONTENT
    assert list(root.iterdir()) == [path]


def test_a_wrong_file_is_not_moved_into_place(mirror, tmp_path: Path) -> None:
    address, folder = mirror
    (folder / "file.gz").write_bytes(b"<html>an error page</html>")
    root = tmp_path / "cache"
    with pytest.raises(ConnectionError, match=r"not the right file.*data\.root=FOLDER") as caught:
        download("file.gz", mirrors=[address, address], root=root, verify=verify)
    assert str(caught.value).count("not the right file") == 2
    assert not root.exists()


def test_a_server_that_does_not_answer_is_named(mirror, tmp_path: Path) -> None:
    with pytest.raises(ConnectionError, match=r"https://localhost:1/: .*refused"):
        download("file.gz", mirrors=["https://localhost:1/"], root=tmp_path, verify=verify)


def test_a_certificate_that_is_not_trusted_is_refused(
    mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, folder = mirror
    (folder / "file.gz").write_bytes(CONTENT)
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(ConnectionError, match=r"(?i)certificate"):
        download("file.gz", mirrors=[address], root=tmp_path / "cache", verify=verify)


def test_plain_http_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="must be https addresses, got http://"):
        download("file.gz", mirrors=["http://localhost/"], root=tmp_path, verify=verify)


@pytest.mark.parametrize("name", ["../file.gz", "/etc/file.gz", "a\\file.gz"])
def test_a_file_stays_in_its_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="must have a name, not a path, got "):
        download(name, mirrors=["https://localhost:1/"], root=tmp_path / "a", verify=verify)
    assert not list(tmp_path.iterdir())


def test_what_is_too_large_is_not_read_to_its_end(
    mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, folder = mirror
    monkeypatch.setattr("nnlab.data.download._MAX_BYTES", len(CONTENT) - 1)
    (folder / "file.gz").write_bytes(CONTENT)
    root = tmp_path / "cache"
    with pytest.raises(ConnectionError, match=f"it is larger than {len(CONTENT) - 1} bytes"):
        download("file.gz", mirrors=[address], root=root, verify=verify)
    assert not root.exists()


def test_a_way_round_https_is_refused(mirror, tmp_path: Path) -> None:
    """Nobody listens to plain http there: the refusal must come before the connection."""
    address, _ = mirror
    root = tmp_path / "cache"
    with pytest.raises(ConnectionError, match=r"redirects to http://localhost.*, which is not"):
        download("file.gz", mirrors=[address + "away/"], root=root, verify=verify)
    assert not root.exists()
