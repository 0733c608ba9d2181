"""What a config that comes from elsewhere may name: classes, places, addresses."""

import os
import re
from collections.abc import Container, Sequence
from pathlib import Path
from typing import Any

from nnlab.paths import cache_folder, is_in_cache
from nnlab.suggestions import setting

_TRUSTED = ("nnlab", "torch.optim", "torch.nn", "lightning", "torchmetrics")
_LOCAL_LOGGERS = ("CSVLogger", "TensorBoardLogger")
_FILES = ("train_images", "train_labels", "test_images", "test_labels")
_FIELD = re.compile(r"{[\w/ -]+(:\d*(\.\d+)?[a-z]?)?}")


def require_trusted(where: str, target: Any, packages: Sequence[str] = _TRUSTED) -> None:
    """Refuse to run what is of no trusted package, before it is imported.

    Args:
        where: The setting.
        target: The dotted name that it has.
        packages: Those trusted beside the ones in the variable NNLAB_TRUSTED_PACKAGES.

    Raises:
        ValueError: It is of another package.
    """
    trusted = (*packages, *_own_packages())
    if not _is_of(target, trusted):
        raise ValueError(
            f"{where} must be of a trusted package ({', '.join(trusted) or 'none is'}), got "
            f"{target}; to use your own, set the environment variable "
            "NNLAB_TRUSTED_PACKAGES=your_package"
        )


def check_downloads(cfg: Any, typed: Container[str]) -> None:
    """Refuse to download into a folder that neither is the cache nor was typed.

    Which config files are a person's own cannot be told, so each may name a folder to read from,
    but none a folder to write to.

    Args:
        cfg: A config; its `data` may have `root`, `mirrors` and the names of files.
        typed: The settings that the command line names.

    Raises:
        ValueError: A file would be downloaded into such a folder.
    """
    data = cfg.get("data") or {}
    if not data.get("mirrors") or not data.get("root") or "data.root" in typed:
        return
    root = Path(str(data["root"])).expanduser()
    if is_in_cache(root):
        return
    names = [str(data[key]) for key in _FILES if data.get(key) is not None]
    missing = [n for n in names if not any((root / f"{n}{end}").is_file() for end in ("", ".gz"))]
    if missing:
        raise ValueError(
            f"data.root must be in {cache_folder()} or be given on the command line for files to "
            f"be downloaded into it, got data.root={root} from a config file, without "
            f"{missing[0]}; if that is where they are to go, add "
            f"{setting('data.root', str(root))} to the command"
        )


def check_requests(raw: Any, plain: dict[Any, Any]) -> None:
    """Refuse variables, which may be secrets, in what a download tells to its server.

    Args:
        raw: A config as it is written.
        plain: The same with its interpolations resolved.

    Raises:
        ValueError: An address or the name of a file is not written out.
    """
    data = plain.get("data")
    if not isinstance(data, dict) or not data.get("mirrors"):
        return
    written = raw["data"] if isinstance(raw["data"], dict) else {}
    for key in ("mirrors", *_FILES):
        if written.get(key) != data.get(key):
            raise ValueError(
                f"data.{key} must be written out, because it is sent over the network, got "
                f"data.{key}={written.get(key, raw['data'])}"
            )


def check_connections(target: str, cls: type) -> None:
    """Refuse loggers that open connections, unless the person trusts their very package.

    Args:
        target: The dotted name of a class.
        cls: The class.

    Raises:
        ValueError: It is such a logger.
    """
    package = "lightning.pytorch.loggers"
    sends = cls.__module__.startswith(f"{package}.") and cls.__name__ not in _LOCAL_LOGGERS
    if sends and not _is_of(target, _own_packages()):
        raise ValueError(
            f"_target_ must be a logger that sends nothing ({', '.join(_LOCAL_LOGGERS)}), got "
            f"{target}; if you want it, set the environment variable "
            f"NNLAB_TRUSTED_PACKAGES={target.rpartition('.')[0]}"
        )


def check_places(where: str, node: Any) -> None:
    """Refuse what Lightning and its kin could take for a place outside the run directory.

    Args:
        where: The setting.
        node: What it holds.

    Raises:
        ValueError: A text in it is a way out.
    """
    if isinstance(node, dict):
        if "_target_" in node and not _is_of(node["_target_"], _TRUSTED):
            return  # of a package that the person trusts
        for key, value in node.items():
            check_places(f"{where}.{key}", value)
    elif isinstance(node, list):
        for value in node:
            check_places(where, value)
    elif isinstance(node, str):
        # What Lightning fills in: names, not the ways from there to any text.
        if not all(map(_FIELD.fullmatch, re.findall(r"{.*?}", node))):
            raise ValueError(
                f"{where} must name metrics plainly in braces, as {{epoch}} or {{val/loss:.3f}}, "
                f"got {node}"
            )
        parts = re.split(r"[/\\]", node)
        if ".." in parts or node.startswith(("/", "~", "\\")) or Path(node).is_absolute():
            raise ValueError(
                f"{where} must stay in the run directory: not an absolute path, and without .., "
                f"got {node}"
            )


def _own_packages() -> list[str]:
    return os.environ.get("NNLAB_TRUSTED_PACKAGES", "").replace(",", " ").split()


def _is_of(target: Any, packages: Sequence[str]) -> bool:
    return any(str(target).startswith(f"{package}.") for package in packages)
