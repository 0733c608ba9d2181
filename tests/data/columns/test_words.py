"""Enumerations are learned, read and counted as the strings that they stand for."""

import dataclasses
import random

import numpy as np
import polars as pl
import pytest

from nnlab.data.columns.date_inference import find_formats, moments
from nnlab.data.columns.fitting import fit_columns
from nnlab.data.columns.inferred_kinds import infer_kind
from nnlab.data.columns.spelling import boolean_text, number_text, spelled_numbers, without_numbers
from nnlab.data.columns.words import different_texts

COLUMNS = {
    "words": ["red", "green", None, "ä blue", "日本"],
    "booleans": ["yes", "No", None, "TRUE", "f"],
    "two": ["yes", "no", "yes", "YES"],
    "numbers and a word": ["1", "2.5", "oops", None, " 3"],
    "padded numbers": ["007", "1", "02", "2"],
    "spellings of numbers": ["1", "1.0", "01", "2", "x", "9223372036854775807"],
    "dates": ["2024-01-31", "2023-12-24", None, "2020-02-29"],
    "days or months first": ["03/04/2024", "05/06/2023", None],
    "written numbers": ["$1,000", "$52", None, "($7.50)"],
    "a date that is none": ["2024-01-31", "2023-12-24", "2020-02-29", "0000-00-00"],
    "sentences": [f"{i} is a number and this is a sentence of it" for i in range(40)],
    "nothing": [None],
    "one": ["same"],
}
KINDS = ["categorical", "boolean", "number", "numeric", "date"]


def as_both(name: str, seed: int) -> tuple[pl.Series, pl.Series]:
    """A column as strings and as an enumeration, some of whose texts do not occur."""
    rng = random.Random(seed)  # noqa: S311
    cells = COLUMNS[name] + rng.choices(COLUMNS[name], k=rng.choice([0, 30, 90]))
    rng.shuffle(cells)
    words = sorted({cell for cell in cells if cell is not None} | {"1e400", "never", "true"})
    texts = pl.Series("x", cells, dtype=pl.String)
    return texts, texts.cast(pl.Enum(words))


@pytest.mark.parametrize("name", COLUMNS)
@pytest.mark.parametrize("seed", range(4))
def test_an_enumeration_is_what_its_strings_are(name: str, seed: int) -> None:
    texts, numbered = as_both(name, seed)
    assert infer_kind(numbered) == infer_kind(texts)
    assert find_formats(numbered) == find_formats(texts)
    assert set(different_texts(numbered)) == set(texts.drop_nulls())
    for spell in (boolean_text, number_text):
        assert spell(numbered).cast(pl.String).to_list() == spell(texts).to_list()


@pytest.mark.parametrize(
    ("name", "kind"),
    # A column without any value is left out, before anything is learned of its numbers.
    [(n, k) for n in COLUMNS for k in KINDS if n != "nothing" or k not in ("numeric", "date")],
)
def test_an_enumeration_is_fitted_and_read_as_its_strings_are(name: str, kind: str) -> None:
    texts, numbered = as_both(name, 1)
    inferred = infer_kind(texts)
    said = dataclasses.replace(
        inferred,
        kind="categorical" if kind == "number" else kind,
        written_as={"boolean": "boolean", "number": "number"}.get(kind, "text"),
        date_format="%Y-%m-%d" if kind == "date" else None,
    )
    results = []
    for values in (texts, numbered):
        try:
            (column,) = fit_columns(values.to_frame(), [said], scaling="robust", max_one_hot=3)
            # Another enumeration, as another file would have.
            other = values.head(3).cast(pl.String)
            other = other.cast(pl.Enum(["b", *other.drop_nulls().unique()]))
            again = [column.read(values), column.read(other), column.read(values)]
            results.append((column, [np.asarray(part).tolist() for part in again]))
        except ValueError as error:
            results.append((str(error), getattr(error, "row", None)))
    np.testing.assert_equal(results[1], results[0])


def test_a_time_column_of_few_dates_is_ordered_by_them() -> None:
    texts = pl.Series("t", ["02.01.2024", "01.02.2024", "02.01.2024"])
    numbered = texts.cast(pl.Enum(["01.02.2024", "02.01.2024"]))
    assert moments(numbered, None).to_list() == moments(texts, None).to_list()


@pytest.mark.parametrize(
    ("dtype", "cells", "expected"),
    [
        (pl.Int64, [-999, 1, 10**16, 10**16 - 1], [None, 1, 10**16, None]),
        (pl.UInt64, [999, 10**16 - 1], [999, None]),
        (pl.Int8, [1, 99, None], [1, 99, None]),
        (pl.Float64, [-999.0, 99.5, 99.4, None], [None, None, 99.4, None]),
        (pl.Float32, [-999.0, 99.5, 0.1, 0.25], [None, None, None, 0.25]),
        (pl.String, ["-999.00", "99.50", "1", None], [None, None, "1", None]),
    ],
)
def test_numbers_for_missing_values_are_found_in_columns_of_any_type(
    dtype, cells: list, expected: list
) -> None:
    spelled = spelled_numbers(["", "NaN", "-999", "99.5", "0.1", "9999999999999999", "x"])
    values = pl.Series("a", cells, dtype=dtype)
    assert without_numbers(values, spelled).equals(pl.Series("a", expected, dtype=dtype))


def test_spellings_that_are_no_numbers_are_no_numbers_for_missing_values() -> None:
    assert spelled_numbers(["", "NaN", "-nan", "NA", ".", "?"]).is_empty()
    assert spelled_numbers(["-", "-999,5", "7"], ",").to_list() == ["-999.5", "7"]
