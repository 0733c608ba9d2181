"""What a person is told of cells before training."""

import re
import shlex
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from nnlab.data.cell_warnings import (
    warn_of_future_dates,
    warn_of_odd_cells,
    warn_of_open_dates,
    warn_of_sentinels,
    warn_of_zones,
)
from nnlab.data.columns.inferred_kinds import infer_kinds
from nnlab.data.csv.options import CsvOptions
from nnlab.data.labelled import LabelledTable
from nnlab.data.storage import Storage


def table_of(folder: Path, cells: list[str], **options) -> LabelledTable:
    path = folder / "table.csv"
    frame = pl.DataFrame({"x": cells, "y": [f"{i % 2}" for i in range(len(cells))]})
    frame.write_csv(path)
    storage = Storage(memory_map=False, scratch=folder)
    return LabelledTable(path, CsvOptions(**options), target="y", text=(), storage=storage)


def warnings_of(table: LabelledTable, **said) -> list[str]:
    kinds = infer_kinds(table.frame.select("x"), said=said, drop=[])
    return warn_of_odd_cells(table, kinds)


def test_the_words_of_all_columns_are_in_each_setting(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    numbers = [f"{i / 7}" for i in range(60)]
    frame = {"a": ["oops", *numbers], "b": [*numbers, "none yet"], "y": [*"01" * 30, "0"]}
    pl.DataFrame(frame).write_csv(path)
    storage = Storage(memory_map=False, scratch=tmp_path)
    table = LabelledTable(path, CsvOptions(), target="y", text=(), storage=storage)
    kinds = infer_kinds(table.frame.select("a", "b"), said={}, drop=[])
    first, second = warn_of_odd_cells(table, kinds)
    assert '[oops,"none yet"]' in first.replace('"oops"', "oops")
    assert '["none yet",oops]' in second.replace('"oops"', "oops")


@pytest.mark.parametrize(("odd", "is_told"), [("67*", True), ("67b", False), ("6-7", False)])
def test_numbers_with_a_mark_among_many_are_told_of_unlike_names(
    tmp_path: Path, odd: str, is_told: bool
) -> None:
    cells = [str(10 + i * 7 % 60) for i in range(200)]
    cells[::17] = [odd.replace("7", str(i)) for i in range(10, 10 + len(cells[::17]))]
    told = [w for w in warnings_of(table_of(tmp_path, cells)) if "12 cells are no numbers" in w]
    assert bool(told) == is_told


def test_numbers_that_stand_for_missing_ones_are_named_with_the_setting_that_reads_them_so(
    tmp_path: Path,
) -> None:
    ages = [str(18 + i * 7 % 60) for i in range(80)]
    cells = [*ages, "999", "999"]
    table = table_of(tmp_path, cells)
    kinds = infer_kinds(table.frame.select("x"), said={}, drop=[])
    (warning,) = warn_of_sentinels(table, kinds, classes=True)
    assert warning.startswith("'x' is 999 in 2 rows and else 18 to 77; if such numbers stand for")
    assert warning.endswith(", if not, data.columns.x=numeric")
    (override,) = OverridesParser.create().parse_overrides(
        [shlex.split(warning[: -len(", if not, data.columns.x=numeric")].split("set ")[-1])[0]]
    )
    table = table_of(tmp_path, cells, null_values=override.value())
    kinds = infer_kinds(table.frame.select("x"), said={}, drop=[])
    assert (kinds[0].kind, kinds[0].missing) == ("numeric", 2 / 82)
    assert warn_of_sentinels(table, kinds, classes=True) == []
    # A person knows better.
    table = table_of(tmp_path, cells)
    kinds = infer_kinds(table.frame.select("x"), said={"x": "numeric"}, drop=[])
    assert warn_of_sentinels(table, kinds, classes=True) == []


def test_each_kind_is_a_setting_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    days = [f"{date(2023, 1, 1) + timedelta(i)}" for i in range(88)]
    frame = {
        "age": [*[18 + i * 7 % 60 for i in range(88)], -999, -999],
        "day": [*days, "9999-12-31", "9999-12-31"],
        "y": [i / 7 for i in range(90)],
    }
    pl.DataFrame(frame).write_csv(path)
    storage = Storage(memory_map=False, scratch=tmp_path)
    table = LabelledTable(path, CsvOptions(), target="y", text=(), storage=storage)
    kinds = infer_kinds(table.frame.select("age", "day"), said={}, drop=[])
    (warning,) = warn_of_sentinels(table, kinds, classes=False)
    assert warning.endswith(", if not, data.columns.NAME=numeric or data.columns.NAME=date")


def test_a_target_that_may_be_missing_is_warned_of(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    pl.DataFrame(
        {"x": range(90), "y": [i / 7 if i % 30 else -9999.0 for i in range(90)]}
    ).write_csv(path)
    storage = Storage(memory_map=False, scratch=tmp_path)
    table = LabelledTable(path, CsvOptions(), target="y", text=(), storage=storage)
    (warning,) = warn_of_sentinels(table, [], classes=False)
    assert warning.startswith("'y' is -9999 in 3 rows and else 0.142857 to 12.7143; if such")
    assert "data.columns" not in warning  # a target has no kind to be said
    assert warn_of_sentinels(table, [], classes=True) == []


def test_numbers_of_other_columns_are_not_to_be_lost(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    ages = [18 + i * 7 % 60 if i % 30 else 999 for i in range(90)]
    frame = {
        "age": ages,
        "price": [950 + i % 50 for i in range(90)],
        "y": [i / 7 for i in range(90)],
    }
    pl.DataFrame(frame).write_csv(path)
    storage = Storage(memory_map=False, scratch=tmp_path)
    table = LabelledTable(path, CsvOptions(), target="y", text=(), storage=storage)
    kinds = infer_kinds(table.frame.select("age", "price"), said={}, drop=[])
    (warning,) = warn_of_sentinels(table, kinds, classes=False)
    assert "leave these cells empty, because price has such numbers, too" in warning
    assert "null_values" not in warning
    # Of a column that is left out nothing is lost.
    kinds = infer_kinds(table.frame.select("age", "price"), said={}, drop=["price"])
    (warning,) = warn_of_sentinels(table, kinds, classes=False)
    assert "set 'data.null_values=[\"999\"]' for all columns" in warning


DAYS = [f"{date(2024, 1, 1) + timedelta(i)}" for i in range(60)]


@pytest.mark.parametrize(
    ("cells", "odd"),
    [
        (DAYS, "0000-00-00"),
        ([f"{i / 2}" for i in range(60)], "unknown"),
        ([f"${i},000" for i in range(1, 61)], "unknown"),
        ([f"{i % 25} kg" for i in range(60)], "heavy"),
        (DAYS[:5] * 12, "0000-00-00"),
    ],
    ids=["dates", "numbers", "written numbers", "categories", "few dates"],
)
def test_a_column_lost_to_a_few_cells_is_warned_of_with_what_helps(
    tmp_path: Path, cells: list[str], odd: str
) -> None:
    table = table_of(tmp_path, [*cells[:50], odd, *cells[50:], odd])
    (warning,) = warnings_of(table)
    assert f": 2 cells are no {'dates as in %Y-%m-%d' if '-' in odd else 'numbers'}," in warning
    assert f"'{odd}'" in warning
    # What is suggested helps: the column is what it was meant to be.
    (stated,) = re.findall(r"'data.null_values=.*?\]'", warning)
    override = OverridesParser.create().parse_override(*shlex.split(stated))
    table = table_of(tmp_path, [*cells, odd], null_values=override.value())
    assert warnings_of(table) == []
    (kind,) = infer_kinds(table.frame.select("x"), said={}, drop=[])
    assert kind.kind == ("date" if "-" in odd else "numeric")


def test_numbers_in_units_of_several_kinds_are_warned_of_as_what_they_are(tmp_path: Path) -> None:
    table = table_of(tmp_path, [f"{i} {'kg' if i % 2 else 'lb'}" for i in range(40)])
    (warning,) = warnings_of(table)
    assert warning == (
        "'x' is left out: numbers written in several ways, such as '0 lb' and '1 kg'; write its "
        "numbers in one plain way, each in a cell of its own"
    )
    assert warnings_of(table, x="categorical") == []


@pytest.mark.parametrize("total", ["Total", "gesamt:", "Grand total"])
def test_a_row_of_totals_is_to_be_taken_out(tmp_path: Path, total: str) -> None:
    (warning,) = warnings_of(table_of(tmp_path, [*map(str, range(40)), total]))
    assert warning == (
        f"'x' is left out: 1 cell is no number, such as '{total}'; take the row of '{total}' out "
        "of the file if it sums up others"
    )


def test_rows_of_subtotals_are_to_be_taken_out(tmp_path: Path) -> None:
    cells = [str(i) if i % 10 else "Subtotal" for i in range(1, 101)]
    (warning,) = warnings_of(table_of(tmp_path, cells))
    assert warning.endswith("take the rows of 'Subtotal' out of the file if they sum up others")


def test_cells_that_are_written_alike_are_not_said_to_differ(tmp_path: Path) -> None:
    table = table_of(tmp_path, [f"{i}.5,{i}.25" for i in range(40)])
    (warning,) = warnings_of(table)
    start = "'x' is left out: no number is read from cells such as '0.5,0.25' and '9.5,9.25'; "
    assert warning == start + "write its numbers in one plain way, each in a cell of its own"


def test_minutes_and_seconds_are_told_of(tmp_path: Path) -> None:
    (warning,) = warnings_of(table_of(tmp_path, [f"{i}:{i % 60:02d}" for i in range(70)]))
    assert warning == (
        "'x' is left out: no time is read from cells such as '0:00'; write minutes and seconds as "
        "00:03:23, or all in seconds"
    )
    # As the results of games.
    assert warnings_of(table_of(tmp_path, [f"{i}:{70 - i}" for i in range(5)] * 8)) == []


def test_cells_that_are_written_in_several_ways_are_shown_in_each(tmp_path: Path) -> None:
    cells = [f"0.{i}" if i % 2 else f"{i}.2%" for i in range(40)] + ["0.5"]
    (warning,) = warnings_of(table_of(tmp_path, cells))
    assert "numbers written in several ways, such as '0.1' and '0.2%'; write its" in warning


def test_addresses_are_no_numbers_that_could_be_mended(tmp_path: Path) -> None:
    assert warnings_of(table_of(tmp_path, [f"10.0.{i}.7" for i in range(40)])) == []


def test_a_number_among_dates_is_not_to_be_missing_in_other_columns_too(tmp_path: Path) -> None:
    table = table_of(tmp_path, [*(day.replace("-", "") for day in DAYS), "0"])
    assert warnings_of(table) == [
        "'x' is taken as numbers: 1 cell is no date as in %Y%m%d, such as '0'; mend such cells, or "
        "set data.columns.x=numeric to keep it as it is"
    ]
    assert "null_values" not in warnings_of(table_of(tmp_path, [*DAYS, "0"]))[0]


@pytest.mark.parametrize(
    "cells",
    [
        [*"ab" * 20],
        ["250.83", "401.9", "V57", "E909", "V58", "V45", "038", "V22"] * 20,
        ["5", "10", "none"] * 20,
        [f"name {i}" for i in range(40)],
        [f"{i % 30:05}" for i in range(90)],
        [f"{i:05}" for i in range(90)],
    ],
    ids=["words", "codes", "few numbers", "names", "leading zeros", "identifiers"],
)
def test_words_are_not_warned_of(tmp_path: Path, cells: list[str]) -> None:
    assert warnings_of(table_of(tmp_path, cells)) == []


def test_dates_that_can_be_read_in_two_ways_are_warned_of_until_one_is_said(tmp_path: Path) -> None:
    cells = [f"{i % 12 + 1:02}/{i % 11 + 1:02}/2024" for i in range(60)]

    def warnings(cells: list[str], **said: str) -> list[str]:
        frame = table_of(tmp_path, cells).frame.select("x")
        return warn_of_open_dates(infer_kinds(frame, said=said, drop=[]))

    for said in ({}, {"x": "date"}):
        (warning,) = warnings(cells, **said)
        assert warning == (
            "'x' is read as %d/%m/%Y, but all its dates could be %m/%d/%Y as well; set "
            "data.columns.x=%m/%d/%Y if they are, data.columns.x=%d/%m/%Y if not"
        )
    for way_out in re.findall(r"data\.columns\.x=(\S+)", warning):
        assert warnings(cells, x=way_out) == []
    assert warnings([*cells, "31/01/2024"]) == []
    with_dashes = [cell.replace("/", "-") for cell in cells]
    assert "read as %d-%m-%Y, but all its dates could be %m-%d-%Y" in warnings(with_dashes)[0]
    assert warnings([*with_dashes, "01-31-2024"]) == []
    assert warnings(DAYS) == []


def test_years_of_two_digits_that_are_yet_to_come_are_warned_of() -> None:
    def warnings(years: int) -> list[str]:
        frame = pl.DataFrame({"x": [f"6/{day}/{day + years:02}" for day in range(13, 28)]})
        return warn_of_future_dates(infer_kinds(frame, said={}, drop=[]))

    (warning,) = warnings(32)
    assert warning.startswith("'x' is read as %m/%d/%y, which makes 2059-06-27 of its last date")
    assert warnings(-8) == warnings(2032) == []


def test_times_of_several_zones_are_told_of() -> None:
    def warnings_of_zones(*zones: str) -> list[str]:
        cells = [f"2024-05-{1 + i % 28:02}T08:14:00{zones[i % len(zones)]}" for i in range(60)]
        frame = pl.DataFrame({"at": cells})
        return warn_of_zones(frame, infer_kinds(frame, said={}, drop=[]))

    (warning,) = warnings_of_zones("+01:00", "-08:00")
    assert warning.startswith("'at' has times of several zones (+01:00, -08:00), all taken as UTC")
    for zones in (("+01:00",), ("Z",), ("",), ("+00:00", "Z"), ("+01:00", "+0100")):
        assert warnings_of_zones(*zones) == []
