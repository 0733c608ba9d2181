"""What several tests need: the command line as a user runs it, and the real files."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SHARED_DATA = ROOT.parent / "shared" / "data"

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run_script(tmp_path: Path) -> Command:
    """Run `python scripts/NAME.py ...` in an empty folder, without a network."""

    def run(script: str, *arguments: str, succeed: bool = True, **env: str):
        process = subprocess.run(
            [sys.executable, str(ROOT / "scripts" / script), *arguments],
            cwd=tmp_path,
            env={**os.environ, "HYDRA_FULL_ERROR": "0", **env},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if succeed:
            assert process.returncode == 0, process.stdout + process.stderr
        return process

    return run


@pytest.fixture(scope="session")
def mnist_folder() -> Path:
    folder = SHARED_DATA / "mnist"
    if not folder.is_dir():
        pytest.skip("the real MNIST files are not beside this checkout")
    return folder


@pytest.fixture(scope="session")
def tables_folder() -> Path:
    folder = SHARED_DATA / "tables"
    if not folder.is_dir():
        pytest.skip("the real tables are not beside this checkout")
    return folder
