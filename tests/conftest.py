"""What several tests need: the command line as a user runs it, and the real files."""

import contextlib
import functools
import io
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TextIO

import pytest

from nnlab import commands

ROOT = Path(__file__).parents[1]
SHARED_DATA = ROOT.parent / "shared" / "data"

# Before torch is loaded: for networks as small as these, a second thread is time lost in waiting.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Taken before any test changes it: processes start while other tests run.
ENVIRONMENT = dict(os.environ)

Command = Callable[..., subprocess.CompletedProcess[str]]


def run_script(
    folder: Path, script: str, *arguments: str, succeed: bool = True, **env: str
) -> subprocess.CompletedProcess[str]:
    """Run `python scripts/SCRIPT ...` in a folder; a proxy that is not there cuts the network."""
    no_network = {f"{scheme}_proxy": "http://localhost:1" for scheme in ("http", "https")}
    process = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / script), *arguments],
        cwd=folder,
        env={**ENVIRONMENT, **no_network, "PYTHONWARNINGS": "error", **env},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if succeed:
        assert process.returncode == 0, process.stdout + process.stderr
    return process


def side_by_side(
    *calls: Callable[[], subprocess.CompletedProcess[str]],
) -> list[subprocess.CompletedProcess[str]]:
    """Run processes at the same time: most of a short one is imports, which use one core."""
    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


@pytest.fixture
def quick_command(tmp_path: Path) -> Command:
    """`run_quickly` in an empty folder."""
    return functools.partial(run_quickly, tmp_path)


def run_quickly(
    folder: Path,
    script: str,
    *arguments: str,
    succeed: bool = True,
    terminal: TextIO | None = None,
) -> subprocess.CompletedProcess[str]:
    """The same within this process, which spares the seconds of importing torch.

    It prints to `terminal`, or else to what is returned.
    """
    stdout, stderr, status = io.StringIO(), io.StringIO(), 0
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(sys, "argv", [f"scripts/{script}", *arguments])
        with contextlib.redirect_stdout(terminal or stdout), contextlib.redirect_stderr(stderr):
            try:
                getattr(commands, script.removesuffix(".py"))()
            except SystemExit as error:
                status = error.code
    logging.shutdown()  # closes the run's log, which is not for what comes after
    root = logging.getLogger()
    root.handlers = [one for one in root.handlers if not isinstance(one, logging.FileHandler)]
    assert status == 0 or not succeed, stderr.getvalue()
    return subprocess.CompletedProcess(arguments, status, stdout.getvalue(), stderr.getvalue())


@pytest.fixture
def prepared(request: pytest.FixtureRequest, tmp_path_factory) -> tuple[Path, Any]:
    """The folder that this test's mark has filled, `@pytest.mark.prepare(function, *arguments)`.

    And what `function`, called with it and the arguments, has returned.
    """
    (mark,) = request.node.iter_markers("prepare")
    function, *arguments = mark.args
    folder = tmp_path_factory.mktemp("prepared")
    return folder, function(folder, *arguments)


@pytest.fixture(scope="session")
def digits_run(tmp_path_factory) -> tuple[Path, str]:
    """The README's first command, run once: its run directory and what it printed."""
    folder = tmp_path_factory.mktemp("digits_run")
    process = run_script(folder, "train.py")
    (run_dir,) = (folder / "outputs" / "digits").iterdir()
    return run_dir, process.stdout


@pytest.fixture(scope="session")
def mnist_folder() -> Path:
    folder = SHARED_DATA / "mnist"
    if not folder.is_dir():
        pytest.skip("the real MNIST files are not beside this checkout")
    return folder


@pytest.fixture(scope="session")
def messy_folder() -> Path:
    folder = SHARED_DATA / "messy"
    if not folder.is_dir():
        pytest.skip("the messy tables are not beside this checkout")
    return folder


@pytest.fixture(scope="session")
def tables_folder() -> Path:
    folder = SHARED_DATA / "tables"
    if not folder.is_dir():
        pytest.skip("the real tables are not beside this checkout")
    return folder
