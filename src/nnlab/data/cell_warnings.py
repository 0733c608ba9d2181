"""What a person should know of cells that may not be meant as they are read."""

import re
from collections.abc import Sequence

import polars as pl

from nnlab.data.columns.kinds import ColumnKind
from nnlab.data.columns.number_grammar import as_number
from nnlab.data.columns.odd_cells import OddCells
from nnlab.data.columns.sentinels import find_sentinels
from nnlab.data.columns.words import different_texts
from nnlab.data.labelled import LabelledTable
from nnlab.suggestions import column_kind, few

# What stands before a row that sums up the others, which is no example to learn from.
_TOTALS = (
    *("total", "totals", "grand total", "sum", "summe", "gesamt", "somme", "suma", "totale"),
    *("subtotal", "sub-total", "sub total", "zwischensumme", "sous-total", "subtotale"),
)
# So many columns are spelled out in a sentence.
_FEW_NAMED = 3
# Numbers that are taken as categories are better numbers if they are more than these.
_FEW_CATEGORIES = 20
_MARKED = re.compile(r"\W*\d+([.,]\d+)?\W*")
# Of a large table so many rows show what its cells are like.
_MANY = 100_000


def warn_of_odd_cells(table: LabelledTable, kinds: Sequence[ColumnKind]) -> list[str]:
    """A sentence for each column that would be numbers or dates but for some cells."""
    found = [
        (kind, kind.odd) for kind in kinds if kind.odd is not None and _is_pity(kind, kind.odd)
    ]
    # Of all columns in each setting, because a person gives it once.
    missing = [text for _, odd in found if odd.may_be_missing for text in odd.texts]
    return [_warn_of_odd_cells(table, kind, odd, missing) for kind, odd in found]


def _is_pity(kind: ColumnKind, odd: OddCells) -> bool:
    """Whether a person would rather have a column read as what most of its cells are."""
    if not kind.is_used or odd.meant != "numbers":
        return odd.meant != "codes"
    # Among many kinds of words, the numbers are names, too; 67* is no word.
    are_marked = all(map(_MARKED.fullmatch, odd.texts))
    return kind.distinct > _FEW_CATEGORIES and (odd.may_be_missing or are_marked)


def _warn_of_odd_cells(
    table: LabelledTable, kind: ColumnKind, odd: OddCells, missing: Sequence[str]
) -> str:
    taken = {"categorical": "taken as categories", "numeric": "taken as numbers"}
    becomes = taken.get(kind.kind, kind.kind)
    ways_out = [f"write its {odd.meant} in one plain way, each in a cell of its own"]
    if odd.meant == "times":
        ways_out = ["write minutes and seconds as 00:03:23, or all in seconds"]
    if totals := [text for text in odd.texts if text.strip(" :").casefold() in _TOTALS]:
        what = "row" if odd.note.startswith("1 ") else "rows"
        sums = "it sums" if what == "row" else "they sum"
        ways_out = [f"take the {what} of '{totals[0]}' out of the file if {sums} up others"]
    elif odd.texts:
        ways_out = ["mend such cells"]
        if odd.may_be_missing:
            words = list(dict.fromkeys([*odd.texts, *missing]))
            ways_out.append(f"set {table.as_missing(words)} to take them as missing")
    if kind.is_used:
        ways_out.append(f"set {column_kind(kind.name, kind.kind)} to keep it as it is")
    return f"'{kind.name}' is {becomes}: {odd.note}; {', or '.join(ways_out)}"


def warn_of_sentinels(
    table: LabelledTable, kinds: Sequence[ColumnKind], *, classes: bool
) -> list[str]:
    """A sentence on columns in which -999, 9999-12-31 and the like may stand for a missing value.

    Args:
        table: The table.
        kinds: What its columns hold.
        classes: Whether the targets are classes, which are what they are.
    """
    found = {kind.name: kind.sentinels for kind in kinds if kind.sentinels is not None}
    target = table.target
    if not classes and target.dtype.is_numeric() and (of_target := find_sentinels(target)):
        found[target.name] = of_target
    if not found:
        return []
    shown = [
        f"'{name}' is {' or '.join(of_column.spelled)} in {of_column.rows:,} rows and else "
        f"{of_column.others}"
        for name, of_column in found.items()
    ]
    more = f"; likewise {few(list(found)[_FEW_NAMED:])}" if len(found) > _FEW_NAMED else ""
    numbers = sorted({number for of_column in found.values() for number in of_column.numbers})
    no_matter = {*found, *(kind.name for kind in kinds if not kind.is_used)}
    others = [v for v in [*table.frame, target] if v.dtype.is_numeric() and v.name not in no_matter]
    used = [v.name for v in others if v.cast(pl.Float64).is_in(numbers).any()]
    spelled = dict.fromkeys(text for of_column in found.values() for text in of_column.spelled)
    numbers_first = sorted(spelled, key=lambda text: as_number(text) or 0.0)
    way_out = f"set {table.as_missing(numbers_first)} for all columns"
    if used:
        way_out = f"leave these cells empty, because {few(used)} has such numbers, too"
    are_days = any(not of_column.numbers for of_column in found.values())
    what = " and ".join(["numbers"] * bool(numbers) + ["dates"] * are_days)
    known = ["numeric"] * bool(numbers) + ["date"] * are_days
    name = next(iter(found)) if len(found) == 1 else "NAME"
    said = " or ".join(column_kind(name, kind) for kind in known)
    otherwise = f", if not, {said}" if target.name not in found else ""
    return [
        f"{'; '.join(shown[:_FEW_NAMED])}{more}; if such {what} stand for missing values, "
        f"{way_out}{otherwise}"
    ]


def warn_of_open_dates(kinds: Sequence[ColumnKind]) -> list[str]:
    """A sentence for each column of dates that can all be read in two ways, such as 03/04/24."""
    return [
        f"'{kind.name}' is read as {kind.date_format}, but all its dates could be "
        f"{kind.other_date_format} as well; set {column_kind(kind.name, kind.other_date_format)} "
        f"if they are, {column_kind(kind.name, kind.date_format)} if not"
        for kind in kinds
        if kind.date_format is not None and kind.other_date_format is not None
    ]


def warn_of_zones(frame: pl.DataFrame, kinds: Sequence[ColumnKind]) -> list[str]:
    """A sentence for each column of times of several zones, whose hours are not those of a clock.

    Args:
        frame: The table.
        kinds: What its columns hold.
    """
    sentences = []
    for kind in kinds:
        if kind.date_format is None or not kind.date_format.endswith("z"):
            continue
        cells = frame.get_column(kind.name)
        texts = different_texts(cells.gather_every(-(-len(cells) // _MANY) or 1))
        zones = texts.str.extract(r"(Z|[+-]\d\d:?\d*)\s*$").drop_nulls()
        zones = zones.replace("Z", "+00:00").str.replace(r"^([+-]\d\d):?(\d\d)?$", "$1:00$2")
        zones = zones.str.replace(r":00(\d\d)$", ":$1").replace("-00:00", "+00:00").unique().sort()
        if len(zones) > 1:
            sentences.append(
                f"'{kind.name}' has times of several zones ({few(zones.to_list())}), all taken as "
                "UTC: their hour of the day is not that of the clock there; leave the zone out of "
                "the cells if that matters more"
            )
    return sentences


def warn_of_future_dates(kinds: Sequence[ColumnKind]) -> list[str]:
    """A sentence for each column of years of two digits that may be of the wrong century."""
    return [
        f"'{kind.name}' is read as {kind.date_format}, which makes {kind.future:%Y-%m-%d} of its "
        "last date: years up to 69 are 20xx, those from 70 on 19xx; write years of four digits if "
        "it is not to come"
        for kind in kinds
        if kind.future is not None
    ]
