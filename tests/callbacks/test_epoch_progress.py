"""What a person sees while a run goes on."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

from conftest import ROOT


def test_on_a_terminal_one_bar_spans_the_run(tmp_path: Path) -> None:
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "scripts" / "train.py"), "trainer.max_epochs=3"],
        cwd=tmp_path,
        stdout=slave,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "120", "LINES": "40"},
    )
    os.close(slave)
    seen = b""
    while True:
        try:
            seen += os.read(master, 65536)
        except OSError:  # the other end is closed
            break
    os.close(master)
    assert process.wait() == 0
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", seen.decode())
    bars = [line for line in re.split(r"[\r\n]+", text) if "━" in line]
    assert bars[-1].startswith("epoch 3/3 ")
    assert re.search(r"train/loss [\d.]+ +val/loss [\d.]+ +val/accuracy [\d.]+", bars[-1])
    # Nothing but the bar speaks of epochs while it runs.
    assert all("━" in line for line in re.split(r"[\r\n]+", text) if line.startswith("epoch "))
