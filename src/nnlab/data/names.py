"""Names that no column may have, whatever file it comes from, and which look the same."""

from collections.abc import Sequence


def as_seen(name: str) -> str:
    """A name as a person sees it: one kind of blank, and nothing of no width.

    >>> as_seen("net\u00a0price\u200b ")
    'net price'
    """
    return "".join(filter(str.isprintable, " ".join(name.split()))).strip()


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
