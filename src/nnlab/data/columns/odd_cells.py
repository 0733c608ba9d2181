"""The cells that keep a column of text from being one of numbers or dates."""

import re
from dataclasses import dataclass

import polars as pl

from nnlab.data.columns.date_formats import formats_like
from nnlab.data.columns.date_inference import find_odd_dates
from nnlab.data.columns.dates import parse
from nnlab.data.columns.number_formats import are_mostly_numbers, to_numbers
from nnlab.data.columns.number_grammar import LONG, PADDED, as_number, plain_numbers
from nnlab.data.columns.words import BLANKS, by_word, different_texts, is_text

FEW_WORDS = 10
"""So few different words among numbers may spell a missing value."""
# So many different texts show in which ways they are written.
_MANY = 1000
# Minutes and seconds, or more hours than a day has; a score has no two digits behind the colon.
_MINUTES = r"^\s*\d{1,3}:[0-5]\d\s*$"
_ADDRESS = re.compile(r"\d+(\.\d+){3}")
# What can be nothing but a quantity, with 0 for its number: €0/month, 0 kWh/(m²a), ~0, 0,-, 0m 0s.
# Others, such as #1001, 10A and 1990Q1, are names.
_NUMBER = re.compile(r"\d+([.,]\d+)*")
_QUANTITY = re.compile(
    r"[~\u2248]\s*0|0,-|[$€£¥₹]\s*0\D{1,12}|0\s*[^\W\d_]+/\D{1,10}"
    r"|0\s*(h|m|min)\s*0\s*(m|min|s|sec)"
)
# Dates written in more ways than these are none, nor those of which so many cannot be read.
_MOST_WAYS, _NEARLY_ALL = 10, 0.9


@dataclass(frozen=True, kw_only=True)
class OddCells:
    """What keeps a column from being what most of its cells are.

    Attributes:
        note: What it is, in few words.
        meant: What most cells are: `numbers`, `dates`, `times`, or `codes`, which look like
            numbers.
        texts: The first different cells that are none; empty where it is not single
            cells, but how all of them are written.
    """

    note: str
    meant: str
    texts: list[str]

    @property
    def may_be_missing(self) -> bool:
        """Whether they may spell a missing value: few words, and no number of other columns."""
        are_words = all(as_number(text) is None for text in self.texts)
        return 0 < len(self.texts) <= FEW_WORDS and are_words


def find_odd_cells(values: pl.Series, number_format: str | None, decimal: str) -> OddCells | None:
    """What keeps a column of text from being one of numbers or dates; None if it is neither.

    Args:
        values: Texts, null where missing.
        number_format: How most of them write numbers, if not plainly.
        decimal: The decimal mark of plain numbers.
    """
    if found := find_odd_dates(values):
        pattern, cells = found
        return odd_cells(cells, "dates", f" as in {pattern}")
    present = values.drop_nulls()
    texts = different_texts(present)
    if examples := _dates_in_several_ways(texts):
        shown = "' and '".join(map(shorten, examples))
        note = f"dates written in several ways, such as '{shown}'"
        return OddCells(note=note, meant="dates", texts=[])
    of_minutes = texts.filter(texts.str.contains(_MINUTES))
    if len(of_minutes) * 2 > len(texts):
        note = f"no time is read from cells such as '{of_minutes[0]}'"
        return OddCells(note=note, meant="times", texts=[])

    def are_words(texts: pl.Series) -> pl.Series:
        if number_format is None:
            return plain_numbers(texts, decimal).is_null()
        return to_numbers(texts, number_format).is_null()

    words = texts.filter(are_words(texts))
    if words.is_empty():
        reasons = {PADDED: " with leading zeros", LONG: " beyond 64 bits"}
        reason = next(
            (r for pattern, r in reasons.items() if texts.str.contains(pattern).any()), ""
        )
        return OddCells(note=f"numbers{reason}, as text", meant="codes", texts=[])
    if are_mostly_numbers(words):
        some = [str(text) for text in texts.head(_MANY)]
        by_shape = {re.sub(r"\d+|-", "", text): text for text in reversed(some)}
        # As of two numbers in a cell, or of parts of a number that nothing tells apart.
        are_alike = len(by_shape) == 1
        if are_alike and all(map(_ADDRESS.fullmatch, some)):
            return OddCells(note="addresses", meant="codes", texts=[])
        examples = [some[0], some[-1]] if are_alike else list(by_shape.values())[:-4:-1]
        said = "no number is read from cells" if are_alike else "numbers written in several ways,"
        shown = "' and '".join(map(shorten, examples))
        note = f"{said} such as '{shown}'"
        return OddCells(note=note, meant="numbers", texts=[])
    # In most columns all are words, and to find their cells would be to copy the column.
    if len(words) < len(texts):
        is_enum = isinstance(present.dtype, pl.Enum)
        cells = present.filter(by_word(present, are_words)) if is_enum else words
        if len(cells) <= len(present) / 2:
            return odd_cells(cells, "numbers", "")
    some = [str(text) for text in texts.head(_MANY)]
    skeletons = {_NUMBER.sub("0", text.strip()) for text in some}
    if len(skeletons) == 1 and _QUANTITY.fullmatch(skeletons.pop()):
        shown = "' and '".join(map(shorten, (min(some), max(some))))
        note = f"no number is read from cells such as '{shown}'"
        return OddCells(note=note, meant="numbers", texts=[])
    return None


def _dates_in_several_ways(texts: pl.Series) -> list[str]:
    """Examples of the ways in which dates are written; none where not most texts are dates."""
    some = [str(text).strip() for text in texts.head(_MANY)]
    by_shape: dict[str, list[str]] = {}
    for text in some:
        by_shape.setdefault(re.sub(r"[^\W\d_]+", "a", re.sub(r"\d", "0", text)), []).append(text)
    if not 2 <= len(by_shape) <= _MOST_WAYS:
        return []
    dates = [alike for alike in by_shape.values() if _are_dates(alike)]
    are_most = sum(map(len, dates)) * 2 > len(some)
    return sorted(map(min, dates))[:2] if are_most and len(dates) > 1 else []


def _are_dates(texts: list[str]) -> bool:
    """Whether nearly all texts of one shape are days in some format, of years that people note."""
    cells = pl.Series(texts)
    for pattern in formats_like(texts[0]):
        if "%d" in pattern:
            years = parse(cells, pattern).dt.year().is_between(1800, 2200)
            if years.sum() >= _NEARLY_ALL * len(texts):
                return True
    return False


def odd_cells(cells: pl.Series, meant: str, written: str) -> OddCells:
    """Describe the cells of a column that are unlike the others; there may be none.

    Args:
        cells: The cells that are.
        meant: What the others are.
        written: How the others are written, in words with a blank before them, or nothing.
    """
    texts = cells.cast(pl.String).unique(maintain_order=True).head(FEW_WORDS + 1).to_list()
    count = (
        f"1 cell is no {meant[:-1]}" if len(cells) == 1 else f"{len(cells):,} cells are no {meant}"
    )
    note = f"{count}{written}, such as '{shorten(texts[0])}'" if texts else ""
    return OddCells(note=note, meant=meant, texts=texts)


def missing_words(cells: pl.Series) -> list[str]:
    """Texts that may spell missing values where numbers or dates are meant, as `-` and `k.A.` do.

    Args:
        cells: All that are no numbers, or no dates.

    Returns:
        Nothing where they are many, or one has a digit.
    """
    if not is_text(cells):
        return []
    words = different_texts(cells).str.strip_chars(BLANKS).unique(maintain_order=True)
    # Nobody spells a missing value in a sentence.
    are_few = len(words) <= FEW_WORDS and not words.str.contains(r"\d|^.{31}").any()
    return words.to_list() if are_few and all(as_number(word) is None for word in words) else []


def hold_digits(values: pl.Series) -> bool:
    """Whether some texts of a column have digits in them, as most have where numbers are meant."""
    texts = different_texts(values)
    sample = texts.gather_every(len(texts) // 20 + 1)
    return any(letter.isdigit() for text in sample for letter in text)


def shorten(value: object) -> str:
    r"""A cell for a message that must stay readable, what is unseen in it spelled out.

    >>> print(shorten("\u200b1030.90"))
    \u200b1030.90
    """
    return spell_out(" ".join(str(value).split()))


def spell_out(text: str) -> str:
    r"""A text for a message, in full but for its length, what is unseen in it spelled out.

    >>> print(spell_out("ja\u00a0"))
    ja\u00a0
    """
    text = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)
    return text if len(text) <= 30 else f"{text[:27]}..."
