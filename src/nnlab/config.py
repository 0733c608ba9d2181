"""From a Hydra config to objects: where configs lie, what they may say, what they build."""

import importlib
import inspect
import re
from pathlib import Path
from typing import Any, TypeVar

from omegaconf import DictConfig, Node, OmegaConf
from omegaconf.basecontainer import BaseContainer
from omegaconf.errors import InterpolationResolutionError
from omegaconf.resolvers import oc

from nnlab.column_names import restore
from nnlab.interpolations import few_interpolations
from nnlab.rules import RULES, check, mode_of
from nnlab.suggestions import command, did_you_mean, setting
from nnlab.trust import check_connections, check_places, check_requests, require_trusted

Built = TypeVar("Built")

_PACKAGE = Path(__file__).parent


def config_folder() -> Path:
    """The configs: inside an installed package, or at the root of a checkout."""
    installed = _PACKAGE / "configs"
    return installed if installed.is_dir() else _PACKAGE.parents[1] / "configs"


def register_resolvers() -> None:
    """Teach OmegaConf the functions that nnlab's configs call."""
    OmegaConf.register_new_resolver("nnlab.embedded", _embedded, replace=True)
    OmegaConf.register_new_resolver("nnlab.mode", mode_of, replace=True)
    OmegaConf.register_new_resolver("nnlab.slug", _slug, replace=True)
    OmegaConf.register_new_resolver("nnlab.command", command, replace=True)
    OmegaConf.register_new_resolver("nnlab.sweep_name", _sweep_name, replace=True)
    OmegaConf.register_new_resolver("nnlab.new_folder", _folder_of_runs, replace=True)


def _embedded(name: str) -> str:
    """Path of data that ships with the package."""
    return str(_PACKAGE / "data" / "embedded" / name)


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


new_folders: list[Path] = []
"""The run and sweep directories that this process has made."""


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


def check_config(cfg: DictConfig) -> None:
    """Check what can be checked of a config without loading torch.

    Raises:
        ValueError: A value is missing, breaks its rule, or cannot be worked out, or a `_target_`
            is not of a trusted package.
    """
    try:
        with few_interpolations():
            plain = OmegaConf.to_container(cfg, resolve=True)
            missing = sorted(OmegaConf.missing_keys(cfg))
    except InterpolationResolutionError as error:
        raise ValueError(
            f"{error.full_key} cannot be worked out: {resolution_message(error)}"
        ) from error
    if missing:
        example = " ".join(f"{key}=VALUE" for key in missing)
        raise ValueError(f"{' and '.join(missing)} must be given: add {example} to the command")
    _check_node("", plain)
    if isinstance(plain, dict):
        check_requests(OmegaConf.to_container(cfg), plain)
        for group in ("callbacks", "logger", "trainer"):
            check_places(group, plain.get(group))


def _check_node(path: str, node: Any) -> None:
    if not isinstance(node, dict):
        return
    # Plain values first: `seed` itself before the settings that take its value.
    for key, value in sorted(node.items(), key=lambda item: isinstance(item[1], dict)):
        where = f"{path}.{key}" if path else str(key)
        if key == "_target_":
            require_trusted(where, value)
            continue
        try:
            check(**{str(key): value})
        except ValueError as error:
            # The rule knows the setting's name; the person typed the whole path.
            message = str(error).replace(f" {key}=", f" {where}=")
            raise ValueError(message + _as_text(where, str(key), value)) from None
        if key not in RULES:  # whose values are no settings: a column may have any name
            _check_node(where, value)


def _as_text(where: str, key: str, value: Any) -> str:
    """How to write numbers that are meant as text: a shell takes quotes away, Hydra needs them."""
    given = value if isinstance(value, list) else [value]
    texts = [str(item) for item in given]
    meant = texts if isinstance(value, list) else texts[0]
    if any(item is None for item in given) or not RULES[key].allows(meant):
        return ""
    return f"; write {setting(where, meant)}"


def target_class(node: DictConfig, base: type[Built]) -> type[Built]:
    """The class that a node's `_target_` names.

    Args:
        node: A config with `_target_`.
        base: What it must be a subclass of.

    Raises:
        ValueError: It is not trusted, not there, or not such a class.
    """
    target = node._target_
    require_trusted("_target_", target)
    module, _, name = target.rpartition(".")
    try:
        # Not through attributes of attributes: `torch.os.system` is not torch's.
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(f"_target_ must be a class that exists, got {target}: {error}") from error
    if not (isinstance(found, type) and issubclass(found, base)):
        raise ValueError(f"_target_ must be a {base.__name__}, got {target}")
    return found


def build(node: DictConfig, base: type[Built], *given: Any, **more: Any) -> Built:
    """Make the object that a node describes.

    Only of a class of the expected kind, and without nested `_target_`s: a config that came from
    elsewhere must not be able to run what it likes.

    Args:
        node: A config: `_target_`, and the constructor's arguments by their names.
        base: What the object must be an instance of.
        *given: Arguments that no config can know, by position.
        **more: Arguments that no config can know, by name.

    Raises:
        ValueError: The node does not fit the constructor, or has what no config can know, or the
            constructor refuses a value.
    """
    from lightning.fabric.utilities.exceptions import MisconfigurationException  # loads torch

    cls = target_class(node, base)
    check_connections(node._target_, cls)
    arguments = plain_arguments(node)
    if twice := sorted(arguments.keys() & more.keys()):
        raise ValueError(
            f"{cls.__name__}: {' and '.join(twice)} must not be in the config, because nnlab sets "
            "it; leave it out"
        )
    arguments |= more
    signature = inspect.signature(cls)
    try:
        signature.bind(*given, **arguments)
    except TypeError as error:
        unknown = [name for name in arguments if name not in signature.parameters]
        hint = did_you_mean(unknown[0], signature.parameters) if unknown else ""
        raise ValueError(f"{cls.__name__}: {error}{hint}") from error
    try:
        return cls(*given, **arguments)
    except (ValueError, ArithmeticError, ImportError, MisconfigurationException) as error:
        raise ValueError(f"{cls.__name__}: {first_line(error)}") from error


def takes(node: DictConfig, argument: str) -> bool:
    """Whether the class of a node has a constructor argument of this name."""
    return argument in inspect.signature(target_class(node, object)).parameters


def plain_arguments(node: DictConfig) -> dict[str, Any]:
    """A node's arguments as plain Python data, without `_target_`."""
    plain = OmegaConf.to_container(node, resolve=True)
    if not isinstance(plain, dict):
        raise TypeError(f"a config with settings was expected, got {plain!r}")
    return {str(key): value for key, value in plain.items() if key != "_target_"}


def reads_environment(node: DictConfig, key: str) -> bool:
    """Whether a setting takes its value from an environment variable, however many steps away.

    That may be a secret; the config that is saved holds the variable's name, not its value.
    """
    names = []

    def noticing(*name_and_default: Any) -> str | None:
        names.append(name_and_default[0])
        return oc.env(*name_and_default)

    OmegaConf.register_new_resolver("oc.env", noticing, replace=True)
    try:
        value = node[key]
        if OmegaConf.is_config(value):
            OmegaConf.to_container(value, resolve=True)
    finally:
        OmegaConf.register_new_resolver("oc.env", oc.env, replace=True)
    return bool(names)


def first_line(error: BaseException) -> str:
    """The first line of an error's message."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def resolution_message(error: InterpolationResolutionError) -> str:
    """What a resolver had to say; OmegaConf puts it behind words of its own."""
    line = first_line(error)
    return line.partition("while resolving interpolation: ")[2] or line
