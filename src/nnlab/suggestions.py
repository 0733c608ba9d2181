"""Ways out that a message suggests: a closer word, a few names, a setting as it can be pasted."""

import difflib
import re
import shlex
from collections.abc import Iterable, Sequence
from typing import Any

# What Hydra takes for text without quotes around it: no number, and none of its own words.
_PLAIN = re.compile(r"(?!(?i:null|true|false|nan|inf)$)[A-Za-z_/%][A-Za-z0-9_./%-]*")
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
# Between braces a key may also have blanks, but no quotes around it.
_WIDE_KEY = re.compile(r"(?!(?i:null|true|false|nan|inf)$)[A-Za-z_][A-Za-z0-9_./%+@ -]*(?<! )")


def did_you_mean(word: Any, options: Iterable[str]) -> str:
    """The end of an error message that offers the closest option, or nothing.

    >>> did_you_mean("rleu", ["relu", "tanh"])
    "; did you mean 'relu'?"
    """
    by_lower_case = {option.lower(): option for option in options}
    close = difflib.get_close_matches(str(word).lower(), by_lower_case, n=1)
    return f"; did you mean '{by_lower_case[close[0]]}'?" if close else ""


def few(names: Sequence[str]) -> str:
    """Names for a message that must stay readable."""
    return ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")


def setting(name: str, value: str | Sequence[str]) -> str:
    """A setting with the quotes that Hydra and a shell need.

    Args:
        name: The setting.
        value: A text, or a list of texts.

    >>> print(setting("data.encoding", "latin-1"), setting("data.separator", ";"))
    data.encoding=latin-1 'data.separator=";"'
    >>> print(setting("data.drop", ["id", "zip code"]))
    'data.drop=[id,"zip code"]'
    """
    text = _quoted(value) if isinstance(value, str) else f"[{','.join(map(_quoted, value))}]"
    return shlex.quote(f"{name}={text}")


def column_kind(name: str, kind: str) -> str:
    """The setting that says what a column holds, where Hydra can spell the column's name.

    >>> print(column_kind("day", "%d/%m/%Y"), column_kind("birth day", "date"))
    data.columns.day=%d/%m/%Y 'data.columns={birth day: date}'
    """
    if _KEY.fullmatch(name):
        return setting(f"data.columns.{name}", kind)
    if _WIDE_KEY.fullmatch(name):
        return shlex.quote(f"data.columns={{{name}: {_quoted(kind)}}}")
    return f"data.columns.NAME={shlex.quote(_quoted(kind))}, once its name is of plain letters"


def _quoted(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return text
    # Hydra halves backslashes before a quote; OmegaConf takes `${` for a variable.
    escaped = re.sub(
        r'(\\*)("|$)', lambda found: found[1] * 2 + "\\" * bool(found[2]) + found[2], text
    )
    return '"' + escaped.replace("${", r"\${") + '"'
