"""IDX files: the real ones, and everything that can be wrong with one."""

import gzip
import hashlib
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import torch

from nnlab.data import idx as idx_module
from nnlab.data.idx import find_idx, read_idx

ITEMS = np.arange(2 * 3 * 4, dtype=np.uint8)


def idx(shape: tuple[int, ...], content: bytes, kind: int = 0x08) -> bytes:
    return struct.pack(f">BBBB{len(shape)}I", 0, 0, kind, len(shape), *shape) + content


@pytest.fixture
def write(tmp_path: Path):
    def write_file(content: bytes, name: str = "images-idx3-ubyte", compress: bool = False) -> Path:
        path = tmp_path / (f"{name}.gz" if compress else name)
        path.write_bytes(gzip.compress(content) if compress else content)
        return path

    return write_file


@pytest.mark.parametrize("compress", [False, True])
def test_reads_what_was_written(write, compress: bool) -> None:
    content = idx((2, 3, 4), ITEMS.tobytes())
    path = write(content, compress=compress)
    expected = torch.from_numpy(ITEMS.reshape(2, 3, 4))
    digest = hashlib.sha256(content).hexdigest()
    assert torch.equal(read_idx(path, ndim=3, sha256=digest), expected)
    assert find_idx(path.parent, "images-idx3-ubyte") == path


def test_reads_the_real_mnist(mnist_folder: Path) -> None:
    images = read_idx(mnist_folder / "t10k-images-idx3-ubyte.gz", ndim=3)
    labels = read_idx(mnist_folder / "t10k-labels-idx1-ubyte.gz", ndim=1)
    raw = gzip.decompress((mnist_folder / "t10k-images-idx3-ubyte.gz").read_bytes())
    expected = np.frombuffer(raw, dtype=np.uint8, offset=16).reshape(10000, 28, 28)
    assert np.array_equal(images.numpy(), expected)
    assert labels[:5].tolist() == [7, 2, 1, 0, 4]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "got an empty file"),
        (b"\0\0\x08\x03\0\0", "ends inside it"),
        (idx((2, 3, 4), ITEMS.tobytes(), kind=0x0D), "got 00 00 0d 03"),
        (idx((24,), ITEMS.tobytes()), "in 3 dimensions .*got 00 00 08 01"),
        (idx((3, 3, 4), ITEMS.tobytes()), "promises 36 bytes|holds only 24"),
        (idx((1, 3, 4), ITEMS.tobytes()), "12 bytes .* it holds more"),
        (idx((2, 0, 4), b""), "at least one item"),
        (b"<!DOCTYPE html><html>404 Not Found</html>", "is a web page"),
        (b"\n <html><body>Access denied</body></html>", "is a web page"),
        (b"PK\x03\x04 a zip file, not an IDX file", "got 50 4b 03 04"),
    ],
)
@pytest.mark.parametrize("compress", [False, True])
def test_a_malformed_file_gets_a_sentence_that_names_it(write, content, message, compress) -> None:
    path = write(content, compress=compress)
    with pytest.raises(ValueError, match=message) as caught:
        read_idx(path, ndim=3)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_truncated_gzip_file_is_refused(write) -> None:
    random = np.random.default_rng(0).integers(0, 256, 10_000, dtype=np.uint8)
    path = write(idx((100, 10, 10), random.tobytes()), compress=True)
    whole = path.read_bytes()
    for length in (11, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"damaged or cut short|ends inside|empty file"):
            read_idx(path, ndim=3)


def test_a_flipped_bit_in_a_gzip_file_is_refused(write) -> None:
    random = np.random.default_rng(0).integers(0, 256, 10_000, dtype=np.uint8)
    path = write(idx((100, 10, 10), random.tobytes()), compress=True)
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 1
    path.write_bytes(whole)
    with pytest.raises(ValueError, match="damaged"):
        read_idx(path, ndim=3)


def test_other_bytes_than_expected_are_refused(write) -> None:
    path = write(idx((2, 3, 4), ITEMS.tobytes()))
    with pytest.raises(ValueError, match=r"SHA-256 0000.*got SHA-256 [0-9a-f]{64}"):
        read_idx(path, ndim=3, sha256="0" * 64)


@pytest.mark.parametrize(
    "promised",
    [(20, 10, 10), (300_000, 28, 28), (60_000, 28, 28_000), (2**32 - 1, 2**32 - 1, 2**32 - 1)],
)
def test_a_gzip_bomb_takes_no_memory(write, promised: tuple[int, ...]) -> None:
    bomb = gzip.compress(idx(promised, bytes(40 * 2**20)))
    path = write(b"", name="bomb", compress=True)
    path.write_bytes(bomb)
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=r"bomb\.gz"):
            read_idx(path, ndim=3)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # Never more than the header promises, and that only up to what is there.
    assert peak < 100 * 2**20


def test_an_honest_bomb_is_refused_at_the_limit(write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idx_module, "_MAX_BYTES", 2**20)
    path = write(idx((40, 1024, 1024), bytes(40 * 2**20)), name="bomb", compress=True)
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=r"bomb\.gz promises 41943040 bytes .* the limit"):
            read_idx(path, ndim=3)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_a_promise_that_the_file_cannot_hold_is_refused_at_once(write) -> None:
    path = write(idx((60_000, 28, 28), b"\0" * 100), compress=True)
    with pytest.raises(ValueError, match=r"promises 47040000 bytes .* more than it can hold"):
        read_idx(path, ndim=3)
