"""Names that no column may have, whatever file it comes from."""

from collections.abc import Sequence


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
