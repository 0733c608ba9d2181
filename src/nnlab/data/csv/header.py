"""The names of a CSV file's columns: those of its header, or what stands for one."""

import csv
import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from nnlab.data.csv.layout import Marks, Place, plain_line_ends, record_ends, without_blanks
from nnlab.data.csv.options import CsvOptions
from nnlab.data.names import as_seen, plain_name, refuse_patterns
from nnlab.suggestions import setting

_PANDAS_INDEX = (
    ", as the index has none that pandas writes first; write the file with to_csv(index=False), or "
)
# A header further down is looked for in so many records.
_RECORDS = 50
FEW_NAMES = 12
"""So many names make a setting that can still be read."""


def split_record(record: bytes, marks: Marks, place: Place) -> list[str]:
    """The cells of a record, without blanks around them.

    Raises:
        ValueError: Its quotes or line ends are not those of CSV.
    """
    plain = without_blanks(plain_line_ends(record, marks, place), marks)
    # The last line end is the record's own; others stand inside quotes.
    line, separator = plain.decode().removesuffix("\n"), chr(marks.separator)
    try:
        if marks.quote is None:
            return line.split(separator)
        cells = next(csv.reader([line], delimiter=separator, quotechar=chr(marks.quote)))
        return cells or [""]  # of a blank line
    except csv.Error as error:
        raise ValueError(f"{place.path}, line {place.line}: {error}; mend the header") from error


def read_names(cells: list[str], options: CsvOptions, place: Place) -> tuple[list[str], bool]:
    """The columns' names, and whether the first record gives them.

    Args:
        cells: The first record.
        options: What the user states of a header.
        place: Where the record begins.

    Raises:
        ValueError: More or fewer names are stated than there are columns.
    """
    names = options.column_names
    names = names if names is None else list(map(plain_name, names))
    has_header = options.header
    if has_header is None:
        has_header = names is None or names == list(map(plain_name, cells))
    if names is None:
        generated = [f"column_{number}" for number in range(1, len(cells) + 1)]
        return list(map(plain_name, cells)) if has_header else generated, has_header
    if len(names) != len(cells):
        raise ValueError(
            f"{place.path}, line {place.line}: data.column_names holds {len(names)} names, but "
            f"the line has {len(cells)} cells; give a name for each"
        )
    refuse_patterns(names, f"{place.path}, line {place.line}")
    seen = Counter(map(as_seen, names))
    if twice := next((name for name, count in seen.items() if count > 1), None):
        raise ValueError(
            f"{place.path}, line {place.line}: data.column_names must give each column a name of "
            f"its own, got '{twice}' more than once; rename one of them"
        )
    return names, has_header


def check_names(names: list[str], header: bytes, below: bytes, marks: Marks, place: Place) -> None:
    """Refuse a header in which a name is blank, stands twice, or is a pattern of polars'.

    Args:
        names: The names.
        header: The record that holds them.
        below: Text behind it, to find a better one in.
        marks: The separator and the quote.
        place: Where the header begins.

    Raises:
        ValueError: There is such a name; the message names the line.
    """
    seen = [as_seen(name) for name in names]
    if all(seen) and len(set(seen)) == len(names):
        refuse_patterns(names, f"{place.path}, line {place.line}")
        return
    way_out = "name every column once, or set data.header=false if the file has no header"
    above = _lines_above_names(below, len(names), marks, place.after(header))
    if above is not None:
        way_out += f", data.skip_lines={above} if line {above + 1} is the header"
    if blank := [number for number, name in enumerate(seen, 1) if not name]:
        reason = f"column {blank[0]} has no name" + (_PANDAS_INDEX if blank[0] == 1 else "; ")
        # As where separators end each line, or pandas has written its index.
        are_last = blank == list(range(blank[0], len(names) + 1))
        named = [name for name in seen if name]
        if (are_last or blank == [1]) and len(set(named)) == len(named) > 0 and len(names) > 1:
            whole = list(names)
            for number in blank:
                free = f"column_{number}"
                while free in whole:
                    free += "_"
                whole[number - 1] = free
            names_all = setting("data.column_names", whole)
            if len(names) > FEW_NAMES:
                names_all = "data.column_names=[...]"
            way_out += f", or name all with {names_all} data.skip_lines={place.line}"
    else:
        repeated = next(name for name in seen if seen.count(name) > 1)
        reason = f"more than one column is named '{repeated}'; "
        way_out += f", or name all with data.header=true {_told_apart(names)}"
    raise ValueError(f"{place.path}, line {place.line}: {reason}{way_out}")


def _told_apart(names: Sequence[str]) -> str:
    """The setting that gives each column a name of its own: the second of one gets a number."""
    if len(names) > FEW_NAMES:
        return "data.column_names=[...]"
    free: list[str] = []
    for name in names:
        candidate, number = name, 1
        while as_seen(candidate) in map(as_seen, free) or (number > 1 and candidate in names):
            number += 1
            candidate = f"{name}_{number}"
        free.append(candidate)
    return setting("data.column_names", free)


def _lines_above_names(text: bytes, width: int, marks: Marks, place: Place) -> int | None:
    """How many lines of the file stand above the first record that could be its header, if any.

    Such a record has as many cells, each with a letter.
    """
    ends = record_ends(text, marks)[:_RECORDS]
    for start, end in pairwise([0, *(ends + 1).tolist()]):
        record = text[start:end]
        try:
            cells = split_record(record, marks, place)
        except ValueError:
            return None
        if len(cells) == width and all(re.search(r"[^\W\d_]", cell) for cell in cells):
            return place.line - 1
        place = place.after(record)
    return None
