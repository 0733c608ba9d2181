"""The folder of a sweep: what began it, also while Hydra writes that again."""

import contextlib
import re
from pathlib import Path
from typing import Any

from nnlab.atomic import replacing
from nnlab.config.column_names import restore
from nnlab.run_directory import load_yaml

# What nnlab itself has Hydra do in a sweep.
_ADDED = ("hydra.job.config.override_dirname.exclude_keys=", "hydra.mode=", "hydra.sweep.dir=")


def load_sweep(sweep_dir: Path) -> list[str]:
    """The `setting=values` words that began the sweep in a sweep directory; none elsewhere.

    Raises:
        ValueError: The file that should hold them does not.
    """
    path, before = _sweep_files(sweep_dir)
    if not path.is_file() and not before.is_file():
        return []
    try:
        return _sweep_words(path)
    except (FileNotFoundError, ValueError):
        if not before.is_file():
            raise
        return _sweep_words(before)


def swept_in_files(sweep_dir: Path) -> list[str]:
    """The `setting=values` that configs have a sweep vary, beside what `load_sweep` gives."""
    for path in _sweep_files(sweep_dir):
        with contextlib.suppress(FileNotFoundError, ValueError):
            match load_yaml(path):
                case {"hydra": {"sweeper": {"params": dict(params)}}}:
                    return [f"{name}={values}" for name, values in params.items()]
    return []


def keep_sweep(sweep_dir: str | Path) -> None:
    """Keep a copy of what began a sweep: Hydra writes it anew when the sweep goes on.

    Until `forget_kept_sweep` it serves `load_sweep` if that does not come to its end.

    Raises:
        OSError: It cannot be written.
    """
    path, before = _sweep_files(Path(sweep_dir))
    with contextlib.suppress(FileNotFoundError, ValueError):  # else the copy is what there is
        _sweep_words(path)
        with replacing(before) as file:
            file.write(path.read_bytes())


def forget_kept_sweep(sweep_dir: Path) -> None:
    """Remove the copy, as the sweep has been written."""
    _sweep_files(sweep_dir)[1].unlink(missing_ok=True)


def _sweep_files(sweep_dir: Path) -> tuple[Path, Path]:
    return sweep_dir / "multirun.yaml", sweep_dir / "multirun_before.yaml"


def _sweep_words(path: Path) -> list[str]:
    match load_yaml(path):
        case {"hydra": {"overrides": {"task": [*_], "hydra": [*more]}}} if others := [
            word for word in more if not str(word).startswith(_ADDED)
        ]:
            raise ValueError(
                f"a sweep that sets something of Hydra's cannot be resumed, got {others[0]} in "
                f"{path}; resume its runs one by one"
            )
        case {"hydra": {"overrides": {"task": [*words]}}} if all(map(_is_own_setting, words)):
            return [_restore_name(word) for word in words]
    raise ValueError(f"{path} must hold the settings of a sweep as Hydra writes them")


def _is_own_setting(word: Any) -> bool:
    """Whether a word sets something of nnlab's.

    A sweep from elsewhere does not configure Hydra, or say where data is downloaded from.
    """
    ours = r"(?!hydra\b|data\.mirrors\b|data=\{)"
    pattern = rf"[+~]*{ours}\w[^=]*=|~{ours}[\w.]+$"
    return isinstance(word, str) and bool(re.match(pattern, word))


def _restore_name(word: str) -> str:
    """A setting as it was typed, if it names a column."""
    name, mark, value = word.partition("=")
    return restore(name) + mark + value
