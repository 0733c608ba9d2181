"""Compare how nnlab turns a large CSV into tensors with what polars needs to read it.

    python scripts/benchmark_reading.py [--rows 5000000] [--columns 20] [--text 0] [--dates 0]
        [--missing 0] [--repeats 3]

A file of random whole and decimal numbers, and if wanted words, dates and empty cells, is written,
then read alternately by polars alone (into a data frame) and by nnlab (checked, split, scaled, as
tensors), each time in a fresh process.
Printed are the medians of wall time without imports, and of peak memory with them.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

from nnlab.text_table import format_table

_POLARS = """
import json, resource, sys, time
import polars as pl
started = time.perf_counter()
frame = pl.read_csv(sys.argv[1])
seconds = time.perf_counter() - started
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps({"seconds": seconds, "peak": peak, "tensors": 0}))
"""
_NNLAB = """
import json, resource, sys, time
from omegaconf import OmegaConf
from nnlab.config import config_folder
from nnlab.data import TabularDataModule
arguments = OmegaConf.to_container(OmegaConf.load(config_folder() / "data" / "csv.yaml"))
del arguments["_target_"], arguments["defaults"]
arguments |= {"path": sys.argv[1], "target": "y", "seed": 0, "memory_map": False}
data = TabularDataModule(**arguments)
started = time.perf_counter()
loaded = data.loaded
seconds = time.perf_counter() - started
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
splits = (loaded.train, loaded.val, loaded.test)
tensors = sum(part.nbytes for split in splits for part in split)
print(json.dumps({"seconds": seconds, "peak": peak, "tensors": tensors}))
"""


def main() -> None:
    """Print both sides and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--columns", type=int, default=20)
    parser.add_argument("--text", type=int, default=0, help="how many columns hold words")
    parser.add_argument("--dates", type=int, default=0, help="how many hold dates")
    parser.add_argument("--missing", type=float, default=0.0, help="share of cells that are empty")
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.csv"
        _write(path, arguments)
        print(f"{path.stat().st_size / 1e6:.0f} MB, {arguments.rows:,} rows", flush=True)
        runs: dict[str, list[dict[str, float]]] = {"polars": [], "nnlab": []}
        for _ in range(arguments.repeats):
            for name, program in (("polars", _POLARS), ("nnlab", _NNLAB)):
                runs[name].append(_run(program, path))
    median = {
        (name, what): statistics.median(run[what] for run in results)
        for name, results in runs.items()
        for what in ("seconds", "peak", "tensors")
    }
    rows = [
        [name, f"{median[name, 'seconds']:.2f}", f"{median[name, 'peak'] / 1e6:.0f}"]
        for name in runs
    ]
    print(format_table(["", "seconds", "peak memory, MB"], rows))
    extra = median["nnlab", "peak"] - median["polars", "peak"]
    print(f"\nwall time: {median['nnlab', 'seconds'] / median['polars', 'seconds']:.2f} x polars")
    print(
        f"peak memory: that of polars + {extra / median['nnlab', 'tensors']:.2f} x the tensors' "
        f"{median['nnlab', 'tensors'] / 1e6:.0f} MB"
    )


def _write(path: Path, arguments: argparse.Namespace) -> None:
    """First columns of words, then of dates; then half whole numbers, half decimals, last `y`."""
    generator = np.random.default_rng(0)
    names = [*(f"x{i}" for i in range(arguments.columns - 1)), "y"]
    kinds = ["text"] * arguments.text + ["date"] * arguments.dates
    kinds += ["integer" if i % 2 == 0 else "decimal" for i in range(len(kinds), len(names))]
    with path.open("wb") as file:
        for start in range(0, arguments.rows, 500_000):
            count = min(500_000, arguments.rows - start)
            columns = [
                _cells(kind, count, generator).alias(name)
                for name, kind in zip(names, kinds, strict=True)
            ]
            for index, values in enumerate(columns[:-1] if arguments.missing else []):
                is_missing = pl.Series(generator.random(count) < arguments.missing)
                columns[index] = values.set(is_missing, None)
            pl.DataFrame(columns).write_csv(file, include_header=start == 0)


def _cells(kind: str, count: int, generator: np.random.Generator) -> pl.Series:
    if kind == "text":
        return pl.Series(generator.choice([f"word {i}" for i in range(50)], count))
    if kind == "date":
        days = generator.integers(0, 20_000, count).astype("datetime64[D]")
        return pl.Series(days).cast(pl.Date).dt.to_string()
    if kind == "decimal":
        return pl.Series(generator.normal(size=count).round(6))
    return pl.Series(generator.integers(-50_000, 50_000, count))


def _run(program: str, path: Path) -> dict[str, float]:
    printed = subprocess.run(
        [sys.executable, "-c", program, str(path)], check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    result: dict[str, float] = json.loads(printed.splitlines()[-1])
    return result


if __name__ == "__main__":
    main()
