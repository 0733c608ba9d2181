"""Kinds of rules that a setting may have: numbers in a range, names to choose from, and so on."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


class Rule(Protocol):
    """A rule knows whether it allows a value and says in words what it allows."""

    def allows(self, value: Any) -> bool:
        """Whether `value` keeps the rule."""

    def __str__(self) -> str: ...


@dataclass(frozen=True)
class Number:
    """A finite number in an interval such as `[0, 1)` or `(0, inf)`."""

    interval: str
    integer: bool = False
    none: bool = False

    def allows(self, value: Any) -> bool:
        """Whether `value` is such a number (a bool is none)."""
        if value is None:
            return self.none
        if isinstance(value, bool) or not isinstance(value, int if self.integer else (int, float)):
            return False
        low, high = self._bounds()
        above = value > low if self.interval.startswith("(") else value >= low
        below = value < high if self.interval.endswith(")") else value <= high
        # Of whole numbers, what a tensor holds.
        is_usable = abs(value) < 2**63 if isinstance(value, int) else math.isfinite(value)
        return is_usable and above and below

    def _bounds(self) -> tuple[float, float]:
        low, high = self.interval[1:-1].split(",")
        return float(low), float(high)

    def __str__(self) -> str:
        low, high = self._bounds()
        if math.isfinite(high):
            bounds = f"in {self.interval}"
        else:
            bounds = f"above {low:g}" if self.interval.startswith("(") else f"of at least {low:g}"
        kind = "a whole number" if self.integer else "a number"
        return f"{kind} {bounds}" + (" or null" if self.none else "")


@dataclass(frozen=True)
class Choice:
    """One of a few names."""

    options: tuple[str, ...]
    none: bool = False

    def allows(self, value: Any) -> bool:
        """Whether `value` is one of the names."""
        return value in self.options or (value is None and self.none)

    def __str__(self) -> str:
        return f"one of {', '.join(self.options)}" + (" or null" if self.none else "")


@dataclass(frozen=True)
class Flag:
    """True or false."""

    none: bool = False

    def allows(self, value: Any) -> bool:
        """Whether `value` is a bool."""
        return isinstance(value, bool) or (value is None and self.none)

    def __str__(self) -> str:
        return "true or false" + (" or null" if self.none else "")


@dataclass(frozen=True)
class Text:
    """A text that is not empty."""

    none: bool = False

    def allows(self, value: Any) -> bool:
        """Whether `value` is such a text."""
        if value is None:
            return self.none
        return isinstance(value, str) and value.strip() != ""

    def __str__(self) -> str:
        return "a text (quote what looks like a number)" + (" or null" if self.none else "")


@dataclass(frozen=True)
class Texts:
    """A text for each of some names, or null."""

    example: str

    def allows(self, value: Any) -> bool:
        """Whether `value` maps names to texts or None, or is None."""
        if value is None:
            return True
        return isinstance(value, Mapping) and all(
            text is None or isinstance(text, str) for text in flat_names(value).values()
        )

    def __str__(self) -> str:
        return f"a text for each name, such as {self.example}, or null"


@dataclass(frozen=True)
class Kinds:
    """Column kinds by column name."""

    kinds: tuple[str, ...]

    def allows(self, value: Any) -> bool:
        """Whether `value` maps names to kinds or to formats of dates."""
        return isinstance(value, Mapping) and all(
            kind in self.kinds or (isinstance(kind, str) and "%" in kind)
            for kind in flat_names(value).values()
        )

    def __str__(self) -> str:
        kinds = ", ".join(self.kinds)
        return f"a kind for each column that is named: {kinds}, or a date's format as %d/%m/%Y"


@dataclass(frozen=True)
class Mark:
    """One ASCII character that no word or number holds, or one of a few words for one."""

    words: tuple[str, ...]

    def allows(self, value: Any) -> bool:
        """Whether `value` is such a character or word, or None."""
        if value is None or (isinstance(value, str) and value in self.words):
            return True
        is_one = isinstance(value, str) and len(value) == 1 and value.isascii()
        return is_one and not value.isalnum() and value not in "\0\r\n.+-_"

    def __str__(self) -> str:
        return f"one character such as ; or one of {', '.join(self.words)} or null"


@dataclass(frozen=True)
class Encoding:
    """The name of a text encoding."""

    def allows(self, value: Any) -> bool:
        """Whether Python knows such an encoding; None is allowed."""
        if value is None:
            return True
        try:
            return isinstance(value, str) and isinstance(b"1".decode(value, "ignore"), str)
        except (LookupError, ValueError):
            return False

    def __str__(self) -> str:
        return "an encoding such as utf-8, latin-1 or utf-16-le, or null"


@dataclass(frozen=True)
class ListOf:
    """A list of values that each keep a rule, possibly empty unless it has a fixed length."""

    rule: Rule
    example: str
    length: int | None = None
    none: bool = False

    def allows(self, value: Any) -> bool:
        """Whether `value` is such a list."""
        if value is None:
            return self.none
        return (
            isinstance(value, list | tuple)
            and all(map(self.rule.allows, value))
            and self.length in (None, len(value))
        )

    def __str__(self) -> str:
        return f"a list such as {self.example}, each {self.rule}" + (
            " or null" if self.none else ""
        )


@dataclass(frozen=True)
class Either:
    """What one of two rules allows."""

    first: Rule
    second: Rule

    def allows(self, value: Any) -> bool:
        """Whether `value` keeps one of them."""
        return self.first.allows(value) or self.second.allows(value)

    def __str__(self) -> str:
        return f"{self.first}, or {self.second}"


def flat_names(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Settings by column name where a name has dots, which a command line takes for levels.

    >>> flat_names({"sepal": {"length": "numeric"}, "zip": "categorical"})
    {'sepal.length': 'numeric', 'zip': 'categorical'}
    """
    flat: dict[str, Any] = {}
    for name, value in columns.items():
        if isinstance(value, Mapping):
            flat |= {f"{name}.{end}": kind for end, kind in flat_names(value).items()}
        else:
            flat[str(name)] = value
    return flat
