"""Writing predictions: a CSV file that spreadsheets open as they do the input."""

import itertools
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from nnlab.atomic import replacing
from nnlab.data.csv.dialect import Dialect

# What a spreadsheet takes for the beginning of a formula (OWASP, "CSV Injection"), wide letters of
# East Asia among them; blanks before it, which some leave out, do not count.
_FORMULA = r"^[\t\r\n]|^\s*[=+\-@＝＋－＠]"  # noqa: RUF001
# What begins so and is no more than a number, such as -1,82 or -$4,200.20 or -1.39 %.
_HARMLESS = r"^\s*[+\-＋－]? ?\p{Sc}?[\d.,' ]*[%\p{Sc}]?$"  # noqa: RUF001

Part = tuple[pl.DataFrame, float]
"""Some rows, and the share of all that is done with them."""


def write_csv(
    parts: Iterator[Part], path: Path, like: Dialect | None, *, decimal: str, is_raw: bool
) -> int:
    """Write tables below each other into one CSV file, which appears once it is whole.

    Args:
        parts: The tables.
        path: The file, in a folder that is made if need be.
        like: How the file is written that the rows come from, so that the programs that open it
            open this one, too; None for the standard way.
        decimal: The decimal mark.
        is_raw: Whether to leave cells that a spreadsheet would run as they are.

    Returns:
        How many rows they are.

    Raises:
        OSError: It cannot be written.
    """
    style = _style(like, decimal)
    rows, is_first = 0, True
    # What is written is UTF-8; where the input is not, a spreadsheet is told so by the mark.
    has_mark = like is not None and bool(like.source.mark or like.source.encoding != "utf-8")
    first = list(itertools.islice(parts, 1))  # what cannot be read leaves no folder behind
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file, _progress() as progress:
        task = progress.add_task("", total=1.0, rows=0)
        for part, done in itertools.chain(first, parts):
            safe = part if is_raw else _neutralize(part)
            if like is not None and like.marks.quote is None:
                safe = _quoted(safe, chr(like.marks.separator))
            # An empty text would be written as "", which others read as text.
            empty = safe.with_columns(pl.selectors.string().replace("", None))
            empty.write_csv(
                file, include_header=is_first, include_bom=is_first and has_mark, **style
            )
            is_first = False
            rows += len(part)
            progress.update(task, completed=done, rows=rows)
    return rows


def _style(like: Dialect | None, decimal: str) -> dict[str, Any]:
    """How polars is to write."""
    if like is None:
        return {}
    quote = like.marks.quote
    quoting = {"quote_style": "never"} if quote is None else {"quote_char": chr(quote)}
    return {
        "separator": chr(like.marks.separator),
        "decimal_comma": decimal == ",",
        **quoting,
    }


def _progress() -> Progress:
    """A bar for a person at a terminal, gone when all is done; nothing elsewhere."""
    return Progress(
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rows]:,} rows"),
        TimeElapsedColumn(),
        TextColumn("elapsed"),
        TimeRemainingColumn(),
        TextColumn("left"),
        console=Console(stderr=True),
        transient=True,
        # Messages on the same terminal are printed above it; in a file they stay what they are.
        redirect_stdout=sys.stdout.isatty(),
        disable=not sys.stderr.isatty(),
    )


def _quoted(frame: pl.DataFrame, separator: str) -> pl.DataFrame:
    """Quotes around what could not stand in a file without, such as a class with a separator in it.

    None of the cells that come from such a file is so.
    """
    marks = rf"[{re.escape(separator)}\r\n]"
    for values in frame.select(pl.selectors.string()):
        is_odd = values.str.contains(marks).fill_null(False)
        quoted = '"' + values.str.replace_all('"', '""', literal=True) + '"'
        frame = frame.with_columns(quoted.zip_with(is_odd, values).alias(values.name))
    odd = [name for name in frame.columns if re.search(marks, name)]
    return frame.rename({name: '"' + name.replace('"', '""') + '"' for name in odd})


def _neutralize(frame: pl.DataFrame) -> pl.DataFrame:
    """Put a ' before cells that a spreadsheet would run; numbers such as -5 are none."""
    text = pl.selectors.string()
    is_no_number = text.str.strip_chars().cast(pl.Float64, strict=False).is_null()
    runs = text.str.contains(_FORMULA) & ~text.str.contains(_HARMLESS) & is_no_number
    frame = frame.with_columns(pl.when(runs).then("'" + text).otherwise(text).name.keep())
    taken, renamed = set(frame.columns), {}
    for name in frame.columns:
        if re.search(_FORMULA, name):
            safe_name = f"'{name}"
            while safe_name in taken:
                safe_name = f"'{safe_name}"
            taken.add(safe_name)
            renamed[name] = safe_name
    return frame.rename(renamed)
