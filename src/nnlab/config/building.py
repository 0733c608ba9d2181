"""From a config to the objects that it describes."""

import importlib
import inspect
from typing import Any, TypeVar

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import InterpolationResolutionError
from omegaconf.resolvers import oc

from nnlab.config.trust import check_connections, require_trusted
from nnlab.errors import first_line, without_allocator
from nnlab.suggestions import did_you_mean

Built = TypeVar("Built")


def target_class(node: DictConfig, base: type[Built]) -> type[Built]:
    """The class that a node's `_target_` names.

    Args:
        node: A config with `_target_`.
        base: What it must be a subclass of.

    Raises:
        ValueError: It is not trusted, not there, or not such a class.
    """
    return named_class(node._target_, base, f"{node._get_full_key('')}._target_".lstrip("."))


def named_class(target: str, base: type[Built], where: str) -> type[Built]:
    """The class of a name such as `nnlab.models.SupervisedModule`.

    Args:
        target: The name.
        base: What it must be a subclass of.
        where: Where the name stands, for the message.

    Raises:
        ValueError: It is not trusted, not there, or not such a class.
    """
    require_trusted(where, target)
    module, _, name = target.rpartition(".")
    try:
        # Not through attributes of attributes: `torch.os.system` is not torch's.
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(f"{where} must be a class that exists, got {target}: {error}") from error
    if not (isinstance(found, type) and issubclass(found, base)):
        known = f"{base.__module__.rpartition('.')[0] or base.__module__}.{base.__name__}"
        raise ValueError(f"{where} must name {known} or a class derived from it, got {target}")
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
    except (
        ValueError,
        ImportError,
        RuntimeError,  # how torch refuses, or runs out of memory
        MisconfigurationException,
    ) as error:
        raise ValueError(f"{cls.__name__}: {without_allocator(error)}") from error
    except ArithmeticError as error:  # such as OneCycleLR's of a rise of exactly one step
        values = ", ".join(f"{name}={value}" for name, value in arguments.items())
        raise ValueError(
            f"{cls.__name__}: {first_line(error)} with {values}; change one of these"
        ) from error
    except TypeError as error:
        if cls.__module__.startswith("nnlab."):
            raise  # which has checked its arguments, so that it is a bug
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


def resolution_message(error: InterpolationResolutionError) -> str:
    """What a resolver had to say; OmegaConf puts it behind words of its own."""
    line = first_line(error)
    return line.partition("while resolving interpolation: ")[2] or line
