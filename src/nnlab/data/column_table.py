"""What was found out about a table's columns, for a person to read before training."""

from collections.abc import Sequence

from nnlab.data.columns import CategoricalColumn, Column
from nnlab.data.kinds import ColumnKind


def column_table(kinds: Sequence[ColumnKind], columns: Sequence[Column]) -> list[list[str]]:
    """A row for each column.

    Args:
        kinds: What each column holds.
        columns: What was learned of those that are used.

    Returns:
        Name, kind, share of missing values (empty for none), number of distinct ones, and what
        becomes of the column or why it is left out.
    """
    fitted = {column.name: column for column in columns}
    return [
        [
            kind.name,
            kind.kind,
            f"{kind.missing:.1%}" if kind.missing else "",
            f"{kind.distinct:,}",
            _becomes(kind, fitted.get(kind.name)),
        ]
        for kind in kinds
    ]


def _becomes(kind: ColumnKind, column: Column | None) -> str:
    if column is None:
        return kind.note
    if isinstance(column, CategoricalColumn) and column.is_embedded:
        text = f"embedding of {len(column.categories):,} categories"
    else:
        text = f"{column.width} input" + ("s" if column.width > 1 else "")
    return f"{text}; {kind.note}" if kind.note else text
