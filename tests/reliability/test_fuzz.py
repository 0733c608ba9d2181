"""Readers of files from elsewhere: whatever the bytes, a sentence or a result, never a crash."""

import gzip
import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
from conftest import ROOT
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nnlab.checkpoints import read_checkpoint, write_checkpoint
from nnlab.commands import _is_users_mistake
from nnlab.config import check_config
from nnlab.data.idx import read_idx
from nnlab.data.table import read_table
from nnlab.run_directory import load_config, read_results

EMBEDDED = ROOT / "src" / "nnlab" / "data" / "embedded"
PENGUINS = (EMBEDDED / "penguins.csv").read_bytes()[:3000]
IDX = bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 3]) + bytes(range(18))
CONTENT = {"epoch": 1, "hyper_parameters": {"a": [1]}, "state_dict": {"w": torch.arange(9.0)}}
SETTINGS = b"data:\n  path: a.csv\nmodel:\n  dropout: 0.5\nseed: ${oc.env:HOME}\n"
RESULTS = json.dumps(
    {
        "monitor": "val/loss",
        **dict.fromkeys(("best_epoch", "epochs", "max_epochs", "threads"), 2),
        **{name: {"loss": 0.5} for name in ("val", "test", "versions", "time_s")},
        "device": "cpu",
    }
).encode()
TABLE_PARTS = [b",", b'"', b"\n", b"\r", b"\0", b";", b"1", b"-0.5e308", b"a", b"NA", b"\xff\xfe"]
CONFIG_PARTS = [b": ", b"- ", b"\n  ", b"&a ", b"*a", b"${", b"}", b"!!python/name:os.system", b"{"]


def checkpoint() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        write_checkpoint(CONTENT, Path(folder) / "a.ckpt")
        return (Path(folder) / "a.ckpt").read_bytes()


@st.composite
def spoilt(draw: st.DrawFn, whole: bytes, parts: list[bytes]) -> bytes:
    """A file with some stretches replaced; or anything at all."""
    if draw(st.integers(0, 9)) == 0:
        return b"".join(draw(st.lists(st.sampled_from(parts) | st.binary(max_size=9), max_size=60)))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(whole)))
        end = start + draw(st.sampled_from([0, 0, 1, 4, len(whole)]))
        whole = whole[:start] + draw(st.sampled_from(parts) | st.binary(max_size=9)) + whole[end:]
    return whole


def read(content: bytes, name: str, reader: Callable[[Path], object]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        try:
            reader(path)
        except Exception as error:
            if not _is_users_mistake(error):
                raise


@settings(max_examples=150, deadline=None)
@given(content=spoilt(PENGUINS, TABLE_PARTS), packed=st.booleans())
def test_any_bytes_as_a_table(content: bytes, packed: bool) -> None:
    read(gzip.compress(content) if packed else content, "t.csv", read_table)


@settings(max_examples=100, deadline=None)
@given(content=spoilt(gzip.compress(PENGUINS), [b"\x1f\x8b", b"\0" * 8]))
def test_any_bytes_as_a_gzipped_table(content: bytes) -> None:
    read(content, "t.csv.gz", read_table)


@settings(max_examples=300, deadline=None)
@given(content=spoilt(IDX, [b"\0\0\x08\x03", b"\xff" * 4, b"\0" * 9]), ndim=st.sampled_from([1, 3]))
def test_any_bytes_as_an_idx_file(content: bytes, ndim: int) -> None:
    read(content, "images", lambda path: read_idx(path, ndim=ndim))
    read(gzip.compress(content), "images.gz", lambda path: read_idx(path, ndim=ndim))


@settings(max_examples=100, deadline=None)
@given(content=spoilt(checkpoint(), [b"PK\x03\x04", b"PK\x05\x06", b"\xff" * 4, b"\0" * 16]))
def test_any_bytes_as_a_checkpoint(content: bytes) -> None:
    read(content, "best.ckpt", read_checkpoint)


@settings(max_examples=200, deadline=None)
@given(content=spoilt(SETTINGS, CONFIG_PARTS))
def test_any_bytes_as_the_settings_of_a_run(content: bytes) -> None:
    def load(path: Path) -> None:
        check_config(load_config(path.parents[1]))

    read(content, ".hydra/config.yaml", load)


@settings(max_examples=200, deadline=None)
@given(content=spoilt(RESULTS, [b"{", b"}", b"[", b"\xff\xfe", b"null", b'""', b"1e999"]))
@example(RESULTS.replace(b'"val": {"loss": 0.5}', b'"val": {"loss": null}'))
def test_any_bytes_as_the_results_of_a_run(content: bytes) -> None:
    def look(path: Path) -> None:
        results = read_results(path.parent)
        if results is not None:
            best = results["val"][results["monitor"].removeprefix("val/")]
            assert isinstance(best, (int, float))

    read(content, "metrics.json", look)
