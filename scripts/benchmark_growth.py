"""Show what a row costs as tables grow: seconds of reading and of training, and memory.

    python scripts/benchmark_growth.py [--rows 1000 10000 100000 1000000 10000000] [--columns 10]
        [--memory-map]

For each size a CSV of random numbers and two classes is written and trained on for one epoch, by a
process of its own; with --memory-map once more from disk. Printed are, for a million rows, the
seconds of reading and preprocessing, those of an epoch (training, validation and metrics), and the
memory beyond that of the smallest table, without what the system can drop because it is on disk.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from nnlab.text_table import format_table

_SCRIPTS = Path(__file__).parent
# The process's peak memory is printed when it has ended. Linux tells it apart from mapped files.
_PROGRAM = """
import re, runpy, sys, threading
from pathlib import Path
sys.argv = sys.argv[1:]
peak, done = 0, threading.Event()
def watch():
    global peak
    while not done.wait(0.05):
        status = Path("/proc/self/status").read_text()
        peak = max(peak, int(re.search(r"RssAnon:\\s+(\\d+)", status)[1]) * 1024)
watcher = threading.Thread(target=watch)
watcher.start()
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
finally:
    done.set()
    watcher.join()
    print(peak)
"""


def main() -> None:
    """Print a line for each size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    sizes = [10**3, 10**4, 10**5, 10**6, 10**7]
    parser.add_argument("--rows", type=int, nargs="+", default=sizes)
    parser.add_argument("--columns", type=int, default=10)
    parser.add_argument("--memory-map", action="store_true", help="train from disk as well")
    arguments = parser.parse_args()
    lines, least = [], 0.0
    with tempfile.TemporaryDirectory() as name:
        for rows in arguments.rows:
            path = Path(name) / f"{rows}.csv"
            _write(path, rows, arguments.columns)
            for memory_map in (False, True)[: 1 + arguments.memory_map]:
                reading, epoch, peak = _train(path, memory_map=memory_map)
                least = least or peak
                figures = (reading, epoch, (peak - least) / 1e6)
                place = " from disk" if memory_map else ""
                lines.append(
                    [f"{rows:,}{place}", *(f"{figure * 1e6 / rows:.3g}" for figure in figures)]
                )
            path.unlink()
    header = ["rows", "reading, s", "epoch, s", "memory, MB"]
    print(f"of a million rows\n{format_table(header, lines)}")


def _write(path: Path, rows: int, columns: int) -> None:
    generator = np.random.default_rng(0)
    with path.open("wb") as file:
        for start in range(0, rows, 500_000):
            count = min(500_000, rows - start)
            x = generator.normal(size=(count, columns)).round(6)
            y = (x[:, 0] + generator.normal(size=count) > 0).astype(int)
            frame = pl.DataFrame({**{f"x{i}": x[:, i] for i in range(columns)}, "y": y})
            frame.write_csv(file, include_header=start == 0)


def _train(path: Path, *, memory_map: bool) -> tuple[float, float, float]:
    """Seconds of reading and of an epoch, and the peak memory in bytes."""
    outputs = path.parent / f"outputs_{path.stem}_{memory_map}"
    network = ["model=mlp", "model.hidden_sizes=[64,64]", "trainer.max_epochs=1"]
    table = ["data=csv", f"data.path={path}", "data.target=y", f"data.memory_map={memory_map}"]
    folders = [f"data.scratch={path.parent}", f"output_dir={outputs}"]
    printed = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(_SCRIPTS / "train.py"), *table, *network, *folders],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    (metrics,) = outputs.glob("*/*/metrics.json")
    results: dict[str, Any] = json.loads(metrics.read_text())
    seconds, epoch = results["time_s"], float(results["wall_time_s"])
    reading = sum(seconds.values()) - seconds["start_up"] - seconds["test"] - epoch
    return reading, epoch, float(printed.split()[-1])


if __name__ == "__main__":
    main()
