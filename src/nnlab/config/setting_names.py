"""The full names of settings: `optimizer.lr`, which a person may have called `learning-rate`."""

from collections.abc import Iterator, Sequence
from typing import Any

import hydra
from omegaconf import OmegaConf

from nnlab.config.folders import config_folder
from nnlab.suggestions import closest


def full_name(name: str) -> str:
    """The setting of the default config that is most like a name; the name if none is."""
    with hydra.initialize_config_dir(str(config_folder()), version_base="1.3"):
        paths = list(setting_paths(OmegaConf.to_container(hydra.compose("train"))))
    name = name.replace("-", "_")
    group, _, key = name.rpartition(".")
    if group:  # another option of it may have this very name
        return meant_path(key, [path for path in paths if path.rpartition(".")[0] == group]) or name
    return name if name in paths else meant_path(key, paths) or name


def meant_path(key: str, paths: Sequence[str]) -> str | None:
    """Of full names the first one whose last part is most like a key; None where none is."""
    by_leaf = {path.rpartition(".")[2]: path for path in reversed(paths)}
    found = closest(key, by_leaf)
    return None if found is None else by_leaf[found]


def setting_paths(node: Any, prefix: str = "") -> Iterator[str]:
    """The full names of all settings, those that are nearer to the top first."""
    if isinstance(node, dict):
        entries = {f"{prefix}{key}": value for key, value in node.items()}
        yield from (path for path in entries if path not in ("hydra", f"{prefix}_target_"))
        for path, value in entries.items():
            if path != "hydra":
                yield from setting_paths(value, f"{path}.")
