"""How columns are called: on one line, and by no name that looks like another or a pattern."""

import unicodedata
from collections.abc import Sequence

from nnlab.data.columns.words import BLANKS

# Marks and blanks that no one sees at the end of a name.
_UNSEEN = f"{BLANKS}\ufeff\u200b\u00a0"


def as_seen(name: str) -> str:
    """A name as a person sees it: one kind of blank and of accented letter, nothing of no width.

    >>> as_seen("net\u00a0price\u200b "), len("cafe\u0301"), len(as_seen("cafe\u0301"))
    ('net price', 5, 4)
    """
    seen = "".join(filter(str.isprintable, " ".join(name.split()))).strip()
    return unicodedata.normalize("NFC", seen)


def plain_name(name: str) -> str:
    r"""A name without what is unseen around it, on one line.

    >>> plain_name("\ufeff price\n(EUR)\u00a0")
    'price (EUR)'
    """
    return on_one_line(name.strip(_UNSEEN))


def on_one_line(name: str) -> str:
    r"""A name whose line breaks, as spreadsheets have them, are blanks.

    >>> on_one_line("price\n(EUR)")
    'price (EUR)'
    """
    return " ".join(part.strip() for part in name.splitlines()) if "\n" in name else name


def refuse_patterns(names: Sequence[str], place: str) -> None:
    """Refuse names that polars takes for regular expressions, whatever is asked of the column.

    Raises:
        ValueError: There is one.
    """
    for name in names:
        if name.startswith("^") and name.endswith("$"):
            raise ValueError(
                f"{place}: a column's name must not begin with ^ and end with $, because polars "
                f"takes that for a pattern, got '{name}'; rename it, such as '{name[1:-1]}'"
            )
