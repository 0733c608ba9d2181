"""Kill a run at random moments, go on with it until it ends, and compare it with one left alone.

    python tests/reliability/striking.py FOLDER STRIKES SEED SETTING...

Processes are forked, so that a strike does not cost the seconds of importing torch. Runs are begun
and killed until there have been so many strikes. Printed is what was struck, one word a strike.
"""

import json
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from nnlab import commands, training  # noqa: F401 - loaded before the forks


def main() -> None:
    """Strike as often as was asked for."""
    folder, strikes, seed, *settings = sys.argv[1:]
    os.chdir(folder)
    chance = random.Random(int(seed))  # noqa: S311
    began = time.monotonic()
    finish(fork([*settings, "name=whole"]))
    duration = time.monotonic() - began
    (whole,) = Path("outputs/whole").iterdir()
    left = int(strikes)
    while left > 0:
        shutil.rmtree("outputs/killed", ignore_errors=True)
        left = strike_one_run(settings, left, duration, chance)
        (killed,) = Path("outputs/killed").iterdir()
        compare(killed, whole)


def strike_one_run(settings: list[str], left: int, duration: float, chance: random.Random) -> int:
    """Kill one run again and again until it has ended; the strikes that are left then."""
    while True:
        settings_files = Path("outputs/killed").glob("*/.hydra/config.yaml")
        started = [path for path in settings_files if path.stat().st_size]
        if not started:  # killed before it had settings: the same command again
            shutil.rmtree("outputs/killed", ignore_errors=True)
        command = [f"resume={started[0].parents[1]}"] if started else [*settings, "name=killed"]
        child = fork(command)
        if left == 0:
            finish(child)
            return 0
        deadline = time.monotonic() + chance.uniform(0, duration)
        while time.monotonic() < deadline:
            number, status = os.waitpid(child, os.WNOHANG)
            if number:
                assert status == 0, Path("log").read_text()[-3000:]
                return left  # it has ended before
            time.sleep(0.001)
        print(phase(), flush=True)
        os.killpg(child, signal.SIGKILL)  # and the other processes of a distributed run
        os.waitpid(child, 0)
        left -= 1


def phase() -> str:
    """About where a run is, from what its folder holds."""
    folders = list(Path("outputs/killed").glob("*/checkpoints"))
    if not folders:
        return "start"
    names = [path.name for path in folders[0].iterdir()]
    if (folders[0].parent / "metrics.json").exists():
        return "end"
    return "save" if any(name.startswith(".") for name in names) else "training"


def fork(arguments: list[str]) -> int:
    """Run `scripts/train.py` with these arguments in a child; its number."""
    # Imports must start none: a process that is forked beside them waits for them forever.
    threads = [name.read_text().strip() for name in Path("/proc/self/task").glob("*/comm")]
    assert "polars-0" not in threads, "a worker of polars runs before there are data to read"
    child = os.fork()
    os.setpgid(child, child)  # a group of its own, in both: whichever comes first
    if child == 0:
        status: Any = 1
        try:
            # Where it is, for the other processes of a distributed run, which begin as this one.
            sys.argv = [str(Path(__file__).parents[2] / "scripts" / "train.py"), *arguments]
            with Path("log").open("a") as log:
                os.dup2(log.fileno(), 1)
                os.dup2(log.fileno(), 2)
            commands.train()
            status = 0
        finally:
            os._exit(status)
    return child


def finish(child: int) -> None:
    """Wait for a child to end well."""
    _, status = os.waitpid(child, 0)
    assert status == 0, Path("log").read_text()[-3000:]


def compare(killed: Path, whole: Path) -> None:
    """Whether all that matters is the same, to the last bit."""
    results = [json.loads((run / "metrics.json").read_text()) for run in (killed, whole)]
    for key in ("val", "test", "best_epoch", "epochs"):
        assert results[0][key] == results[1][key], (key, results)
    assert curves(killed) == curves(whole)
    for name in ("best", "last"):
        contents = [
            torch.load(run / "checkpoints" / f"{name}.ckpt", weights_only=True)
            for run in (killed, whole)
        ]
        for part in ("epoch", "global_step", "state_dict", "optimizer_states", "lr_schedulers"):
            # The best checkpoint is for use, and has no optimizer.
            assert same(*(content.get(part) for content in contents)), (name, part)
        if name == "last":
            assert same(*(content["best"]["state_dict"] for content in contents))


def curves(run: Path) -> dict[str, list[str]]:
    """Each curve's points as TensorBoard has them."""
    events = EventAccumulator(str(run), size_guidance={"scalars": 0})
    events.Reload()
    tags = events.Tags()["scalars"]
    return {tag: [f"{p.step} {p.value!r}" for p in events.Scalars(tag)] for tag in tags}


def same(one: Any, other: Any) -> bool:
    """Whether two nests of tensors and plain data are equal."""
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


if __name__ == "__main__":
    main()
