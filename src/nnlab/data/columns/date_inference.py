"""Which way the dates and times of a column are written."""

import functools
import re
from collections import Counter

import polars as pl

from nnlab.data.columns.cell_error import CellError
from nnlab.data.columns.date_formats import FORMATS, formats_like
from nnlab.data.columns.dates import parse, to_seconds
from nnlab.data.columns.words import by_word, different_texts, is_text
from nnlab.suggestions import column_kind


def find_formats(values: pl.Series) -> list[str]:
    """The formats in which every text of a column can be read, the likeliest first.

    Args:
        values: Texts, null where missing.

    Returns:
        Entries of `FORMATS`; more than one where the texts leave open what they mean, as
        `03/04/2024` does.
    """
    return list(read_dates(different_texts(values)))


def read_dates(values: pl.Series) -> dict[str, pl.Series]:
    """What the texts of a column are as times, by each format in which all can be read.

    Args:
        values: Strings, null where missing.

    Returns:
        The formats as of `find_formats`, each with its times as polars has them.
    """
    first = values.head(1000).drop_nulls().head(20)
    if len(first) < 20:
        first = values.drop_nulls().head(20)  # of a large column a copy that takes its time
    # Most columns hold no dates, and their first value tells.
    if first.is_empty() or not re.search(r"\d", first[0]):
        return {}
    found: dict[str, pl.Series] = {}
    for pattern in formats_like(first[0].strip()):
        if parse(first, pattern).null_count() > 0:
            continue
        times = parse(values, pattern)
        is_new = not any(times.equals(other) for other in found.values())
        if times.null_count() == values.null_count() and is_new:
            found[pattern] = times
    return found


def find_odd_dates(values: pl.Series) -> tuple[str, pl.Series] | None:
    """The format of most texts of a column, and those cells that keep it from being one of dates.

    Args:
        values: Texts, null where missing.
    """
    present = values.drop_nulls()
    texts = different_texts(present)
    # Most columns hold no dates, and a few of their values tell.
    tried = [text.strip() for text in texts.gather_every(max(1, len(texts) // 5)).head(5)]
    counts = Counter(pattern for text in tried for pattern in formats_like(text))
    odd: dict[str, pl.Series] = {}
    for pattern in FORMATS:
        if counts[pattern] * 2 > len(tried):
            seconds = by_word(present, functools.partial(to_seconds, pattern=pattern))
            odd[pattern] = present.filter(seconds.is_null())
    best = min(odd, key=lambda pattern: len(odd[pattern]), default=None)
    return (best, odd[best]) if best and len(odd[best]) * 2 < len(present) else None


def moments(values: pl.Series, pattern: str | None) -> pl.Series:
    """When each row was, as numbers: of dates the seconds, numbers as they are.

    Args:
        values: Numbers, dates, or texts.
        pattern: How texts are written; None to find out.

    Raises:
        CellError: A value is missing.
        ValueError: The values are neither numbers nor dates of one format.
    """
    values = values.fill_nan(None) if values.dtype.is_float() else values
    if gone := values.null_count():
        row = int(values.is_null().arg_max() or 0)
        raise CellError(
            f"'{values.name}' must hold a time in each row to split by, got none",
            row,
            "fill such cells, or take the rows out of the file",
            count=gone,
        )
    if values.dtype.is_numeric() and pattern is None:
        return values.cast(pl.Float64)
    if is_text(values):
        pattern = pattern or next(iter(find_formats(values)), None)
    if values.dtype.is_temporal() or pattern is not None:
        seconds = to_seconds(values, pattern)
        if seconds.null_count() == 0:
            return seconds
    raise ValueError(
        f"'{values.name}' must hold numbers or dates in one format, got values such as "
        f"'{values[0]}'; take another column, or say how its dates are written, such as "
        f"{column_kind(values.name, '%d.%m.%Y %H:%M')}"
    )
