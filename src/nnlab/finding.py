"""Finding the run that a person named, or the one in a folder that was likely meant."""

import contextlib
import math
from pathlib import Path

from nnlab.run_directory import config_path
from nnlab.sweeping import best_job

# Runs lie that far below the folder that holds all, as in outputs/digits/sweep/job.
_DEEPEST = 4


def find_run(argument: str, path: str) -> Path:
    """A run directory that a person named.

    Args:
        argument: The name of the argument, for the message.
        path: What was named; `~` is the home folder.

    Raises:
        FileNotFoundError: It is not a run directory.
    """
    run_dir = Path(path).expanduser()
    if config_path(run_dir).is_file():
        return run_dir
    hint = _one_above(argument, run_dir) or _one_inside(run_dir)
    raise FileNotFoundError(
        f"{argument} must be a run directory, with its config in .hydra/config.yaml, "
        f"got {argument}={path}{hint or ', where nothing is' * (not run_dir.exists())}"
    )


def _one_above(argument: str, path: Path) -> str:
    """The end of a message that names the run of a checkpoint, or of the folder of checkpoints."""
    runs = [folder for folder in path.parents[:2] if config_path(folder).is_file()]
    return f"; did you mean {argument}={runs[0]}?" if runs else ""


def _one_inside(folder: Path) -> str:
    """The end of a message that names a run in a folder: a sweep's best, or else the newest."""
    if (folder / "multirun.yaml").is_file() and (job := best_job(folder)):
        return f"; the best job of that sweep is {job}"
    inside: list[Path] = []
    for depth in range(1, _DEEPEST + 1):
        with contextlib.suppress(OSError):  # of folders that vanish meanwhile, also below
            inside += [c.parents[1] for c in folder.glob("*/" * depth + ".hydra/config.yaml")]
    if not inside:
        return ""
    return f"; the newest of {len(inside)} in it is {max(inside, key=_last_worked_on)}"


def _last_worked_on(run_dir: Path) -> tuple[float, Path]:
    """When a run began or last saved something; of several at that time the last by its name."""
    files = [config_path(run_dir), *(run_dir / "checkpoints").glob("*.ckpt")]
    with contextlib.suppress(OSError):
        return max(path.stat().st_mtime for path in files), run_dir
    return -math.inf, run_dir
