"""Show what a row costs as tables grow: seconds of reading and of training, and memory.

    python scripts/benchmark_growth.py [--rows 1000 10000 100000 1000000 10000000] [--columns 10]

For each size a CSV of random numbers and two classes is written and trained on for one epoch, by a
process of its own. Printed are, for a million rows, the seconds of reading and preprocessing, those
of an epoch (training, validation and metrics), and the memory beyond that of the smallest table.
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

from nnlab.reporting import format_table

_SCRIPTS = Path(__file__).parent
# The process's peak memory is printed when it has ended.
_PROGRAM = """
import resource, runpy, sys
sys.argv = sys.argv[1:]
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
finally:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


def main() -> None:
    """Print a line for each size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    sizes = [10**3, 10**4, 10**5, 10**6, 10**7]
    parser.add_argument("--rows", type=int, nargs="+", default=sizes)
    parser.add_argument("--columns", type=int, default=10)
    arguments = parser.parse_args()
    lines, least = [], 0.0
    with tempfile.TemporaryDirectory() as name:
        for rows in arguments.rows:
            path = Path(name) / f"{rows}.csv"
            _write(path, rows, arguments.columns)
            seconds, peak = _train(path)
            path.unlink()
            least = least or peak
            epoch = sum(
                spent
                for phase, spent in seconds.items()
                if phase not in ("start_up", "data", "checkpoints", "test")
            )
            millions = rows / 1e6
            figures = (
                seconds["data"] / millions,
                epoch / millions,
                (peak - least) / 1e6 / millions,
            )
            lines.append([f"{rows:,}", *(f"{figure:.3g}" for figure in figures)])
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


def _train(path: Path) -> tuple[dict[str, float], float]:
    """Where the seconds of an epoch went, and the peak memory in bytes."""
    outputs = path.parent / f"outputs_{path.stem}"
    network = ["model=mlp", "model.hidden_sizes=[64,64]"]
    settings = ["data=csv", f"data.path={path}", "data.target=y", *network, "trainer.max_epochs=1"]
    command = [sys.executable, "-c", _PROGRAM, str(_SCRIPTS / "train.py"), *settings]
    printed = subprocess.run(
        [*command, f"output_dir={outputs}"], check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    (metrics,) = outputs.glob("*/*/metrics.json")
    results: dict[str, Any] = json.loads(metrics.read_text())
    return results["time_s"], float(printed.split()[-1])


if __name__ == "__main__":
    main()
