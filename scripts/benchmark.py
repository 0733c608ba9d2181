"""Compare what nnlab costs with a loop written by hand, and with other libraries.

    python scripts/benchmark.py [--gpu] [--repeats 5] [--mnist FOLDER] [--only step ...]

The rows:

    step    a step of a network 30-64-64-1 on batches of 256, epochs of 400 steps
    mnist   an epoch of 784-256-256-10 on batches of 128
    short   100 epochs of 4 steps, each validated
    start   from the command to the first step, beside `import lightning, tensorboard`
    race    98 % of MNIST's test images right: whole processes, from the command to their end
    32-true, bf16-mixed, bf16-true
            an epoch of MNIST, 784-1024-1024-10 on batches of 1024, in each of these precisions,
            and beside it the products of matrices that it is made of, alone

With `--gpu` both sides run on an NVIDIA GPU, and nnlab once more with `cuda_graphs=true`; the rows
are step, mnist, short and those of the precisions, for 784-4096-4096-10 on batches of 8192.

nnlab runs with all that a run has by default: validation, metrics, TensorBoard, checkpoints. The
loop by hand runs over the same tensors with the same optimizer, the threads that nnlab chose and
its subnormal numbers flushed as nnlab's are, and validates after each epoch; that is all it does.
Once its optimizer is fused and its matrices are multiplied as nnlab's are, once both are as torch
has them by default. All sides run alternately; the figures are medians. Other libraries take part
where they are installed: pip install -e ".[benchmark]".
"""

import argparse
import contextlib
import functools
import importlib.util
import io
import itertools
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import polars as pl
import torch
import torch.nn.functional as F
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig
from torch import Tensor, nn

from nnlab.config import build, config_folder, register_resolvers
from nnlab.data.module import InMemoryDataModule, LoadedData
from nnlab.loading import load
from nnlab.process import fast_arithmetic, fast_products, set_threads
from nnlab.text_table import format_table

train = load("nnlab.training", freezes=True).train  # as the command loads it

_SCRIPTS = Path(__file__).parent
_PEERS = {"scikit-learn": "sklearn", "skorch": "skorch", "keras": "keras"}
_PRECISIONS = ("32-true", "bf16-mixed", "bf16-true")
_ROWS = {
    False: ("step", "mnist", "short", "start", "race", *_PRECISIONS),
    True: ("step", "mnist", "short", *_PRECISIONS),
}
"""On a CPU, and on a GPU."""
_MNIST_ROWS = 55_002
"""Of the 60,000 training images, those that nnlab trains on; the others validate."""

Measured = dict[str, list[float]]
"""Seconds of each side, one for each repeat."""


def main() -> None:
    """Print a table of each row, with the ratio of nnlab to every other side."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--mnist", type=Path, help="where the files of MNIST are")
    parser.add_argument("--only", nargs="+", metavar="ROW")
    parser.add_argument("--gpu", action="store_true", help="on an NVIDIA GPU")
    arguments = parser.parse_args()
    rows_there = _ROWS[arguments.gpu]
    if not set(arguments.only or []) <= set(rows_there):
        parser.error(f"--only must be among {', '.join(rows_there)}, got {arguments.only}")
    if arguments.gpu and not torch.cuda.is_available():
        sys.exit("error: --gpu needs an NVIDIA GPU that torch can use, but none was found")
    device = "trainer=gpu" if arguments.gpu else "trainer=cpu"
    mnist = ["data=mnist", *([f"data.root={arguments.mnist}"] if arguments.mnist else [])]
    register_resolvers()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows: dict[str, Callable[[], tuple[str, Measured]]] = {
            "step": lambda: _step(folder, arguments.repeats, device),
            "mnist": lambda: _mnist_epoch(folder, arguments.repeats, [*mnist, device]),
            "short": lambda: _short_epochs(folder, arguments.repeats, device),
            "start": lambda: _start(folder, arguments.repeats),
            "race": lambda: _race(folder, arguments.repeats, mnist),
            **{
                precision: functools.partial(
                    _wide, folder, arguments.repeats, [*mnist, device], precision
                )
                for precision in _PRECISIONS
            },
        }
        for row in arguments.only or rows_there:
            try:
                title, measured = rows[row]()
            except (ConnectionError, FileNotFoundError) as error:  # no MNIST
                sys.exit(f"error: {error}".replace("data.root=", "--mnist "))
            _report(title, measured)


def _report(title: str, measured: Measured) -> None:
    medians = {side: statistics.median(seconds) for side, seconds in measured.items()}
    lines = [
        [side, f"{seconds:.4g}", f"{medians['nnlab'] / seconds:.2f}"]
        for side, seconds in medians.items()
    ]
    print(f"{title}\n{format_table(['', 'seconds', 'nnlab / it'], lines)}\n", flush=True)


def _step(folder: Path, repeats: int, device: str) -> tuple[str, Measured]:
    settings = [*_table(folder, training_rows=102_400), device, "trainer.max_epochs=3"]
    return "1,200 steps, 30-64-64-1, batches of 256", _beside_hand(settings, folder, repeats)


def _short_epochs(folder: Path, repeats: int, device: str) -> tuple[str, Measured]:
    settings = [
        *_table(folder, training_rows=1024),
        device,
        "trainer.max_epochs=100",
        "callbacks.early_stopping=null",
    ]
    return "100 epochs of 4 steps, 30-64-64-1", _beside_hand(settings, folder, repeats)


def _mnist_epoch(folder: Path, repeats: int, mnist: list[str]) -> tuple[str, Measured]:
    epochs = 10  # so that what a run costs once, such as its last checkpoint, counts as it does
    settings = [*mnist, "model.dropout=0", f"trainer.max_epochs={epochs}"]
    root = str(Path(_compose(mnist, folder).data.root).expanduser())

    def peer_seconds(peer: str) -> float:
        # The first epoch may compile.
        seconds = _run_peer(peer, root, "--epochs", str(epochs + 1))["seconds"][1:]
        return float(sum(seconds))

    peers = _installed_peers() if "trainer=cpu" in settings else []
    others = {peer: functools.partial(peer_seconds, peer) for peer in peers}
    measured = {
        side: [seconds / epochs for seconds in runs]
        for side, runs in _beside_hand(settings, folder, repeats, others=others).items()
    }
    return f"an epoch of MNIST, of {epochs}, 784-256-256-10, batches of 128", measured


def _wide(folder: Path, repeats: int, mnist: list[str], precision: str) -> tuple[str, Measured]:
    epochs, width, batch = (1, 1024, 1024) if "trainer=cpu" in mnist else (20, 4096, 8192)
    settings = [*mnist, "model.dropout=0", f"model.hidden_sizes=[{width},{width}]"]
    settings += [f"data.batch_size={batch}", f"trainer.max_epochs={epochs}"]
    settings += [f"trainer.precision={precision}"]
    measured = {
        side: [seconds / epochs for seconds in runs]
        for side, runs in _beside_hand(settings, folder, repeats, aside="checkpoints").items()
    }
    dtype = torch.float32 if precision == "32-true" else torch.bfloat16
    device = "cpu" if "trainer=cpu" in mnist else "cuda"
    products = [_products([784, width, width, 10], batch, dtype, device) for _ in range(repeats)]
    measured["its matrix products"] = [seconds * _MNIST_ROWS / batch for seconds in products]
    what = (
        f"an epoch of MNIST, of {epochs}, 784-{width}-{width}-10, batches of {batch}, {precision}"
    )
    return f"{what}; checkpoints aside", measured


def _products(sizes: list[int], batch: int, dtype: torch.dtype, device: str) -> float:
    """Seconds of the products that a step is made of, forward and back, and nothing else."""
    steps = 20
    set_threads(None)  # as nnlab, for so much work
    factors = [
        tuple(
            torch.randn(shape, device=device, dtype=dtype)
            for shape in ((batch, n_in), (n_in, n_out), (batch, n_out))
        )
        for n_in, n_out in itertools.pairwise(sizes)
    ]
    for step in range(2 * steps):
        if step == steps:  # all before was to warm up
            _wait_for(device)
            started = time.perf_counter()
        for layer, (x, weights, gradients) in enumerate(factors):
            x @ weights
            x.T @ gradients
            if layer > 0:
                gradients @ weights.T
    _wait_for(device)
    return (time.perf_counter() - started) / steps


def _wait_for(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def _table(folder: Path, training_rows: int) -> list[str]:
    """Settings for a table of 30 numbers and two classes, with so many rows to train on."""
    generator = np.random.default_rng(0)
    x = generator.normal(size=(training_rows * 5 // 3, 30)).astype(np.float32)
    y = (x[:, :5].sum(axis=1) + generator.normal(size=len(x)) > 0).astype(int)
    path = folder / f"{training_rows}.csv"
    pl.DataFrame({**{f"x{i}": x[:, i] for i in range(30)}, "y": y}).write_csv(path)
    network = ["model=mlp", "model.hidden_sizes=[64,64]", "model.dropout=0", "scheduler=constant"]
    return ["data=csv", f"data.path={path}", "data.target=y", *network]


def _beside_hand(
    settings: list[str],
    folder: Path,
    repeats: int,
    *,
    aside: str | None = None,
    others: Mapping[str, Callable[[], float]] = MappingProxyType({}),
) -> Measured:
    """Seconds of training, by nnlab and by hand, after a first time that is not counted.

    Args:
        settings: Of the run.
        folder: Where the runs may go.
        repeats: How often each side runs.
        aside: A phase of nnlab's that is not counted; None for none.
        others: More sides, by what gives their seconds.
    """
    cfg = _compose(settings, folder)
    set_threads(1)  # as nnlab reads
    loaded = build(cfg.data, InMemoryDataModule).loaded
    sides: dict[str, Callable[[], float]] = {
        "nnlab": lambda: _nnlab(cfg, folder, aside),
        "by hand": lambda: _by_hand(cfg, loaded, tuned=True),
        "by hand, not tuned": lambda: _by_hand(cfg, loaded, tuned=False),
    }
    if cfg.trainer.accelerator == "cuda":
        with_graphs = _compose([*settings, "cuda_graphs=true"], folder)
        sides["nnlab, cuda_graphs"] = lambda: _nnlab(with_graphs, folder, aside)
    sides |= others
    measured: Measured = {side: [] for side in sides}
    for repeat in range(repeats + 1):
        for side, run in sides.items():
            seconds = run()
            if repeat > 0:
                measured[side].append(seconds)
    return measured


def _compose(settings: Iterable[str], folder: Path) -> DictConfig:
    with initialize_config_dir(str(config_folder()), version_base="1.3"):
        return compose("train", [*settings, f"output_dir={folder / 'outputs'}"])


def _nnlab(cfg: DictConfig, folder: Path, aside: str | None) -> float:
    run_dir = Path(tempfile.mkdtemp(dir=folder))
    with contextlib.redirect_stdout(io.StringIO()):
        train(cfg, run_dir)
    results = json.loads((run_dir / "metrics.json").read_text())
    return float(results["wall_time_s"] - (results["time_s"][aside] if aside else 0))


def _by_hand(cfg: DictConfig, loaded: LoadedData, *, tuned: bool) -> float:
    torch.manual_seed(0)
    device, dtype = torch.device("cpu"), torch.float32
    if cfg.trainer.accelerator == "cuda":
        device = torch.device("cuda")
    if cfg.trainer.precision == "bf16-true":
        dtype = torch.bfloat16
    (x, targets), (val_x, val_targets) = (
        (rows.to(device, dtype), labels.to(device)) for rows, labels in (loaded.train, loaded.val)
    )
    sizes = [loaded.spec.in_features, *cfg.model.hidden_sizes, loaded.spec.out_features]
    layers: list[nn.Module] = [nn.Flatten()]
    for n_in, n_out in itertools.pairwise(sizes):
        layers += [nn.Linear(n_in, n_out), nn.ReLU()]
    model = nn.Sequential(*layers[:-1]).to(device, dtype)
    optimizer = torch.optim.AdamW(model.parameters(), lr=cfg.optimizer.lr, fused=tuned)
    if loaded.spec.task == "binary":
        targets, val_targets = targets.float().unsqueeze(1), val_targets.float().unsqueeze(1)
        criterion: Callable[[Tensor, Tensor], Tensor] = F.binary_cross_entropy_with_logits
    else:
        criterion = F.cross_entropy

    def loss_of(x: Tensor, targets: Tensor) -> Tensor:
        if cfg.trainer.precision != "bf16-mixed":
            return criterion(model(x), targets)
        with torch.autocast(device.type, torch.bfloat16):
            return criterion(model(x), targets)

    matrices = [weights for weights in model.parameters() if weights.dim() > 1]
    multiplications = sum(weights.numel() for weights in matrices) * cfg.data.batch_size
    with (
        fast_arithmetic(None, multiplications),
        fast_products(multiplications if tuned and device.type == "cpu" else 0),
    ):
        started = time.perf_counter()
        for _ in range(cfg.trainer.max_epochs):
            model.train()
            order = torch.randperm(len(x), device=device)
            for rows in torch.split(order, cfg.data.batch_size):
                loss = loss_of(x[rows], targets[rows])
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]  # torch declares none
                optimizer.step()
            model.eval()
            with torch.no_grad():
                loss_of(val_x, val_targets).item()  # which waits for a GPU
        return time.perf_counter() - started


def _start(folder: Path, repeats: int) -> tuple[str, Measured]:
    measured: Measured = {"nnlab": [], "import lightning, tensorboard": []}
    for _ in range(repeats):
        wall, spent = _run_nnlab(["trainer=cpu", "trainer.max_epochs=1"], folder)
        # All that is not known to come later, the end of the process too.
        later = sum(
            seconds for phase, seconds in spent.items() if phase not in ("start_up", "data")
        )
        measured["nnlab"].append(wall - later)
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", "import lightning, tensorboard"], check=True)
        measured["import lightning, tensorboard"].append(time.perf_counter() - started)
    return "from the command to the first step", measured


def _race(folder: Path, repeats: int, mnist: list[str]) -> tuple[str, Measured]:
    measured: Measured = {"nnlab": []}
    root = str(Path(_compose(mnist, folder).data.root).expanduser())
    accuracies: list[float] = []
    for seed in range(repeats):
        settings = ["experiment=mnist_fast", "trainer=cpu", f"data.root={root}", f"seed={seed}"]
        wall, _ = _run_nnlab(settings, folder, accuracies)
        measured["nnlab"].append(wall)
        for peer in _installed_peers():
            started = time.perf_counter()
            _run_peer(peer, root, "--accuracy", "0.98")
            measured.setdefault(peer, []).append(time.perf_counter() - started)
    lowest, highest = min(accuracies), max(accuracies)
    return f"98 % on MNIST (nnlab: {lowest:.4f} to {highest:.4f})", measured


def _run_nnlab(
    settings: list[str], folder: Path, accuracies: list[float] | None = None
) -> tuple[float, dict[str, float]]:
    """Train as a person does; the process's seconds, and where nnlab says that they went."""
    name = Path(tempfile.mkdtemp(dir=folder)).name
    command = [sys.executable, str(_SCRIPTS / "train.py"), *settings]
    started = time.perf_counter()
    subprocess.run(
        [*command, f"output_dir={folder}", f"name={name}"], check=True, stdout=subprocess.DEVNULL
    )
    wall = time.perf_counter() - started
    (path,) = (folder / name).glob("*/metrics.json")
    results: dict[str, Any] = json.loads(path.read_text())
    if accuracies is not None:
        accuracies.append(results["test"]["accuracy"])
    return wall, results["time_s"]


def _installed_peers() -> list[str]:
    return [name for name, package in _PEERS.items() if importlib.util.find_spec(package)]


def _run_peer(peer: str, root: str, *options: str) -> dict[str, Any]:
    command = [sys.executable, str(_SCRIPTS / "benchmark_peers.py"), peer, root, *options]
    printed = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ).stdout
    result: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return result


if __name__ == "__main__":
    main()
