"""The functions that nnlab's configs call."""

import re
from typing import Any

from omegaconf import Node, OmegaConf
from omegaconf.basecontainer import BaseContainer

from nnlab.config.column_names import restore
from nnlab.config.folders import PACKAGE, new_folder
from nnlab.rules import mode_of
from nnlab.suggestions import command


def register_resolvers() -> None:
    """Teach OmegaConf the functions that nnlab's configs call."""
    OmegaConf.register_new_resolver("nnlab.embedded", _embedded, replace=True)
    OmegaConf.register_new_resolver("nnlab.mode", _mode, replace=True)
    OmegaConf.register_new_resolver("nnlab.slug", _slug, replace=True)
    OmegaConf.register_new_resolver("nnlab.command", command, replace=True)
    OmegaConf.register_new_resolver("nnlab.sweep_name", _sweep_name, replace=True)
    OmegaConf.register_new_resolver("nnlab.new_folder", _folder_of_runs, replace=True)


def _embedded(name: str) -> str:
    """Path of data that ships with the package."""
    return str(PACKAGE / "data" / "embedded" / name)


def _mode(monitor: str | None, *, _root_: BaseContainer) -> str | None:
    """Whether a metric's best value is its `min` or `max`; of one's own metric what `mode` says."""
    said = OmegaConf.select(_root_, "mode") if OmegaConf.is_dict(_root_) else None
    return mode_of(monitor, said)


def _slug(overrides: str) -> str:
    """The end of a folder name that tells a sweep's jobs apart: `_dropout-0.2_optimizer-sgd`."""
    short = re.sub(r"(?:^|(?<=,))\+*(?:[\w.@/]*[./](?=[\w$-]+=))?", "", overrides)
    short = restore(short.replace(",", "_").replace("=", "-").replace('"', ""))
    slug = re.sub(r"[^\w.+-]+", "-", short)[:100].strip("-")
    return f"_{slug}" if slug else ""


def _sweep_name(words: Any, choice: str) -> str:
    """What the folder of a sweep is called: the data, or what varies in its place."""
    given = dict(str(word).partition("=")[::2] for word in OmegaConf.to_container(words) or ())
    for key in ("name", "experiment", "data"):
        if re.search(r"[,(]", given.get(key, "")):
            return re.sub(r"[^\w.+-]+", "_", given[key]).strip("_")[:100]
    return choice


def _folder_of_runs(*name: Any, _node_: Node, _root_: BaseContainer) -> str:
    """Make a new folder for a run or a sweep, and nowhere else: configs are read to be looked at.

    It is made once, because all uses of the setting within a run mean the same folder.
    """
    setting = _node_._get_full_key(None)
    if setting not in ("hydra.run.dir", "hydra.sweep.dir"):
        raise ValueError("nnlab.new_folder makes the folders of runs, nothing else")
    made = OmegaConf.get_cache(_root_)["nnlab.new_folder"]
    if setting not in made:
        made[setting] = str(new_folder(*name))
    return str(made[setting])
