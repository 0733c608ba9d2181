"""Where configs lie, and the folders that runs are made in."""

import re
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parents[1]


def config_folder() -> Path:
    """The configs: inside an installed package, or at the root of a checkout."""
    installed = PACKAGE / "configs"
    return installed if installed.is_dir() else PACKAGE.parents[1] / "configs"


new_folders: list[Path] = []
"""The run and sweep directories that this process has made."""


def new_folder(parent: Any, name: Any, choice: str, time: str) -> Path:
    """Make the folder `parent/name/time`, or `..._2` and so on where that is taken.

    Making it is what claims it: two runs that start in the same second get two folders.
    """
    name = choice if name is None else str(name)
    if not re.fullmatch(r"\w[\w .=+-]*", name):
        raise ValueError(f"name must be the name of a folder, not a path, got name={name}")
    base = Path(str(parent)) / name
    try:
        base.mkdir(parents=True, exist_ok=True)
        folder = _make_first(base / time)
    except OSError as error:
        raise ValueError(
            f"output_dir must be a folder that can be written, got output_dir={parent} "
            f"({error.filename}: {error.strerror}); name another with output_dir=FOLDER"
        ) from error
    new_folders.append(folder.resolve())
    return folder


def _make_first(folder: Path) -> Path:
    """Make the first of `folder`, `folder_2` and so on that is not there."""
    path, number = folder, 1
    while True:
        try:
            path.mkdir()
        except FileExistsError:
            number += 1
            path = folder.with_name(f"{folder.name}_{number}")
        else:
            return path
