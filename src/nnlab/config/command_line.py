"""The words of a command line: from what a person types to what Hydra can read.

Hydra's grammar has no room for the names of many columns (`1stFlrSF`, `birth day`, `Größe`), nor
for many texts once a shell has taken their quotes away.
"""

import re
import shlex
from collections.abc import Sequence

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import OmegaConf

from nnlab.config.column_names import spell
from nnlab.config.folders import config_folder
from nnlab.rule_types import ListOf, Rule, Text
from nnlab.rules import RULES
from nnlab.suggestions import written

MULTIRUN = {"-m", "--multirun"}
"""The words that ask for a sweep."""

_KIND = re.compile(r"\+*data\.columns\.(.*)=(.*)", re.DOTALL)
# Between commas, but not those in quotes or brackets.
_PIECES = re.compile(r"""(?:"[^"]*"|'[^']*'|\[[^\]]*\]|[^,])+""")
# What Hydra would call: `str(x)`, `choice(a,b)`.
_FUNCTION = re.compile(r"\w+\(")
_QUOTED = re.compile(r"""^(["'])(.*)\1$""", re.DOTALL)


def is_setting(word: str) -> bool:
    """Whether a word changes a setting: `SETTING=VALUE`."""
    return "=" in word and not word.startswith("-")


def rule_of(key: str) -> Rule | None:
    """The rule of a setting, such as `model.dropout`; None where it has none."""
    return RULES.get(key.lstrip("+").rpartition(".")[2])


def as_hydra_reads(arguments: Sequence[str]) -> list[str]:
    """The same words with names and texts spelled as Hydra's grammar wants them.

    Any column's name can be said: `column_names` has it back once the config is composed. A text
    that Hydra could not read, or not as a text, gets quotes where its setting takes texts; but two
    with a comma between them may be a sweep whose `-m` was forgotten.

    Raises:
        ValueError: A part that a run is made of would be null, or a word names nothing.
    """
    sweeps = bool(MULTIRUN & set(arguments))
    return [_as_hydra_reads(word, sweeps) if is_setting(word) else word for word in arguments]


def _as_hydra_reads(word: str, sweeps: bool) -> str:
    key, _, value = word.partition("=")
    if not key.strip("+~"):
        raise ValueError(f"{word!r} is no setting: write SETTING=VALUE")
    rule = rule_of(key)
    if kind := _KIND.fullmatch(word):
        # Added by force: no config could know of the column.
        key, value, rule = f"++data.columns.{spell(kind[1])}", kind[2], Text()
    elif key.lstrip("+") == "data.columns":
        key = "++data.columns"
    is_part = re.fullmatch(r"\w+", key) and (config_folder() / key).is_dir()
    if is_part and "null" in value.lower().split(","):
        raise ValueError(_no_null(key, word))
    if rule is not None and not _is_read_as_meant(value, rule, sweeps):
        value = _in_quotes(value, rule, sweeps) or value
    return f"{key}={value}"


def _is_read_as_meant(value: str, rule: Rule, sweeps: bool) -> bool:
    """Whether Hydra can read a value, and takes no text for something else, such as a number."""
    try:
        override = OverridesParser.create().parse_rule(f"key={value}", "override")
    except HydraException:
        return False
    is_text = isinstance(rule, Text) or (isinstance(rule, ListOf) and isinstance(rule.rule, Text))
    if not is_text or sweeps:
        return True
    is_function = isinstance(rule, Text) and _FUNCTION.match(value)
    if override.is_sweep_override():
        return not is_function
    return rule.allows(override.value()) and not is_function


def _in_quotes(value: str, rule: Rule, sweeps: bool) -> str | None:
    """A value with quotes around its texts, or None where the rule allows no such texts."""
    choices = _PIECES.findall(value) if sweeps else [value]
    given = choices if isinstance(rule, Text) else list(map(texts, choices))
    if not all(map(rule.allows, given)):
        return None
    # What stands for another value is to go on doing so.
    return ",".join(map(written, given)).replace(r"\${", "${")


def texts(value: str) -> str | list[str]:
    """A text, or a list of texts, that Hydra could not read: `[Größe,"a,b"]`."""
    if value.startswith("[") and value.endswith("]"):
        pieces = (piece.strip() for piece in _PIECES.findall(value[1:-1]))
        return [_QUOTED.sub(r"\2", piece) for piece in pieces]
    return value


def _no_null(group: str, word: str) -> str:
    options = sorted(path.stem for path in (config_folder() / group).glob("*.yaml"))
    return f"{group} must be one of {', '.join(options)}, got {word}; {without(group)}"


def without(group: str) -> str:
    """What to write instead of null for a folder of configs."""
    folder = config_folder()
    of_parts = OmegaConf.load(folder / "train.yaml").defaults
    default = next((part[group] for part in of_parts if group in part), None)
    if default is None:
        return "leave it out"
    parts = [str(key) for key in OmegaConf.load(folder / group / f"{default}.yaml")]
    # Several things, each of which may be left out, or a single one, which has to be there.
    is_one = "_target_" in parts or "defaults" in parts
    return f"write {group}={default}" if is_one else f"write {group}.{parts[0]}=null"


def list_meant(key: str, value: str) -> str | None:
    """A setting of the list that a text such as `(64,64)` stands for, if its rule allows that."""
    rule = rule_of(key)
    inner = value.strip(" ()[]{}")
    pieces = [
        piece.strip() for piece in re.split("[,;]" if re.search("[,;]", inner) else r"\s", inner)
    ]
    found = f"[{','.join(pieces)}]"
    if rule is None or not all(pieces) or not _is_read_as_meant(found, rule, sweeps=False):
        return None
    override = OverridesParser.create().parse_rule(f"key={found}", "override")
    return shlex.quote(f"{key}={found}") if rule.allows(override.value()) else None
