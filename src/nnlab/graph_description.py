"""What a stranger must know to use an exported graph, as plain data."""

from typing import Any

from nnlab import __version__
from nnlab.data.columns.learned import MISSING, OTHER
from nnlab.data.columns.spelling import FALSE, TRUE
from nnlab.data.csv.options import CsvOptions, missing_values
from nnlab.data.image_rows import ImageReader
from nnlab.data.table_rows import TableReader
from nnlab.predictor import Predictor

_HOW_NUMBERS = (
    "A number as it is, NaN where missing; infinite ones are not allowed. A date is its seconds "
    "since 1970-01-01 00:00 UTC, or since midnight where its format has no date; a duration is "
    "its seconds. Formats of dates are those of strftime; %.f is a fraction of a second with its "
    "point, or nothing; %s counts seconds since 1970, with %3f, %6f or %9f behind it milliseconds, "
    "microseconds or nanoseconds; a date without a time zone is taken as UTC, a "
    "year of two digits as one of 1970 to 2069. The format of a number shows "
    "how 1000.5 would be written; a unit does not count, 5 % being 5, and a number in parentheses "
    "is negative; k or M behind it, with or without a currency, are thousands or millions. A cell "
    "is missing that is one of 'missing_cells', or the same number however it is written: -999 and "
    "-999.0 are one."
)
_HOW_CODES = (
    "A category becomes its number in its column's 'codes'; one that is not there, and a missing "
    "cell, become 'other' and 'missing' of the 'codes' below all inputs. Spaces around a cell do "
    "not count. Written as text, it must be the same text, capitals included, but true and false "
    "stand for True and False where only these are categories; as number, it must be the same "
    "number, however it is written: 1, 1.0 and 01 are one category; as boolean, capitals do not "
    "count, and it is one of 'boolean_spellings'."
)
_HOW_PIXELS = "Brightness from 0 to 255, row by row from the top left, as it was in training."
_HOW_CLASSES = (
    "A probability for each of class_names, in their order; the prediction is the most likely."
)
_HOW_REGRESSION = "The prediction in the target's own unit."


def describe(predictor: Predictor, written: CsvOptions) -> dict[str, Any]:
    """What a stranger must know to build a graph's inputs and to read its output, as plain data.

    Args:
        predictor: What is exported.
        written: How cells of the training data were written.
    """
    spec, reader = predictor.spec, predictor.reader
    width = [] if spec.task == "regression" else [len(spec.class_names)]
    output = {
        "name": output_name(predictor),
        "dtype": "float64" if spec.task == "regression" else "float32",
        "shape": ["rows", *width],
        "how": _HOW_REGRESSION if spec.task == "regression" else _HOW_CLASSES,
    }
    return {
        "nnlab_version": __version__,
        "task": spec.task,
        "class_names": spec.class_names,
        # With none, onnxruntime 1.31 ends the process.
        "rows": "at least one, in all inputs the same number",
        "outputs": [output],
        **(
            _describe_pixels(reader)
            if isinstance(reader, ImageReader)
            else _describe_table(reader, written)
        ),
    }


def _describe_table(reader: TableReader, written: CsvOptions) -> dict[str, Any]:
    numbers = [
        {"name": column.name, "kind": "date", "format": column.date_format}
        if column.is_date
        else {"name": column.name, "kind": "numeric"}
        | ({"format": column.number_format} if column.number_format else {})
        for column in reader.numeric
    ]
    codes = [
        {
            "name": column.name,
            "kind": "boolean" if column.written_as == "boolean" else "categorical",
            "written_as": column.written_as,
            "codes": {name: i + 2 for i, name in enumerate(column.categories)},
        }
        for column in reader.categorical
    ]
    inputs = (
        ("numbers", "float64", _HOW_NUMBERS, numbers),
        ("codes", "int64", _HOW_CODES, codes),
    )
    return {
        "target": reader.target,
        "inputs": [
            {"name": name, "dtype": dtype, "shape": ["rows", len(columns)], "how": how}
            | {"columns": columns}
            for name, dtype, how, columns in inputs
            if columns
        ],
        "codes": {"other": OTHER, "missing": MISSING},
        "boolean_spellings": {"true": TRUE, "false": FALSE},
        "missing_cells": missing_values(written),
        "decimal_mark": written.decimal or ".",
    }


def _describe_pixels(reader: ImageReader) -> dict[str, Any]:
    shape = ["rows", *reader.shape]
    pixels = {"name": "pixels", "dtype": "uint8", "shape": shape, "how": _HOW_PIXELS}
    return {"target": None, "inputs": [pixels]}


def output_name(predictor: Predictor) -> str:
    """What the graph's output is called."""
    return "prediction" if predictor.spec.task == "regression" else "probabilities"
