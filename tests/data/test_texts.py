"""Columns of text while a file is read: enumerations of few texts, strings of many."""

import random
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest

from nnlab.data.csv import source as csv_source
from nnlab.data.csv import texts as csv_texts
from nnlab.data.csv.options import MISSING
from nnlab.data.csv.texts import TextColumns
from nnlab.data.table import read_table


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_source, "BLOCK_BYTES", 256)


def read(folder: Path, cells: Sequence[str]) -> pl.Series:
    """A column of a file of these cells."""
    path = folder / "t.csv"
    path.write_text("k,x\n" + "".join(f"{i},{cell}\n" for i, cell in enumerate(cells)))
    values = read_table(path)["x"]
    texts = [cell.strip(" ") for cell in cells]
    assert values.to_list() == [None if text in ("", *MISSING) else text for text in texts]
    return values


@pytest.mark.parametrize("seed", range(20))
def test_pieces_of_different_words_make_one_enumeration_in_the_order_of_texts(
    tmp_path: Path, seed: int
) -> None:
    rng = random.Random(seed)  # noqa: S311
    words = ["b", "a", "é", "z", "日本", "no", "ä b", "ß", "0x", " x"]
    # Every few rows another word may occur for the first time, and all may be missing.
    cells = [
        rng.choice(["", "NA", "?", "null", *words[: 1 + row // 40]] if row > 30 else ["", "NA"])
        for row in range(400)
    ]
    values = read(tmp_path, cells)
    there = sorted({cell.strip(" ") for cell in cells} - {"", "NA", "?", "null"})
    assert values.dtype == pl.Enum(there)
    assert values.drop_nulls().sort().to_list() == sorted(values.drop_nulls().to_list())


def test_more_words_than_a_byte_can_number_stay_the_same(tmp_path: Path) -> None:
    # Nearly all come in later pieces.
    cells = ["w"] * 50 + [f"w{row % 1000}" for row in range(3000)]
    assert len(read(tmp_path, cells).dtype.categories) == 1001


def test_identifiers_stay_strings_though_they_begin_like_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_texts, "_MOST_WORDS", 300)
    cells = ["a", "b", "", "NA"] * 100 + [f"id {row}" for row in range(500)] + ["a", "?", ""]
    assert read(tmp_path, cells).dtype == pl.String


def test_a_first_piece_of_identifiers_is_not_learned() -> None:
    columns = TextColumns([""])
    cells = [f"id {row}" for row in range(1000)]
    frame = columns.read(pl.DataFrame({"id": cells, "word": ["x", "y"] * 500}))
    assert frame.schema == {"id": pl.String, "word": pl.Enum(["x", "y"])}


def test_a_column_that_is_text_in_a_later_piece_only_is_an_enumeration(tmp_path: Path) -> None:
    values = read(tmp_path, [*map(str, range(200)), "word", "", "7"])
    assert values.dtype == pl.Enum(sorted({*map(str, range(200)), "word"}))


def test_columns_of_a_piece_have_chunks_of_the_same_lengths() -> None:
    # Else polars would copy the whole table once it is used.
    part = pl.DataFrame({"x": ["a", "b"], "n": [1, 2]})
    frame = TextColumns([]).read(pl.concat([part, part], rechunk=False))
    assert len(set(frame.n_chunks("all"))) == 1


def test_spellings_of_a_missing_value_are_null_in_enumerations_and_strings() -> None:
    columns = TextColumns(["", "-"])
    cells = ["-", "", "word", None, " -"] * 100
    ids = ["-", "", *(f"id {row}" for row in range(498))]
    for _ in range(2):
        frame = columns.read(pl.DataFrame({"word": cells, "id": ids}))
        assert frame["word"].to_list() == [None, None, "word", None, " -"] * 100
        assert frame["id"].to_list() == [None, None, *ids[2:]]


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1)])
def test_which_piece_comes_first_does_not_choose_the_type(order: tuple[int, int, int]) -> None:
    """The first has no texts; a small one has many, though fewer than make a column of strings."""
    columns = TextColumns(MISSING)
    cells = [[None] * 500, [f"w{i % 100}" for i in range(2000)], [f"v{i}" for i in range(400)]]
    for piece in order:
        columns.read(pl.DataFrame({"x": pl.Series(cells[piece], dtype=pl.String)}))
    assert isinstance(columns.types(pl.DataFrame({"x": ["w1"]}))["x"], pl.Enum)
