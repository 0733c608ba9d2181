"""What was found out about a table's columns, for a person to read before training."""

from collections.abc import Mapping, Sequence

from nnlab.data.columns.kinds import ColumnKind
from nnlab.data.columns.learned import CategoricalColumn, Column


def column_table(
    kinds: Sequence[ColumnKind],
    columns: Sequence[Column],
    missing: Mapping[str, Mapping[str, int]],
) -> list[list[str]]:
    """A row for each column.

    Args:
        kinds: What each column holds.
        columns: What was learned of those that are used.
        missing: By column, how often each spelling of a missing value occurs in the file.

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
            "; ".join(
                filter(
                    None,
                    [
                        *_becomes(kind, fitted.get(kind.name)),
                        _missing(missing.get(kind.name, {})),
                    ],
                )
            ),
        ]
        for kind in kinds
    ]


def _becomes(kind: ColumnKind, column: Column | None) -> list[str]:
    if column is None:
        return [kind.note]
    if isinstance(column, CategoricalColumn) and column.is_embedded:
        return [f"embedding of {len(column.categories):,} categories", kind.note]
    return [f"{column.width} input" + ("s" if column.width > 1 else ""), kind.note]


def _missing(counts: Mapping[str, int]) -> str:
    """What counts as missing, unless that is empty cells alone."""
    return f"missing: {spelled(counts)}" if any(counts) else ""


def spelled(counts: Mapping[str, int]) -> str:
    """How often each spelling of a missing value occurs.

    >>> spelled({"NA": 6, "": 1})
    "6 'NA', 1 empty"
    """
    return ", ".join(
        f"{count:,} " + (f"'{text}'" if text else "empty") for text, count in counts.items()
    )
