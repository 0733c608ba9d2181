"""A person's mistake in one line: the thing, the rule, the value, and the way out."""

import inspect
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra.errors import MissingConfigException, OverrideParseException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, InterpolationResolutionError

from nnlab.config import config_folder, resolution_message, target_class
from nnlab.config.column_names import restore
from nnlab.config.command_line import list_meant, rule_of, texts, without
from nnlab.config.setting_names import full_name, meant_path, setting_paths
from nnlab.rule_types import Either, ListOf
from nnlab.suggestions import closest, did_you_mean, setting

# What Hydra takes for the name of a setting or of a part.
_NAME = re.compile(r"[+~]{0,2}[A-Za-z_$][\w$-]*([./][\w$-]+)*(@[\w.]+)?", re.ASCII)

# How people write null.
_NOTHING = ("none", "no", "off", "false", "nothing")


def explain(error: BaseException) -> str:
    """An error in one line; a mistake in a setting's name with the closest match."""
    if isinstance(error, MissingConfigException) and error.options and error.missing_cfg_file:
        return _no_such_option(error.missing_cfg_file, error.options)
    if isinstance(error, OverrideParseException):
        return _unreadable(restore(error.override or ""))
    cause = error.__cause__
    if isinstance(cause, (ConfigKeyError, ConfigAttributeError)) and isinstance(
        cause.parent_node, DictConfig
    ):
        word = str(error).partition("To append to your config use ")[2].partition("\n")[0]
        return _no_such_setting(cause.parent_node, str(cause.full_key), word)
    if isinstance(error, InterpolationResolutionError):
        return resolution_message(error)
    if isinstance(error, (ConfigKeyError, ConfigAttributeError)) and error.full_key:
        return (
            f"{error.full_key} must be there, but the config has none; give it, or leave out what "
            "removes it"
        )
    message = " ".join(str(error).split())
    if "@experiment." in message:
        return f"{message}; an experiment's file must begin with the line '# @package _global_'"
    if several := re.match(r"Ambiguous value for argument '(.*)' 1\. To use it as a list", message):
        return _several_values(restore(several[1]))
    return message


def _no_such_option(missing: str, options: Sequence[str]) -> str:
    group, _, name = missing.partition("/")  # what was typed may be a path
    if group == "hydra":  # whose parts have parts
        group, _, name = missing.rpartition("/")
    if group == "data" and _is_table(name):
        hint = f"; write {_train_on(name)}"
    elif name.lower() in _NOTHING:
        hint = f"; {without(group)}"
    else:
        hint = did_you_mean(name, options)
    return f"{group} must be one of {', '.join(options)}, got {group}={name}{hint}"


def _is_table(name: str) -> bool:
    return Path(name).suffix.lower() in (".csv", ".tsv", ".txt", ".gz", ".parquet", ".pq")


def _train_on(table: str) -> str:
    return f"data=csv {setting('data.path', table)} data.target=COLUMN"


def _unreadable(word: str) -> str:
    """What to write instead of a word that Hydra cannot read."""
    key, is_setting, value = word.partition("=")
    if not is_setting:
        return f"{key!r} is no setting: write " + (
            _train_on(key) if _is_table(key) else "SETTING=VALUE"
        )
    if not _NAME.fullmatch(key):
        return f"there is no setting {key.lstrip('+~')}; --help shows all there are"
    if key.lstrip("+") == "data.columns":
        return f"cannot read {word.lstrip('+')!r}: write data.columns.NAME=KIND for each column"
    if any(value.count(left) != value.count(right) for left, right in ("[]", "{}", "()")):
        return f"cannot read {word!r}: close its brackets"
    if (rule := rule_of(key)) is not None:
        way_out = list_meant(key, value)
        name = key.rpartition(".")[2]
        return f"{name} must be {rule}, got {word}" + (f"; write {way_out}" if way_out else "")
    if value.startswith("{"):
        return f"cannot read {word!r}: put quotes around special characters"
    return f"cannot read {word!r}: write {setting(key, texts(value))}"


def _several_values(word: str) -> str:
    """What to do about commas in a single run."""
    key, _, value = word.lstrip("+").partition("=")
    rule = rule_of(key)
    way_out = "add -m to try each"
    with_point = value.replace(",", ".")
    if re.fullmatch(r"[+-]?\d+,\d+", value) and rule and rule.allows(float(with_point)):
        way_out = f"write {key}={with_point}, or {way_out}"
    elif key.startswith("data.columns.") or (rule is not None and rule.allows(value)):
        way_out += f", or write {setting(key, value)}"
    elif isinstance(rule, (ListOf, Either)):
        way_out += f", or write {shlex.quote(f'{full_name(key)}=[{value}]')}"
    return f"{key} must have one value in a single run, got {key}={value}; {way_out}"


def _no_such_setting(node: DictConfig, full_key: str, word: str) -> str:
    """Where a setting that is not there may be: in another option, under another name."""
    there = f"there is no setting {full_key}"
    where, _, key = full_key.rpartition(".")
    if others := _options_with(where, key):
        return f"{there} with this {where}; add {' or '.join(others)}, which has it"
    paths = list(setting_paths(OmegaConf.to_container(node._get_root())))
    if same := [path for path in paths if path.rpartition(".")[2] == key]:
        return f"{there}; did you mean '{same[0]}'?"
    own = [str(name) for name in node if name not in ("hydra", "_target_")]
    more = [name for name in _more_arguments(node) if name not in own]
    if key in more and word:
        return f"{there} unless it is added: write {shlex.quote(word)}"
    if found := closest(key, [*own, *more]):
        meant = f"+{where}.{found}" if found in more else found
        return f"{there}; did you mean '{meant}'? ({', '.join(own)})"
    if found := meant_path(key, paths):
        return f"{there}; did you mean '{found}'?"
    return there + (f" ({', '.join(own)})" if own else "")


def _options_with(group: str, key: str) -> list[str]:
    """The options of a part that have a setting: `scheduler=plateau` has `patience`."""
    files = sorted((config_folder() / group).glob("*.yaml")) if re.fullmatch(r"\w+", group) else []
    has: dict[str, Any] = {f.stem: OmegaConf.to_container(OmegaConf.load(f)) or {} for f in files}
    found = [option for option, settings in has.items() if key in settings]
    # Where it has no value yet, it is meant to be given.
    is_open = [option for option in found if has[option][key] == "???"]
    return [f"{group}={option}" for option in is_open or found]


def _more_arguments(node: DictConfig) -> list[str]:
    """What may be added to a node: arguments that the config does not name.

    nnlab's own classes have all of theirs in the configs, so that torch need not be loaded.
    """
    if str(node.get("_target_", "nnlab.")).startswith("nnlab."):
        return []
    try:
        return list(inspect.signature(target_class(node, object)).parameters)
    except (ImportError, ValueError):
        return []
