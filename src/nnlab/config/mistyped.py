"""Words of a command line that cannot be meant as they are: how they are written."""

import re
import shlex
from argparse import ArgumentError
from collections.abc import Sequence
from itertools import takewhile

from hydra._internal.utils import get_args_parser

from nnlab.config.command_line import MULTIRUN, is_setting, list_meant, rule_of
from nnlab.config.folders import config_folder
from nnlab.config.setting_names import full_name
from nnlab.rule_types import Text
from nnlab.suggestions import closest, command


def refuse_mistyped(arguments: Sequence[str]) -> None:
    """Say how settings are written to who writes them otherwise.

    Raises:
        ValueError: A setting has dashes or blanks, no value, or several in its quotes, is a list
            that a shell has taken apart, or of another command.
    """
    _refuse_quotes(arguments)
    _refuse_without_value(arguments)
    refuse_blanks(arguments)
    refuse_dashes(arguments)
    _refuse_run(arguments)
    _refuse_repeated(arguments)


def _refuse_quotes(arguments: Sequence[str]) -> None:
    """Refuse several settings in one word, as quotes make of them."""
    parts = {folder.name for folder in config_folder().iterdir() if folder.is_dir()}
    for word in arguments:
        key, _, value = word.partition("=")
        # A column may be called a b=c.
        others = re.findall(r"\s[+~]?([a-z_]+(?:\.\w+)*)=", value)
        are_known = any(other in parts or ("." in other and rule_of(other)) for other in others)
        begins = key in parts or (rule_of(key) and not isinstance(rule_of(key), Text))
        is_free = key.startswith("data.columns.") or value.startswith(tuple("[({'\""))
        if begins and are_known and not is_free:
            raise ValueError(f"each setting is a word of its own, got {word!r}; write {word}")


def _refuse_without_value(arguments: Sequence[str]) -> None:
    """Refuse a setting whose value stands in the next word."""
    for before, word, value in zip(["", *arguments], arguments, arguments[1:], strict=False):
        is_named = word == "resume" or ("." in word and rule_of(word) is not None)
        is_alone = "=" not in word and not word.startswith("~") and not before.startswith("-")
        if is_named and is_alone and not is_setting(value) and value[:1] not in ("-", "~"):
            way_out = shlex.quote(f"{word}={value}")
            raise ValueError(
                f"a setting and its value are one word, got {word} {value}; write {way_out}"
            )


def refuse_blanks(arguments: Sequence[str]) -> None:
    """Refuse a setting that its blanks have cut into several words.

    Raises:
        ValueError: A word goes on with the one before.
    """
    for place in range(len(arguments)):
        typed = arguments[place]
        for word in arguments[place + 1 :]:
            if not _goes_on(typed, word):
                break
            typed += f" {word}"
        if typed != arguments[place]:
            key, _, value = typed.partition("=")
            if not isinstance(rule_of(key.strip()), Text) or MULTIRUN & set(arguments):
                value = re.sub(r"\s*,\s*", ",", value)
            if re.fullmatch(r"\[[-+.\de\s]+\]", value):
                value = f"[{','.join(value[1:-1].split())}]"
            setting = shlex.quote(f"{key.strip()}={value.strip()}")
            raise ValueError(f"a blank ends a setting, got {typed}; write {setting}")


def _goes_on(typed: str, word: str) -> bool:
    """Whether a word belongs to a setting that was typed before it."""
    if typed.startswith("-") or is_setting(word.lstrip("=")):
        return False
    if word.startswith("="):
        return True
    is_open = any(typed.count(left) > typed.count(right) for left, right in ("[]", "{}", "()"))
    if not is_setting(typed) or (word.startswith("-") and not is_open):
        return False
    is_text = isinstance(rule_of(typed.partition("=")[0].strip()), Text)
    return is_open or is_text or typed.endswith(("=", ",")) or word.startswith(",")


def refuse_dashes(arguments: Sequence[str]) -> None:
    """Refuse options that Hydra has not.

    Raises:
        ValueError: A word begins with a dash and is no option of Hydra's, or not as Hydra has it.
    """
    parser = get_args_parser()
    parser.exit_on_error = parser.allow_abbrev = False  # it would print its usage
    try:
        _, unknown = parser.parse_known_args(arguments)
    except ArgumentError as error:
        raise ValueError(f"{error}; see --help") from error
    for place, word in enumerate(arguments):
        if word in unknown and word in ("--m", "--multi"):
            raise ValueError(
                f"several values are tried with -m or --multirun, got {word}; write -m"
            )
        if word in unknown and word.startswith("-"):
            typed, name, value = _without_dashes(arguments[place:])
            raise _has_dashes(typed, full_name(name), value)


def refuse_options(
    arguments: Sequence[str], *, names: Sequence[str], needed: Sequence[str]
) -> None:
    """Say how the settings of a command on a run are written to who writes them otherwise.

    Args:
        arguments: The words of its command line.
        names: The settings that it takes.
        needed: Those among them that it cannot do without.

    Raises:
        ValueError: A setting has dashes or blanks, or a value is there without its setting.
    """
    refuse_blanks(arguments)
    missing = [name for name in needed if not any(w.startswith(f"{name}=") for w in arguments)]
    for place, word in enumerate(arguments):
        if word.startswith("-"):
            typed, name, value = _without_dashes(arguments[place:])
            if found := closest(name.replace("-", "_"), names):
                raise _has_dashes(typed, found, value)
        elif word.startswith("resume=") and "run" in missing:
            way_out = shlex.quote(f"run={word.partition('=')[2]}")
            raise ValueError(f"resume is of training, got {word}; write {way_out}")
        elif "=" not in word and missing:
            setting = shlex.quote(f"{missing[0]}={word}")
            raise ValueError(f"{word!r} is no setting: write {setting}")


def _without_dashes(arguments: Sequence[str]) -> tuple[str, str, str]:
    """Of words that begin with an option: it with its values, and its name and value."""
    word, *others = arguments
    name, is_whole, value = word.lstrip("-").partition("=")
    following = [] if is_whole else list(takewhile(_is_value, others))
    return " ".join([word, *following]), name, value or ",".join(following) or "VALUE"


def _has_dashes(typed: str, name: str, value: str) -> ValueError:
    setting = list_meant(name, value) or shlex.quote(f"{name}={value}")
    return ValueError(f"settings are written without dashes, got {typed}; write {setting}")


def _is_value(word: str) -> bool:
    return not word.startswith("-") and not is_setting(word)


def _refuse_run(arguments: Sequence[str]) -> None:
    """Tell who names a run, as other commands want it, how training goes on with it."""
    for word in arguments:
        name, _, run_dir = word.partition("=")
        if name == "run":
            raise ValueError(
                f"there is no setting run, got {word}; write {shlex.quote(f'resume={run_dir}')} to "
                f"go on with it, or {command('evaluate')} {shlex.quote(word)} to test it"
            )


def _refuse_repeated(arguments: Sequence[str]) -> None:
    """Refuse a list that a shell has made several settings of."""
    given: dict[str, list[str]] = {}
    for word in filter(is_setting, arguments):
        key, _, value = word.partition("=")
        given.setdefault(key, []).append(value)
    for key, values in given.items():
        way_out = list_meant(key, ",".join(values))
        if len(values) > 1 and way_out and not any(value.startswith("[") for value in values):
            raise ValueError(
                f"{key} must be given once, got it {len(values)} times, as a shell makes of "
                f"{{{','.join(values)}}}; write {way_out}"
            )
