"""A table as plain text."""

import io
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

_WIDEST = 2**16


def format_table(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    left: Sequence[str] = ("", "metric", "job"),
) -> str:
    """A plain text table; columns that `left` does not name are aligned to the right."""
    table = Table(box=None, pad_edge=False)
    for name in header:
        table.add_column(_cell(name), justify="left" if name in left else "right")
    for row in rows:
        table.add_row(*map(_cell, row))
    text = io.StringIO()
    # Wide enough never to wrap: in a pipe there is no width to keep to.
    Console(file=text, width=_WIDEST).print(table)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines())


def _cell(text: str) -> Text:
    """A text as it is, since brackets are no markup, but on one line."""
    return Text(" ".join(text.splitlines()))


def format_metric(value: float) -> str:
    """Four decimals, or as many as a small number needs.

    >>> format_metric(0.98765), format_metric(0.0), format_metric(3.21987e-6)
    ('0.9877', '0.0000', '3.22e-06')
    """
    return f"{value:.4f}" if value == 0 or abs(value) >= 1e-3 else f"{value:.4g}"
