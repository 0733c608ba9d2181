"""Ways out that a message suggests: a closer word, a few names, a setting as it can be pasted."""

import difflib
import re
import shlex
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

# What Hydra takes for text without quotes around it: no number, and none of its own words.
_PLAIN = re.compile(r"(?!(?i:null|true|false|nan|inf)$)[A-Za-z_/%][A-Za-z0-9_./%-]*")
# Other names that the field has.
_SYNONYMS = {
    "learning_rate": "lr",
    "layers": "hidden_sizes",
    "units": "hidden_sizes",
    "swish": "silu",
    "linear": "identity",
    "logistic": "sigmoid",
    "l1": "mae",
    "l2": "mse",
}
# Words that are less alike than this (`SequenceMatcher.ratio`) are not the same, misspelt.
_ALIKE = 0.6


def closest(word: Any, options: Iterable[str]) -> str | None:
    """The option that is most like a word, capitals aside; None where none is.

    What means the same, or has the word in it, comes first; of several the first one given.

    >>> closest("Rleu", ["relu", "tanh"]), closest("acc", ["auroc", "accuracy"])
    ('relu', 'accuracy')
    """
    wanted = str(word).lower()
    matcher = difflib.SequenceMatcher(b=wanted)

    def likeness(option: str) -> float:
        matcher.set_seq1(option.lower())
        is_meant = option == _SYNONYMS.get(wanted)
        is_part = len(wanted) > 2 and f"_{option.lower()}".rpartition(wanted)[0].endswith("_")
        return matcher.ratio() + (is_meant or is_part)

    best = max(options, key=likeness, default=None)
    return best if best is not None and likeness(best) >= _ALIKE else None


def did_you_mean(word: Any, options: Iterable[str]) -> str:
    """The end of an error message that offers the closest option, or nothing.

    >>> did_you_mean("rleu", ["relu", "tanh"])
    "; did you mean 'relu'?"
    """
    found = closest(word, options)
    return "" if found is None else f"; did you mean '{found}'?"


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
    return shlex.quote(f"{name}={written(value)}")


def column_kind(name: str, kind: str) -> str:
    """The setting that says what a column holds.

    >>> print(column_kind("day", "%d/%m/%Y"), column_kind("birth day", "date"))
    data.columns.day=%d/%m/%Y 'data.columns.birth day=date'
    """
    return setting(f"data.columns.{name}", kind)


def command(verb: str) -> str:
    """How a person runs a verb: the scripts of a checkout, or the command of a wheel."""
    is_installed = Path(sys.argv[0]).stem == "nnlab"
    return f"nnlab {verb}" if is_installed else f"python scripts/{verb}.py"


def written(value: str | Sequence[str]) -> str:
    """A text, or a list of texts, with the quotes that Hydra needs."""
    if not isinstance(value, str):
        return f"[{','.join(map(written, value))}]"
    if _PLAIN.fullmatch(value):
        return value
    # Hydra halves backslashes before a quote; OmegaConf takes `${` for a variable.
    escaped = re.sub(
        r'(\\*)("|$)', lambda found: found[1] * 2 + "\\" * bool(found[2]) + found[2], value
    )
    return '"' + escaped.replace("${", r"\${") + '"'
