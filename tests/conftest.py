"""What several tests need: the command line as a user runs it, and the real files."""

import contextlib
import functools
import io
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from nnlab import commands

ROOT = Path(__file__).parents[1]
SHARED_DATA = ROOT.parent / "shared" / "data"

Command = Callable[..., subprocess.CompletedProcess[str]]


def run_script(
    folder: Path, script: str, *arguments: str, succeed: bool = True, **env: str
) -> subprocess.CompletedProcess[str]:
    """Run `python scripts/SCRIPT ...` in a folder; a proxy that is not there cuts the network."""
    no_network = {f"{scheme}_proxy": "http://localhost:1" for scheme in ("http", "https")}
    process = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / script), *arguments],
        cwd=folder,
        env={**os.environ, **no_network, "PYTHONWARNINGS": "error", **env},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if succeed:
        assert process.returncode == 0, process.stdout + process.stderr
    return process


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """`run_script` in an empty folder."""
    return functools.partial(run_script, tmp_path)


@pytest.fixture
def quick_command(tmp_path: Path) -> Command:
    """The same within this process, which spares the seconds of importing torch."""
    return functools.partial(run_quickly, tmp_path)


def run_quickly(
    folder: Path, script: str, *arguments: str, succeed: bool = True
) -> subprocess.CompletedProcess[str]:
    """`run_script` within this process."""
    stdout, stderr, status = io.StringIO(), io.StringIO(), 0
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(sys, "argv", [f"scripts/{script}", *arguments])
        with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
            try:
                getattr(commands, script.removesuffix(".py"))()
            except SystemExit as error:
                status = error.code
    logging.shutdown()  # closes the run's log
    assert status == 0 or not succeed, stderr.getvalue()
    return subprocess.CompletedProcess(arguments, status, stdout.getvalue(), stderr.getvalue())


@pytest.fixture(scope="session")
def digits_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The README's first command, run once: its run directory and what it printed."""
    folder = tmp_path_factory.mktemp("first")
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
