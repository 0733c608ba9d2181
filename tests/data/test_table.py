"""Reading a table: the messy files, files of the same kinds, and Python's csv module as oracle."""

import csv
import gzip
import io
import logging
import math
import random
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf
from pandas._libs import parsers as pandas_readers

from nnlab.config.command_line import as_hydra_reads
from nnlab.data.chunks import find_place, read_chunks
from nnlab.data.columns.number_formats import find_number_format, to_numbers
from nnlab.data.columns.words import is_text
from nnlab.data.csv import source as csv_source
from nnlab.data.csv import survey as csv_survey
from nnlab.data.csv.options import CsvOptions, missing_values
from nnlab.data.table import read_table, require_column

Write = Callable[..., Path]

# What the file itself shows nothing of: training or predicting finds it and refuses it.
LEFT_TO_THE_CALLER = {
    "ml/target_has_inf.csv": "an infinite target",
    "ml/inf_values.csv": "infinite features",
    "ml/only_target_column.csv": "no column besides the target",
    "ml/predict_missing_column.csv": "a column that the model needs",
}
# With these, every OPT file has the rows and columns that the manifest promises.
STATED = {
    "csvkit/no_header_row.csv": {"header": False},
    "csvkit/test_latin1.csv": {"encoding": "latin-1"},
    "csvkit/test_skip_lines.csv": {"skip_lines": 3},
    "frictionless/latin1.csv": {"encoding": "latin-1"},
    "frictionless/matrix-with-comment.csv": {"comment": "#"},
    "frictionless/skip-rows-before-headers.csv": {"comment": "#"},
    "frictionless/skip-rows.csv": {"comment": "#"},
    "frictionless/table-infer-iso-8859-7.csv": {"encoding": "iso-8859-7"},
    "frictionless/without-headers.csv": {"header": False},
}
# Refused under any option: CR alone ends the lines; a space stands before each quote.
NO_OPTION = {"csvkit/mac_newlines.csv", "frictionless/issue-1109.csv"}


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_file(content: str | bytes, name: str = "table.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write_file


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few bytes at a time, so that small files end a block everywhere."""
    monkeypatch.setattr(csv_source, "BLOCK_BYTES", 64)


def refusal(path: Path, **options) -> str:
    with pytest.raises(ValueError, match=re.escape(path.name)) as caught:
        read_table(path, CsvOptions(**options))
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_every_messy_file_is_read_as_promised_or_refused(messy_folder: Path) -> None:
    with (messy_folder / "MANIFEST.tsv").open(newline="") as file:
        entries = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    assert len(entries) > 90
    failures = []
    for entry in entries:
        name, expect = entry["file"], entry["expect"]
        shape = f"{entry['rows'] or '-'} {entry['cols'] or '-'}"
        outcome = _outcome(messy_folder / name)
        if name in LEFT_TO_THE_CALLER:
            is_right = outcome.startswith("read")
        elif expect == "REFUSE":
            is_right = outcome.startswith("refused")
        else:
            stated = _outcome(messy_folder / name, **STATED.get(name, {}))
            is_right = _has_shape(stated, shape) or name in NO_OPTION
            is_refused = expect == "OPT" and outcome.startswith("refused")
            is_right &= is_refused or outcome == stated
        if not is_right:
            failures.append(f"{name}: {expect} {shape}, {outcome}")
    assert failures == []


def _outcome(path: Path, **options) -> str:
    try:
        frame = read_table(path, CsvOptions(**options))
    except ValueError as error:
        message = str(error)
        is_clear = path.name in message and "\n" not in message
        is_clear &= re.search(r"line \d+: |column '|is empty", message) is not None
        return f"refused: {message}" if is_clear else f"unclear: {message}"
    return f"read {frame.height} {frame.width}"


def _has_shape(outcome: str, shape: str) -> bool:
    return re.fullmatch("read " + shape.replace("-", r"\d+"), outcome) is not None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("\n", "line 1: .* blank"),
        ("a,^b.*$\n1,2\n", r"line 1: a column's name must not .* got '\^b\.\*\$'; rename it"),
        ("\n\na,b\n1,2\n", "line 1: .* blank; set data.skip_lines=2"),
        ("a,b\n", "line 2: .* no rows .*data.header=false"),
        ("a,b\n1,2\n3\n", "line 3: it has 1 cell, but the header has 2"),
        ("a,b\n1,2\n3,4,5\n", "line 3: it has 3 cells, but the header has 2; mend the line"),
        ("a,b\n1,2,3\n4,5\n", "line 2: it has 3 cells, but the header has 2; mend the line"),
        ('a,b\n\n"r",1,2\n"s",3,4\n', r"=\[row,a,b\]' data.skip_lines=2"),
        (f"{','.join('abcdefghijklmn')}\n{'1,' * 14}2\n", "R writes them, name the first column"),
        ('[\n{"a": 1}]', "it is JSON; write it as CSV"),
        ("a,b\n1,2,\n3,4,\n", "line 2: it has 3 cells.*; mend the line.*data.skip_lines=1"),
        ("a,b\n1,2,3\n4\n", "line 2: it has 3 cells"),
        ("a,b\n1,2\n4\n5,6,7\n", "line 3: it has 1 cell"),
        ('a,b\n"x\ny",2\n\n3\n', "line 5: it has 1 cell"),
        ("a,b\n# note\n1,2\n", "line 2: .*set 'data.comment=\"#\"' if"),
        ("# note\na,b\n1,2\n", "line 2: .*set 'data.comment=\"#\"' if"),
        (",b\n0,2\n", r"column 1 has no name, as the index .* pandas .*to_csv\(index=False\), or"),
        ("title\na;b\n1;2\n", "line 2: it has 2 cells.*data.skip_lines=1"),
        ("a, a\n1,2\n", "line 1: more than one column is named 'a'"),
        ("Report 2024\n\na,b\n1,2\n", "line 3: it has 2 cells.*data.skip_lines=2 if this line"),
        ("Report\nof 2024\n\na;b\n1;2\n", "line 4: .*data.skip_lines=3 if this line"),
        ("Report;;\n;;\na;b;c\n1;2;3\n", "column 2 .*data.skip_lines=2 if line 3 is the header"),
        (";;\na;b;c\n1;2;3\n", "line 1: column 1 .*data.skip_lines=1 if line 2 is the header"),
        ("a,,c\n1,2,3\n", "line 1: column 2 has no name.* if the file has no header$"),
        ("a,a\n1,2\n", "line 1: more than one column is named 'a'.*data.header=false"),
        (
            "a,a_2,a,A\n1,2,3,4\n",
            r"named 'a'; .* data.header=true 'data.column_names=\[a,a_2,a_3,A\]'$",
        ),
        ("a,\n1,2\n", r"line 1: column 2 has no name.*, or name all with 'data.column_names=\[a,c"),
        ("a,b,,\n1,2,,\n", r"column 3 has no name.*=\[a,b,column_3,column_4\]' data.skip_lines=1$"),
        (
            "a,a,,\n1,2,,\n",
            r"column 3 has no name; name every column once, or set \S+ if the file has no header$",
        ),
        ("a,b" + "," * 99 + "\n", r"name all with data.column_names=\[...\] data.skip_lines=1$"),
        ("a, \n1,2\n", "line 1: column 2 has no name"),
        ('a,b\n1,"2\n3,4\n', "line 2: the quote that opens here is never closed"),
        ('a,"b\n1,2\n', "line 1: .*never closed"),
        ('a,b\n1,2"3\n', "line 2: a quote stands inside a cell.*data.quote=none"),
        ('a,b\n1,5"\n2,6"\n', "line 2: a quote stands inside a cell.*data.quote=none"),
        ('a,b\n1, "x"\n', "line 2: a quote stands inside a cell.*take out the blank before"),
        ('"a" "b"\n1 2\n', "line 1: text follows the quote.*set 'data.separator=\" \"'"),
        ("a,b\n1,'x, y'\n", "line 2: it has 3 cells.*if apostrophes enclose cells"),
        ('"a","b"\n"1",1,2\n"2",3,4\n', r"set 'data\.column_names=\[row,a,b\]' data.skip_lines=1"),
        ('a,b\n1,"x"y\n', "line 2: text follows the quote"),
        ('a,b\n1,"x\\"y"\n', "line 2: text follows the quote"),
        ("a,b\r1,2\r3,4\r", "line 1: lines end in CR alone"),
        ("a,b\n1,2\n3\r,4\n", "line 3: a CR stands alone"),
        ("a,b\n1,2\n\0,4\n", "line 3: there is a NUL"),
        (b"a,b\n1,2\n3,\xe9\n", r"line 3: it is not UTF-8 \(byte 0xe9 at offset 10\).*=cp1252"),
        (b"a,b\n1,2\n3,\x93\xe9\x94\n", r"line 3: it is not UTF-8 \(byte 0x93.*encoding=cp1252 or"),
        ("a,b\nü,2\n".encode() + b"3,\xe9\n", r"line 3: .*mend the byte, as other characters are"),
        (b"\xef\xbb\xbfa,b\n1,2\n3,\xe9\n", r"line 3: it is not UTF-8 \(byte 0xe9 at offset 13\)"),
        ("a,b\n1,2\n".encode("utf-16-le"), "line 1: .*data.encoding=utf-16-le"),
        ("a,b\n1,2\n".encode("utf-16-be"), "line 1: .*data.encoding=utf-16-be"),
        (b"\xff\xfe" + "a,b\n1,2\n".encode("utf-16-le")[:-1], "line 2: byte 16 .* utf-16-le"),
        ("<!DOCTYPE html><html>", "web page"),
        (b"PK\x03\x04abc", "zip archive or an Excel"),
        (bytes(range(32)) * 9, "binary"),
        (
            "a,b;c\n1,2;3\n",
            "line 1: .*',' or by ';'; .* with 'data.separator=\",\"' or 'data.separator=\";\"'$",
        ),
        ("a\tb|c\n1\t2|3\n", "'tab' or by '|'; .*data.separator=tab or".replace("|", r"\|")),
        ("1,english\n2,german\n3,dutch\n", "line 1: '1' heads .*data.header=false.*=true"),
        ('a;b\n"1,5";x\n"2,25";y\n', "column 'a' .*data.decimal=\",\""),
        (
            "a;b\n950;x\n1.234.567;y\n",
            "'1.234.567', with points .* set 'data.decimal=\",\"' if all",
        ),
        (
            "a;b\n950,5;x\n1.234,56;y\n",
            "'1.234,56', with points .* set 'data.decimal=\",\"' if all",
        ),
        ("a;b\n9.500;x\n1.234.567;y\n", "with points .*; take these out, as in 1234567, or 'data"),
    ],
)
def test_what_is_not_plainly_a_table_is_refused(write: Write, content, message: str) -> None:
    assert re.search(message, refusal(write(content))), refusal(write(content))


def test_a_damaged_or_wrongly_named_gzip_file_is_refused(write: Write) -> None:
    packed = gzip.compress(b"a,b\n" + b"1,2\n" * 1000)
    assert "damaged or cut short" in refusal(write(packed[:-9], "cut.csv.gz"))
    assert "must be a gzip file" in refusal(write("a,b\n1,2\n", "plain.csv.gz"))
    assert "must be a Parquet file" in refusal(write("a,b\n1,2\n", "plain.parquet"))
    assert "cannot be read as a Parquet file" in refusal(write(b"PAR1abcdefgh", "cut.parquet"))


def test_names_that_polars_takes_for_patterns_are_refused(write: Write, tmp_path: Path) -> None:
    pl.DataFrame({"a": [1], "^b$": [2]}).write_parquet(tmp_path / "t.parquet")
    assert refusal(tmp_path / "t.parquet").endswith("got '^b$'; rename it, such as 'b'")
    path = write("1,2\n")
    assert "such as 'b'" in refusal(path, column_names=["a", "^b$"])


MIXED_POINTS = "n,y\n" + "".join(
    f"{n},{n}\n" for n in (950, 12, 7, 310, 46, "1.040", 2.483, 9.649, 1.899, 3.204)
)


def test_points_that_can_only_mark_thousands_are_refused(write: Write) -> None:
    message = refusal(write(MIXED_POINTS))
    assert "column 'n'" in message
    assert "such as '1.040' beside '950', as if the point marked thousands" in message
    for decimal, n in ((",", 1040), (".", 1.04)):
        frame = read_table(write(MIXED_POINTS), CsvOptions(decimal=decimal))
        assert with_points(frame, decimal)[5] == n


def with_points(frame: pl.DataFrame, decimal: str) -> list[float]:
    if frame["n"].dtype.is_numeric():
        return frame["n"].to_list()
    return to_numbers(frame["n"].cast(pl.String), find_number_format(frame["n"], decimal)).to_list()


@pytest.mark.parametrize(
    "numbers",
    [
        "950 12 7 310 46 1.040 2.483",  # too few
        "-999 1.040 2.483 9.649 1.899 3.204",  # for a missing value
        "1.041 2.483 9.649 1.899 3.204 7.110",  # nothing beside them
        "0.950 12 7 310 46 84 1.040 2.483 9.649 1.899 3.204",
        "950 12 7 310 46 1.041 2.483 9.649 1.899 3.204",  # zeros at the end are left out
        "1950 12 7 310 46 1.040 2.483 9.649 1.899 3.204",
        "950 12 7 310 46 1.04 2.483 9.649 1.899 3.204 2.410",
    ],
)
def test_points_that_may_be_decimal_marks_are_not(write: Write, numbers: str) -> None:
    cells = numbers.split()
    frame = read_table(write("n,y\n" + "".join(f"{cell},1\n" for cell in cells)))
    assert frame["n"].to_list() == [float(cell) for cell in cells]


def test_brackets_in_the_name_of_a_parquet_file_are_no_pattern(tmp_path: Path) -> None:
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "n1.parquet")
    pl.DataFrame({"a": [2]}).write_parquet(tmp_path / "n[1].parquet")
    assert read_table(tmp_path / "n[1].parquet")["a"].to_list() == [2]


def test_a_parquet_column_may_be_called_as_polars_calls_all_of_them(tmp_path: Path) -> None:
    columns = {"a": [1, 2], "*": pl.Series([1, 2**63], dtype=pl.UInt64), "z": ["x", "y"]}
    pl.DataFrame(columns).write_parquet(tmp_path / "t.parquet")
    frame = read_table(tmp_path / "t.parquet")
    assert frame.get_column("*").to_list() == ["1", str(2**63)]
    assert frame.get_column("a").to_list() == [1, 2]


@pytest.mark.parametrize("name", ["PAR1", "BZh", "%PDF"])
def test_a_header_may_begin_as_another_kind_of_file_does(write: Write, name: str) -> None:
    assert read_table(write(f"{name},b\n1,2\n")).columns == [name, "b"]


def test_what_is_unseen_around_a_stated_name_does_not_count(write: Write) -> None:
    path = write("1,2\n")
    assert read_table(path, CsvOptions(column_names=["a", "b "])).columns == ["a", "b"]
    message = "must give each column a name of its own, got 'a' more than once"
    assert message in refusal(path, column_names=["a", "a\u00a0"])


def test_what_an_encoding_reads_as_no_character_is_refused(write: Write) -> None:
    assert "line 2: what utf-7 reads there is no character" in refusal(
        write("a\n+2AA-\n"), encoding="utf-7"
    )


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=re.escape(str(tmp_path / "no.csv"))):
        read_table(tmp_path / "no.csv")


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_what_a_file_shows_is_taken_and_said(
    write: Write, caplog, separator: str, encoding: str, line_end: str
) -> None:
    lines = ["größe,name", "1,x", '2,"a,b"', '3,"c\nd"']
    content = line_end.join(lines).replace(",", separator)
    with caplog.at_level(logging.INFO):
        frame = read_table(write(content.encode(encoding)))
    expected = {"größe": [1, 2, 3], "name": ["x", f"a{separator}b", "c\nd"]}
    assert frame.to_dict(as_series=False) == expected
    said = "; ".join(message for message in caplog.messages if "separated" in message)
    assert ("separated by" in said) == (separator != ",")
    assert ("CRLF" in caplog.text) == (line_end == "\r\n")
    assert ("byte order mark" in caplog.text) == (encoding != "utf-8")


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1", "-2", "+3", ""], [1, -2, 3, None]),
        (["1", "2.5", "", "NA"], [1.0, 2.5, None, None]),
        (["1", "nan", "NaN", "?"], [1, None, None, None]),
        (["1.5", "NAN", '""', "N/A"], [1.5, None, None, None]),
        (["1.5", "2", "NAN", "3"], [1.5, 2.0, None, 3.0]),
        (["1e5", "inf", "-inf", "1e999"], [1e5, math.inf, -math.inf, math.inf]),
        (["007", "1", "2", ""], ["007", "1", "2", None]),
        (["10", "1", "2", '"-007"'], ["10", "1", "2", "-007"]),
        (["09", "1", "2", "3"], ["09", "1", "2", "3"]),
        (["1.5", "0.25", "00.11", "0"], ["1.5", "0.25", "00.11", "0"]),
        (["0", "0.5", "1e05", "100.007"], [0.0, 0.5, 1e5, 100.007]),
        (["1", "9223372036854775807", "2", "3"], [1, 2**63 - 1, 2, 3]),
        (["1", "9223372036854775808", "2", "3"], ["1", "9223372036854775808", "2", "3"]),
        (["1.5", "-9223372036854775809", "2", "3"], ["1.5", "-9223372036854775809", "2", "3"]),
        (["0x10", "1", "2", "3"], ["0x10", "1", "2", "3"]),
        (["1_000", "1", "2", "3"], ["1_000", "1", "2", "3"]),
        (["\uff11\uff12", "1", "2", "3"], ["\uff11\uff12", "1", "2", "3"]),
        (['"1,234"', '"2,345"', "1", "2"], ["1,234", "2,345", "1", "2"]),
        (["12%", "13%", "1", "2"], ["12%", "13%", "1", "2"]),
        (["2020-01-02", "2020-01-03", "", "x"], ["2020-01-02", "2020-01-03", None, "x"]),
        (["true", "false", "true", ""], ["true", "false", "true", None]),
        (["", "NA", "", "null"], [None, None, None, None]),
        (["1", "2", "oops", "4"], ["1", "2", "oops", "4"]),
    ],
)
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("block", [32, 2**20])
def test_a_column_is_numbers_if_all_its_cells_are(
    write: Write, monkeypatch, cells, expected, reverse: bool, block: int
) -> None:
    # Whichever piece of the file a cell stands in, the type is the same.
    monkeypatch.setattr(csv_source, "BLOCK_BYTES", block)
    cells, expected = 20 * cells[:1] + cells, 20 * expected[:1] + expected
    if reverse:
        cells, expected = cells[::-1], expected[::-1]
    path = write("k,x\n" + "".join(f"a,{cell}\n" for cell in cells))
    assert read_table(path)["x"].to_list() == expected
    # Few different texts are an enumeration.
    kinds = {str: pl.Enum, int: pl.Int64, float: pl.Float64, None: pl.String}
    of = next((type(value) for value in expected if value is not None), None)
    assert read_table(path)["x"].dtype == kinds[of]


def test_an_encoding_that_needs_a_mark_says_so_where_there_is_none(write: Write) -> None:
    path = write("a,b\n1,2\n".encode("utf-16-le"))
    message = "must be in the encoding utf-16, .*; set data.encoding=utf-16-le or utf-16-be, if it"
    assert re.search(message, refusal(path, encoding="utf-16"))


def test_stated_spellings_of_a_missing_value_replace_the_others(write: Write) -> None:
    path = write("a,b\n-999,NA\n5,-\n-,x\n")
    options = CsvOptions(null_values=["-", "-999"])
    expected = {"a": [None, 5, None], "b": ["NA", None, "x"]}
    assert read_table(path, options).to_dict(as_series=False) == expected
    assert missing_values(options) == ["", "-", "-999"]
    assert missing_values(CsvOptions())[:2] == ["", "NA"]


@pytest.mark.parametrize("decimal", [".", ","])
@pytest.mark.parametrize("first", ["-999", "1.5", "7"])
def test_numbers_for_missing_values_are_missing_however_they_are_written(
    write: Write, monkeypatch: pytest.MonkeyPatch, decimal: str, first: str
) -> None:
    monkeypatch.setattr(csv_source, "BLOCK_BYTES", 64)
    cells = [first, "-999", "-999.0", "0.25", "-999.00", "-999.1", "999", "-9.99e2"] * 20
    lines = [f"{cell};t{cell};{i}" for i, cell in enumerate(cells)]
    path = write("\n".join(["x;t;n", *lines, "1;-999.0;-999", ""]).replace(".", decimal))
    found = read_table(path, CsvOptions(null_values=["-999", "7"], decimal=decimal))
    numbers = [None if float(cell) in (-999, 7) else float(cell) for cell in cells]
    assert found["x"].to_list() == [*numbers, 1]
    assert found["t"][-1] == f"-999{decimal}0"
    assert found["n"].to_list() == [None if i == 7 else i for i in range(len(cells))] + [None]


def test_numbers_for_missing_values_are_missing_in_parquet(tmp_path: Path) -> None:
    frame = pl.DataFrame({"n": [-999, 1, 7], "x": [-999.0, 0.5, 7.25], "t": ["-999", "0.5", "a"]})
    frame.write_parquet(tmp_path / "t.parquet")
    found = read_table(tmp_path / "t.parquet", CsvOptions(null_values=["-999", "0.5", "7.0", "-"]))
    assert found.rows() == [(None, None, None), (1, None, None), (None, 7.25, "a")]


def test_a_blank_cell_is_missing(write: Write) -> None:
    path = write("a,b\n1.5, \n ,x\n")
    assert read_table(path).rows() == [(1.5, None), (None, "x")]


def test_spellings_of_a_missing_value_are_those_of_pandas_and_others(write: Write) -> None:
    of_pandas = pandas_readers.STR_NA_VALUES - {""}
    assert set(missing_values(CsvOptions())) >= of_pandas | {"?", ".", "na", "NONE"}
    cells = ["1.5", *missing_values(CsvOptions())]
    values = read_table(write("k,x\n" + "".join(f"a,{cell}\n" for cell in cells)))["x"]
    assert values.to_list() == [1.5] + [None] * (len(cells) - 1)
    # These may be categories or classes.
    assert not {"-", "none", "None of these", "unknown"} & set(missing_values(CsvOptions()))


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_blanks_around_cells_and_names_do_not_count(write: Write, caplog, line_end: str) -> None:
    lines = [
        'a ,"b ",\tc,d, e f ',
        '1 ,1.5," x  y ",  ,g',
        '\t2, NA, ?,"  ", g ',
        '" 3",2 ,x  y,,"""g"" "',
    ]
    with caplog.at_level(logging.INFO):
        frame = read_table(write(line_end.join(lines)))
    assert frame.columns == ["a", "b", "c", "d", "e f"]
    assert frame.rows() == [
        (1, 1.5, "x  y", None, "g"),
        (2, None, None, None, "g"),
        (3, 2.0, "x  y", None, '"g"'),
    ]
    assert caplog.messages[-1] == "table.csv: blanks around cells do not count"
    assert caplog.text.count("blanks") == 1


@pytest.mark.parametrize("cell", ["{} ", " {}", "{}"])
def test_blanks_are_found_wherever_in_a_slice_they_are(
    write: Write, monkeypatch: pytest.MonkeyPatch, cell: str
) -> None:
    monkeypatch.setattr(csv_survey, "SLICE_BYTES", 8)
    for length in range(1, 20):
        text = "x" * length
        frame = read_table(write(f"a,b\n{text},{cell.format('y')}\n"))
        assert frame.rows() == [(text, "y")]
        assert read_table(write(f"a,b\n{cell.format(text)},y\n")).rows() == [(text, "y")]


@pytest.mark.parametrize("separator", [",", "|"])
@pytest.mark.parametrize("cell", ["-05", "+05", "007", "-0.5"])
def test_zeros_before_digits_are_found_among_dates(
    write: Write, monkeypatch: pytest.MonkeyPatch, cell: str, separator: str
) -> None:
    monkeypatch.setattr(csv_survey, "SLICE_BYTES", 8)
    for length in range(1, 10):
        rows = [("x" * length, cell), ("2016-07-05", "10"), ("2016-07-06", "-1")]
        text = "\n".join(separator.join(row) for row in [("a", "b"), *rows])
        frame = read_table(write(text + "\n"))
        numbers = [(word, float(number)) for word, number in rows]
        assert frame.rows() == (numbers if cell == "-0.5" else rows)


def test_a_tab_within_quotes_is_a_blank_where_tabs_separate(write: Write) -> None:
    path = write(b'g\tx\n"a\t"\t1\n"\tb"\t2\n"a\tb"\t3\nc\t\n\t4\n')
    frame = read_table(path)
    assert frame["g"].to_list() == ["a", "b", "a\tb", "c", None]
    assert frame["x"].to_list() == [1, 2, 3, None, 4]


def test_blanks_within_cells_and_separators_that_are_blanks_stay(write: Write, caplog) -> None:
    with caplog.at_level(logging.INFO):
        frame = read_table(write('a b,c\nx y,"z, z"\n'))
        assert frame.rows(named=True) == [{"a b": "x y", "c": "z, z"}]
        tabs = read_table(write("a\tb\tc\n1\t\t\n2\t x\t\n"))
        assert tabs.rows() == [(1, None, None), (2, "x", None)]
        spaces = read_table(write("a b\n1 \n2 x\n"), CsvOptions(separator=" "))
        assert spaces.rows() == [(1, None), (2, "x")]
    assert caplog.text.count("blanks around cells") == 1


def test_cells_that_are_missing_in_messy_files_are_those_that_the_manifest_says(
    messy_folder: Path,
) -> None:
    blanks = read_table(messy_folder / "csvkit/blanks.csv")
    assert blanks.null_count().row(0) == (1,) * 6
    # All nine but the hyphen, which keeps the column text: it is not always a missing value.
    x = read_table(messy_folder / "ml/nan_spellings.csv")["x"]
    assert x.drop_nulls().to_list() == ["1", "-"]
    stated = CsvOptions(null_values=["nan", "NaN", "NA", "N/A", "null", "-", "?"])
    x = read_table(messy_folder / "ml/nan_spellings.csv", stated)["x"]
    assert x.to_list() == [1] + [None] * 8
    path = messy_folder / "frictionless/table-infer-missing-values.csv"
    assert read_table(path)["id"].to_list()[:2] == ["1", "-"]
    assert read_table(path, CsvOptions(null_values=["-"]))["id"].to_list()[:2] == [1, None]
    rows = read_table(messy_folder / "frictionless/blank-rows-multiple.csv")
    assert rows.null_count().row(0) == (11,) * 3
    assert read_table(messy_folder / "csv-spectrum/empty.csv").null_count().row(0) == (0, 1, 1)


def test_a_zero_behind_a_comma_in_quotes_is_no_leading_one(write: Write) -> None:
    cells = [f"{i}.{i:03},0{i}" for i in range(1, 10)]
    path = write("a,b\n" + "".join(f'"{cell}",{i}\n' for i, cell in enumerate(cells)))
    expected = [float(cell.replace(".", "").replace(",", ".")) for cell in cells]
    assert read_table(path, CsvOptions(decimal=","))["a"].to_list() == expected


def test_decimal_commas_are_read_when_stated(write: Write) -> None:
    path = write("a;b;c;d\n3,5;1;1.234,5;1.5\n-,25;2;2;2,5\n1;;;\n")
    expected = {
        "a": [3.5, -0.25, 1.0],
        "b": [1, 2, None],
        "c": [1234.5, 2, None],
        "d": ["1.5", "2,5", None],
    }
    assert read_table(path, CsvOptions(decimal=",")).to_dict(as_series=False) == expected
    points = write("a;b;c\n-1.234,56;1.234.567;1.234\n950,5;12,5;3,5\n1.000,;2.000.000,25;1\n")
    assert read_table(points, CsvOptions(decimal=",")).to_dict(as_series=False) == {
        "a": [-1234.56, 950.5, 1000],
        "b": [1234567, 12.5, 2000000.25],
        # On its own a point may be a decimal mark nevertheless.
        "c": ["1.234", "3,5", "1"],
    }
    quoted = write('a,b\n"3,5",1\n')
    assert read_table(quoted, CsvOptions(decimal=","))["a"].to_list() == [3.5]
    assert read_table(quoted, CsvOptions(decimal="."))["a"].to_list() == ["3,5"]


def test_blank_lines_are_left_out_and_said_but_empty_rows_stay(write: Write, caplog) -> None:
    path = write("a,b\n\n1,x\n\r\n,\n2,y\n\n\n")
    with caplog.at_level(logging.INFO):
        assert read_table(path)["a"].to_list() == [1, None, 2]
    assert "left out 4 blank lines" in caplog.text


def test_a_blank_line_in_a_single_column_is_a_missing_value(write: Write, small_blocks) -> None:
    path = write("a\n\n1\n" + "\n" * 100 + "2\n" + "\r\n" * 100)
    assert read_table(path)["a"].to_list() == [None, 1, *[None] * 100, 2]


def test_comments_and_lines_above_the_header_are_left_out_when_stated(write: Write, caplog) -> None:
    path = write('a title\n\n#note\na,b\n1,"#x"\n#skip, this\n"\n#2",3\n#end')
    options = CsvOptions(skip_lines=2, comment="#")
    with caplog.at_level(logging.INFO):
        assert read_table(path, options).rows() == [("1", "#x"), ("\n#2", "3")]
    assert "left out 2 comment lines" in caplog.text
    assert "line 1: no line is left" not in refusal(path)
    assert "no line is left" in refusal(path, skip_lines=50)


def test_names_may_be_stated(write: Write) -> None:
    path = write("1,x\n2,y\n")
    assert read_table(path, CsvOptions(header=False)).columns == ["column_1", "column_2"]
    named = read_table(path, CsvOptions(column_names=["a", "b"]))
    assert named.rows(named=True) == [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]
    renamed = CsvOptions(column_names=["a", "b"], header=True)
    assert read_table(path, renamed).rows(named=True) == [{"a": 2, "b": "y"}]
    assert read_table(write("a,b\n1,2\n"), CsvOptions(column_names=["a", "b"])).height == 1
    assert "holds 1 names, but the line has 2 cells" in refusal(path, column_names=["a"])


@pytest.mark.parametrize(
    "content",
    [
        "1,2,3\n4,5,6\n",
        "id,1990,2000,2010\na,1,2,3\n",
        "y,1,0\n1,2,3\n",
        "x,2020\n1,up\n",
        "a,7,8\nx,2,3\n",
    ],
)
def test_labels_that_are_numbers_are_a_header(write: Write, content: str) -> None:
    assert read_table(write(content)).columns == content.splitlines()[0].split(",")


@pytest.mark.parametrize("row", ["ann,3,2", "5.1,4.1,setosa", "p0,7,5", "id,0.5,1.5"])
def test_two_numbers_are_a_row(write: Write, row: str) -> None:
    assert "looks like a row, not a header" in refusal(write(f"{row}\n{row}\n{row}\n"))


def test_the_header_of_a_second_file_is_no_row(write: Write) -> None:
    rows = "1,a\n2,b\n"
    message = refusal(write(f"n,c\n{rows}n,c\n{rows}n,c\n{rows}"))
    assert "line 4: the header stands here once more, as where files were joined" in message
    assert "(and once more below); take such lines out, or set data.header=false if" in message
    path = write(f"n,c\n{rows}n,c\n{rows}")
    assert read_table(path, CsvOptions(header=True)).height == 5
    assert read_table(path, CsvOptions(header=False)).height == 6
    assert read_table(write("n,c\nn,a\nb,c\n")).height == 2  # single cells may say the same


def test_quotes_are_text_when_stated(write: Write) -> None:
    path = write('a,b\n1,5"\n2,6"\n')
    assert read_table(path, CsvOptions(quote="none"))["b"].to_list() == ['5"', '6"']
    path = write("a,b\n'x,y',1\n'it''s',2\n")
    assert read_table(path, CsvOptions(quote="'"))["a"].to_list() == ["x,y", "it's"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"separator": ";;"}, "separator must be one character"),
        ({"encoding": "utf-99"}, "encoding must be an encoding"),
        ({"encoding": "hex"}, "encoding must be an encoding"),
        ({"decimal": ";"}, "decimal must be one of"),
        ({"quote": "ab"}, "quote must be one character"),
        ({"null_values": "NA"}, "null_values must be a list"),
        ({"null_values": [-999]}, "null_values must be a list"),
        ({"header": "no"}, "header must be true or false"),
        ({"column_names": ["a", "a"]}, "column_names must be distinct"),
        ({"skip_lines": -1}, "skip_lines must be a whole number"),
        ({"comment": ""}, "comment must be a text"),
        ({"separator": '"'}, "separator and quote must differ"),
    ],
)
def test_an_option_that_means_nothing_is_refused(options, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CsvOptions(**options)


def test_an_encoding_against_the_byte_order_mark_is_refused(write: Write) -> None:
    path = write("a,b\n1,2\n".encode("utf-8-sig"))
    assert "leave data.encoding out" in refusal(path, encoding="latin-1")
    assert read_table(path, CsvOptions(encoding="utf-8")).columns == ["a", "b"]
    other = write("a,b\n1,2\n".encode("utf-16-le"))
    assert read_table(other, CsvOptions(encoding="utf-16-le")).rows() == [(1, 2)]


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "iso-8859-7", "cp1251"])
def test_utf_8_is_not_read_by_another_encoding(write: Write, small_blocks, encoding: str) -> None:
    lines = ["a,b", *["1,x"] * 20, "2,größe"]
    path = write("\n".join(lines))
    message = refusal(path, encoding=encoding)
    assert re.search(r"line 22: the file is UTF-8, where .*; set data.encoding=utf-8$", message)
    assert read_table(path, CsvOptions(encoding="utf-8")).height == 21
    text = "a,b\n1,αβγ\n" if encoding == "iso-8859-7" else "a,b\n1,Тёма\n"
    if encoding in ("latin-1", "cp1252"):
        text = "a,b\n1,größe é\n"
    path = write(text.encode(encoding))
    assert read_table(path, CsvOptions(encoding=encoding)).row(0)[1] == text[6:].strip()


def test_a_text_of_windows_is_not_read_as_latin_1(write: Write, small_blocks) -> None:
    path = write("a,b\n1,é\n2,“quoted” 5 €\n".encode("cp1252"))
    message = refusal(path, encoding="latin-1")
    assert re.search(r"line 3: .* Windows, .* '\\x93'; set data.encoding=cp1252$", message)
    assert read_table(path, CsvOptions(encoding="cp1252"))["b"][1] == "“quoted” 5 €"


@pytest.mark.parametrize("mark", [",", ";", "|", "\t", ":"])
def test_the_line_of_excel_that_names_the_separator_is_taken(write: Write, caplog, mark) -> None:
    path = write(f"sep={mark}\r\na{mark}b\r\n1{mark}2\r\n")
    with caplog.at_level(logging.INFO):
        assert read_table(path).rows(named=True) == [{"a": 1, "b": 2}]
    assert ", as its first line says" in caplog.text
    assert find_place(path, CsvOptions(), 0) == "line 3"
    commented = write(f"sep={mark}\n# by hand\na{mark}b\n1{mark}2\n")
    assert read_table(commented, CsvOptions(comment="#")).rows() == [(1, 2)]
    message = refusal(write(f"sep={mark}\n\na{mark}b\n1{mark}2\n"))
    assert "line 2: it must be the header, but it is blank" in message


THOUSANDS = "a;b\n1.000;2\n2.500;3\n10.750;4\n"


def test_points_that_may_mark_thousands_are_refused(write: Write) -> None:
    message = refusal(write(THOUSANDS))
    assert "column 'a'" in message
    assert "set 'data.decimal=\".\"' if the point is a decimal mark" in message
    assert message.endswith("'data.decimal=\",\"' if it marks thousands")
    assert message == refusal(write(THOUSANDS.replace("\n", " \n").replace(";", " ;")))
    frame = read_table(write(THOUSANDS), CsvOptions(decimal="."))
    assert frame["a"].to_list() == [1.0, 2.5, 10.75]


@pytest.mark.parametrize("seed", range(20))
def test_points_before_any_three_digits_may_mark_thousands(write: Write, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    numbers = [f"{chance.randint(1, 999)}.{chance.randint(0, 999):03}" for _ in range(60)]
    path = write("a;b\n" + "".join(f"{number};x\n" for number in numbers))
    with pytest.raises(ValueError, match="semicolons between cells leave open"):
        read_table(path)


@pytest.mark.parametrize(
    "content",
    [
        THOUSANDS.replace(";", ","),
        THOUSANDS + "0.125;3\n",
        THOUSANDS + "12.5;3\n",
        THOUSANDS + "12.50;3\n",
        THOUSANDS + "1.2345;3\n",
        THOUSANDS + "1234.125;3\n",
        THOUSANDS + "1.125;-0.5\n",
        "a;b\n1;2\n1e3;inf\n",
    ],
)
def test_points_that_plainly_mark_decimals_are_read(write: Write, content: str) -> None:
    assert read_table(write(content))["a"].dtype == pl.Float64


def test_gzip_and_parquet_give_the_table_of_the_csv(write: Write, tmp_path: Path) -> None:
    content = "a,b,c\n1,0.5,x\n,NA,\n3,2.5,None\n"
    frame = read_table(write(content))
    assert read_table(write(gzip.compress(content.encode()), "t.csv.gz")).equals(frame)
    assert read_table(write(gzip.compress(content.encode()), "t.data")).equals(frame)
    raw = frame.with_columns(
        pl.col("a").cast(pl.Int16),
        pl.Series("b", [0.5, math.nan, 2.5]),
        pl.Series("c", ["x", "", "None"]),
    )
    raw.write_parquet(tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet").equals(frame)
    padded = raw.with_columns(pl.Series("c", [" x", " ", "None\t"]))
    padded.write_parquet(tmp_path / "p.parquet")
    assert read_table(tmp_path / "p.parquet").equals(frame)
    raw.with_columns(pl.concat_list("a", "a").alias("l")).write_parquet(tmp_path / "l.parquet")
    # Only where a list is used does it matter.
    assert read_table(tmp_path / "l.parquet").drop("l").equals(frame)


def _random_table(rng: random.Random) -> list[list[str]]:
    alphabet = 'ab1é,;"\n\r\t |0.-'
    width, height = rng.randint(1, 5), rng.randint(1, 40)
    header = [f"c{index}" for index in range(width)]
    rows = [
        ["".join(rng.choices(alphabet, k=rng.randint(0, 6))) for _ in range(width)]
        for _ in range(height)
    ]
    return [header, *rows]


def _written(rows: list[list[str]], rng: random.Random) -> str:
    """The rows as CSV; cells that need no quotes have them at times."""
    line_end, share = rng.choice(["\n", "\r\n"]), rng.choice([0.0, 0.3, 1.0])

    def cell(text: str) -> str:
        # A bare empty cell would be a blank line in a table of one column.
        is_bare = not set(text) & set(',"\r\n') and (text or len(rows[0]) > 1)
        is_quoted = not is_bare or rng.random() < share
        return '"' + text.replace('"', '""') + '"' if is_quoted else text

    text = "".join(",".join(map(cell, row)) + line_end for row in rows)
    return text if rng.random() < 0.5 else text.removesuffix(line_end)


@pytest.mark.parametrize("seed", range(200))
def test_random_tables_are_read_as_python_reads_them(write: Write, monkeypatch, seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311
    monkeypatch.setattr(csv_source, "BLOCK_BYTES", rng.choice([256, 512, 2**20]))
    monkeypatch.setattr(csv_source, "_TAIL_BYTES", rng.choice([8, 128, 2**12]))
    rows = _random_table(rng)
    path = write(text := _written(rows, rng))
    oracle = list(csv.reader(io.StringIO(text, newline="")))
    assert oracle == rows
    options = CsvOptions(separator=",", decimal=".", header=True)
    chunks = list(read_chunks(path, options, rows=rng.randint(1, 50)))
    cells = [list(row) for chunk in chunks for row in chunk.frame.rows()]
    assert cells == rows[1:]
    reader = csv.reader(io.StringIO(text, newline=""))
    lines = [1, *(1 + _lines_before(text, index, reader) for index in range(1, len(rows) + 1))]
    found = [chunk.line(row) for chunk in chunks for row in range(chunk.frame.height)]
    assert found == lines[1:-1]
    frame = read_table(path, options)
    assert frame.shape == (len(rows) - 1, len(rows[0]))
    missing = missing_values(options)
    for index, values in enumerate(frame):
        # Chunks keep the blanks around cells, a table does not.
        texts = [row[index].strip(" \t") for row in rows[1:]]
        column = [None if text in missing else text for text in texts]
        if is_text(values):
            assert values.to_list() == column
        else:
            assert values.to_list() == [None if cell is None else float(cell) for cell in column]


def _lines_before(text: str, records: int, reader) -> int:
    """Line feeds in the first records, counted by Python's own reader."""
    next(reader, None)
    consumed = io.StringIO(text, newline="").readlines()[: reader.line_num]
    return "".join(consumed).count("\n")


@pytest.mark.parametrize("seed", range(100))
def test_a_separator_too_many_or_too_few_is_refused(write: Write, monkeypatch, seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311
    monkeypatch.setattr(csv_source, "BLOCK_BYTES", rng.choice([64, 2**20]))
    quotes = rng.choice(["", '"'])
    lines = ["a,b,c,d"] + [
        ",".join([f"{quotes}x{quotes}", *map(str, rng.choices(range(1, 100), k=3))])
        for _ in range(rng.randint(1, 60))
    ]
    index = rng.randrange(1, len(lines))
    other = rng.randrange(1, len(lines))
    cut = rng.randint(1, len(lines[index]))
    longer = lines[index][:cut].replace('"', "") + "," + lines[index][cut:].replace('"', "")
    shorter = lines[index].replace(",", rng.choice([" ", "", "-"]), 1).replace('"', "")
    number = index + 1
    if rng.random() < 0.3 and other != index:
        # As many separators as before, but not in the right lines.
        lines[index], lines[other] = longer, lines[other].replace(",", "").replace('"', "")
        lines[other] = lines[other] or "0"
        number = min(index, other) + 1
    else:
        lines[index] = rng.choice([longer, shorter])
    assert f"line {number}: it has" in refusal(write("\n".join(lines) + "\n"), separator=",")


def test_chunks_hold_the_text_of_the_file_with_its_lines(write: Write, small_blocks) -> None:
    path = write("a,b\n1,NA\n\n007,\n" + '"x\ny",2\n' * 50 + "3,4\n")
    chunks = list(read_chunks(path, rows=7))
    assert max(chunk.frame.height for chunk in chunks) <= 7
    frame = pl.concat(chunk.frame for chunk in chunks)
    assert frame.schema == {"a": pl.String, "b": pl.String}
    assert frame.rows()[:3] == [("1", "NA"), ("007", ""), ("x\ny", "2")]
    lines = [chunk.line(row) for chunk in chunks for row in range(chunk.frame.height)]
    assert lines == [2, 4, *range(5, 105, 2), 105]
    assert chunks[0].line(0) == 2
    assert chunks[-1].place(chunks[-1].frame.height - 1) == "line 105"


def test_a_table_without_rows_is_one_empty_chunk(write: Write, tmp_path: Path) -> None:
    pl.DataFrame({"a": [], "b": []}).write_parquet(tmp_path / "empty.parquet")
    for path in (write("a,b\n"), write("a,b"), tmp_path / "empty.parquet"):
        (chunk,) = read_chunks(path, rows=10)
        assert chunk.frame.columns == ["a", "b"]
        assert chunk.frame.is_empty()


@pytest.mark.parametrize("kind", ["csv", "gzip", "utf-16", "parquet"])
def test_chunks_tell_how_much_of_the_file_is_read(tmp_path: Path, monkeypatch, kind: str) -> None:
    monkeypatch.setattr(csv_source, "BLOCK_BYTES", 2**17)
    frame = pl.DataFrame({"a": np.random.default_rng(0).normal(size=50_000)})
    path, text = tmp_path / "table", frame.write_csv()
    if kind == "parquet":
        frame.write_parquet(path)
    else:
        content = text.encode("utf-16" if kind == "utf-16" else "utf-8")
        path.write_bytes(gzip.compress(content) if kind == "gzip" else content)
    rows = 0
    for chunk in read_chunks(path, rows=1000):
        rows += chunk.frame.height
        # All rows are about as long, so that a share of the bytes is one of the rows. 128 KiB of
        # a compressed file are unpacked in advance.
        assert chunk.done == pytest.approx(rows / 50_000, abs=0.3 if kind == "gzip" else 0.02)
    assert chunk.done == pytest.approx(1, abs=1e-3)


def test_whole_decimals_of_a_database_are_whole_numbers(tmp_path: Path) -> None:
    ids = [1234567890123456789 + i for i in range(4)]
    whole, money = pl.Decimal(38, 0), pl.Decimal(30, 2)
    frame = pl.DataFrame(
        {
            "id": pl.Series(ids).cast(whole),
            "beyond": pl.Series([str(i * 100) for i in ids]).cast(whole),
            "price": pl.Series(["1.50", "2.25", None, "-0.01"]).cast(money),
        }
    )
    frame.write_parquet(tmp_path / "t.parquet")
    found = read_table(tmp_path / "t.parquet")
    assert found["id"].to_list() == ids
    assert found.schema["id"] == pl.Int64
    assert found["beyond"].to_list() == [str(i * 100) for i in ids]
    assert found["price"].to_list() == [1.5, 2.25, None, -0.01]


def test_names_of_parquet_are_those_of_the_csv(tmp_path: Path) -> None:
    frame = pl.DataFrame({" pad ": [1], "net\nprice": [2]})
    frame.write_parquet(tmp_path / "t.parquet")
    frame.write_csv(tmp_path / "t.csv")
    for path in (tmp_path / "t.parquet", tmp_path / "t.csv"):
        assert read_table(path).columns == ["pad", "net price"]
    pl.DataFrame({"a": [1], " a": [2]}).write_parquet(tmp_path / "t.parquet")
    assert "two columns are called 'a'; rename one" in refusal(tmp_path / "t.parquet")


@pytest.mark.parametrize("block", [*range(7, 20), 2**20])
@pytest.mark.parametrize(
    ("content", "quote", "rows"),
    [
        ('v,w\n1,1\n# sensor 5" moved\n2,2\n# last "', None, [(1, 1), (2, 2)]),
        (
            'v,w\n1,"a\n# so "" too"\n# 5" or "6" or "\n2,b\n',
            None,
            [(1, 'a\n# so " too'), (2, "b")],
        ),
        ("v,w\n1,'x'\n# it's\n2,'y'\n", "'", [(1, "x"), (2, "y")]),
    ],
)
def test_quotes_in_comments_open_nothing(
    write: Write, monkeypatch: pytest.MonkeyPatch, block: int, content: str, quote, rows
) -> None:
    monkeypatch.setattr(csv_source, "BLOCK_BYTES", block)
    for comment in ("#", "//"):
        path = write(content.replace("#", comment))
        read = read_table(path, CsvOptions(comment=comment, quote=quote)).rows()
        assert read == [(v, w.replace("#", comment) if isinstance(w, str) else w) for v, w in rows]


def test_what_is_unseen_around_a_name_is_no_part_of_it(write: Write, tmp_path: Path) -> None:
    content = "\ufeff\ufeffa,\u00a0b\u200b\n1,2\n"
    assert read_table(write(content)).columns == ["a", "b"]
    assert "more than one column is named 'café'" in refusal(write("caf\u00e9,cafe\u0301\n1,2\n"))


def test_whatever_is_damaged_in_a_parquet_file_it_is_named(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    path = tmp_path / "t.parquet"
    pl.DataFrame(
        {"a": rng.normal(size=300), "b": rng.choice(["x", "y", "zebra"], 300), "c": range(300)}
    ).write_parquet(path)
    whole = path.read_bytes()
    refusals = []
    for _ in range(60):
        damaged = bytearray(whole)
        start = int(rng.integers(4, len(whole) - 8))
        damaged[start : start + 8] = rng.bytes(8)
        path.write_bytes(damaged)
        try:
            read_table(path)  # numbers may be others, which nobody can see
        except ValueError as error:
            refusals.append(str(error))
    assert len(refusals) > 10
    assert all(message.startswith(str(path)) for message in refusals)


def test_chunks_of_parquet_count_rows(tmp_path: Path) -> None:
    pl.DataFrame({"a": range(10), "b": [0.5, None] * 5}).write_parquet(tmp_path / "t.parquet")
    chunks = list(read_chunks(tmp_path / "t.parquet", rows=4))
    assert [chunk.frame.height for chunk in chunks] == [4, 4, 2]
    assert chunks[1].frame.rows()[1] == (5, None)
    assert chunks[1].place(1) == "row 6"


def test_an_endless_record_does_not_fill_the_memory(write: Write, monkeypatch) -> None:
    monkeypatch.setattr(csv_source, "BLOCK_BYTES", 2**10)
    monkeypatch.setattr("nnlab.data.csv.scan._MAX_RECORD_BYTES", 2**12)
    read = []
    original = csv_source._read
    monkeypatch.setattr(csv_source, "_read", lambda *args: read.append(1) or original(*args))
    path = write('a,b\n1,2\n3,"4\n' + "5,6\n" * 10_000)
    assert "line 3: the quote that opens here is never closed" in refusal(path)
    assert len(read) < 12


def test_a_row_is_found_again(write: Write, small_blocks) -> None:
    path = write("x,y\n1,2\n\n" + "2.5,3\n" * 50 + "0,NA\n7,\n-inf,4\n")
    assert len(read_table(path)) == 54
    found = [find_place(path, CsvOptions(), row) for row in (0, 1, 50, 51, 53)]
    assert found == ["line 2", "line 4", "line 53", "line 54", "line 56"]


@pytest.mark.parametrize("name", ['"quoted"', "Size, in cm", "null", "${oc.env:HOME}", "price"])
@pytest.mark.parametrize("what", ["target", "data.group"])
def test_a_column_that_is_not_there_is_suggested_as_it_has_to_be_typed(name, what: str) -> None:
    frame = pl.DataFrame({name: ["a"], "zzzzzzzzzz": [1]})
    with pytest.raises(ValueError, match="; did you mean ") as caught:
        require_column(frame, name.strip('"').replace(", ", ",").upper(), Path("t.csv"), what)
    (said,) = re.findall(r"did you mean (.*)\? \(its columns: ", str(caught.value))
    if name == "price":
        assert said == "'price'"
        return
    (typed,) = shlex.split(said)
    setting = f"data.{what.removeprefix('data.')}"
    override = OverridesParser.create().parse_override(*as_hydra_reads([typed]))
    config = OmegaConf.create({override.key_or_group: override.value()})
    assert OmegaConf.to_container(config, resolve=True) == {setting: name}
