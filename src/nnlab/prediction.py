"""The verb that predicts: from a run directory and a file of new rows to a file of predictions."""

import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl
from omegaconf import DictConfig
from torch import Tensor

from nnlab.checkpoints import best_checkpoint, read_checkpoint
from nnlab.config import plain_arguments, target_class
from nnlab.data.chunks import read_chunks
from nnlab.data.columns.cell_error import CellError
from nnlab.data.csv.decimals import refuse_certain_point_thousands, refuse_point_thousands
from nnlab.data.csv.dialect import Dialect, find_dialect
from nnlab.data.csv.options import CsvOptions, missing_values
from nnlab.data.image_rows import ImageReader, image_files
from nnlab.data.missing import MissingValues, no_longer_missing
from nnlab.data.parquet import is_nested, is_parquet, refuse_nested
from nnlab.data.table_rows import TableReader
from nnlab.data.unfamiliar import Unfamiliar
from nnlab.models import SupervisedModule
from nnlab.paths import relative
from nnlab.predictor import Predictor
from nnlab.process import set_threads
from nnlab.suggestions import did_you_mean, few
from nnlab.writing import Part, write_csv

_log = logging.getLogger(__name__)

_CHUNK = 65_536
_IMAGES = 1024
# Endings that promise another format than the output has.
_NOT_CSV = (
    *(".gz", ".bz2", ".xz", ".zst", ".zip", ".parquet", ".pq", ".feather", ".arrow", ".json"),
    *(".xlsx", ".xls", ".ods", ".png"),
    *(".ckpt", ".yaml", ".log", ".onnx", ".pt2"),  # as runs have them
)


def predict(
    cfg: DictConfig,
    run_dir: Path,
    *,
    changed: Sequence[str],
    input: str,
    output: str,
    raw_cells: str,
) -> None:
    """Predict the rows of a file, chunk by chunk, and write them with their predictions.

    Args:
        cfg: The run's config, with changes.
        run_dir: The run directory.
        changed: The settings that are not the run's own.
        input: A CSV or Parquet file; for images an IDX file, a PNG file or a folder of them.
        output: The CSV file to write; it appears once it is whole.
        raw_cells: `true` to leave cells that a spreadsheet would run as they are.

    Raises:
        FileNotFoundError: There is no such file, or no checkpoint yet.
        ValueError: The input does not fit what was trained on.
        OSError: The output cannot be written.
    """
    if raw_cells not in ("true", "false"):
        raise ValueError(f"raw_cells must be true or false, got raw_cells={raw_cells}")
    set_threads(cfg.threads)
    checkpoint = read_checkpoint(best_checkpoint(run_dir))
    predictor = Predictor(checkpoint, target_class(cfg.model, SupervisedModule))
    source, target = Path(input).expanduser(), Path(output).expanduser()
    if target.exists() and source.exists() and target.samefile(source):
        raise ValueError(f"output must be another file than input, got output={output}")
    if target.is_dir():
        raise ValueError(f"output must name a file, got the folder output={output}")
    if target.resolve().is_relative_to(run_dir.resolve() / "checkpoints"):
        raise ValueError(
            f"output must be another file than the run's checkpoints, got output={output}"
        )
    if "tfevents" in target.name and target.exists():
        raise ValueError(f"output must be another file than a run's curves, got output={output}")
    if target.suffix.lower() in _NOT_CSV:
        raise ValueError(
            f"output is written as plain CSV, so its name must not end in {target.suffix}, got "
            f"output={output}; name it {target.with_suffix('').with_suffix('.csv').name}"
        )
    dialect, decimal = None, "."
    if isinstance(predictor.reader, ImageReader):
        parts = _predict_images(predictor, predictor.reader, source)
    else:
        options = CsvOptions.of(plain_arguments(cfg.data))
        # The run's own, unless this file is said to be written otherwise.
        if "data.null_values" in changed:
            stated = missing_values(options)
            for sentence in no_longer_missing(predictor.reader.missing, stated):
                _log.info("%s", sentence)
            predictor.reader.missing = stated
        if "data.decimal" in changed:
            predictor.reader.decimal = options.decimal or "."
        if not is_parquet(source):
            dialect, decimal = find_dialect(source, options), predictor.reader.decimal
        parts = _predict_table(predictor, predictor.reader, source, options, dialect)
    rows = write_csv(parts, target, dialect, decimal=decimal, is_raw=raw_cells == "true")
    count = "1 row" if rows == 1 else f"{rows:,} rows"
    _log.info("%s predicted, written to %s", count, relative(target))


def _predict_table(
    predictor: Predictor,
    reader: TableReader,
    source: Path,
    options: CsvOptions,
    dialect: Dialect | None,
) -> Iterator[Part]:
    """Each chunk's own columns and its predictions."""
    unfamiliar = Unfamiliar(reader)
    chunks = read_chunks(source, options, rows=_CHUNK, dialect=dialect)
    for number, chunk in enumerate(chunks):
        if number == 0:
            _check_columns(chunk.frame, reader, source, options.skip_lines or 0)
            if options.decimal is None and dialect is not None:
                names = [column.name for column in reader.numeric if not column.is_date]
                numbers = chunk.frame.select(map(chunk.frame.get_column, names))
                refuse_point_thousands(numbers, dialect, is_learned=True)
                refuse_certain_point_thousands(numbers, dialect, is_learned=True)
        try:
            prepared = reader.prepare(chunk.frame)
            raw = reader.read(prepared)
        except CellError as error:
            place = f"{source.name}, {chunk.place(error.row)}"
            missing = MissingValues(source, options, reader.missing)
            rows = len(chunk.frame)
            among = "" if number == 0 and chunk.done == 1 else f" in these {rows:,} rows"
            raise ValueError(error.at(place, missing.setting, among=among)) from error
        unfamiliar.add(prepared, raw, chunk.place)
        own = chunk.written.select(values for values in chunk.written if not is_nested(values))
        predictions = predictor.interpret(raw)
        if number == 0:
            _tell_of_names(own.columns, predictions.columns)
        yield _beside(own, predictions), chunk.done
    for sentence in unfamiliar.sentences():
        _log.info("%s", sentence)


def _check_columns(frame: pl.DataFrame, reader: TableReader, source: Path, skipped: int) -> None:
    """Whether all columns are there that training used; which are not used is said."""
    names = frame.columns
    there = set(names)
    missing = [name for name in reader.column_names if name not in there]
    if missing:
        skips = (
            f"; the run skips {skipped} lines: set data.skip_lines=0 if this file begins at once"
            if skipped > 0
            else ""
        )
        raise ValueError(
            f"{source.name} must have the columns of the training data, but has no "
            f"'{few(missing)}'{did_you_mean(missing[0], names)} (its columns: {few(names)}){skips}"
        )
    refuse_nested(frame.select(map(frame.get_column, reader.column_names)), source)
    if nested := [values.name for values in frame if is_nested(values)]:
        _log.info("not in the output, because no CSV file holds such cells: %s", few(nested))
    known = {*reader.column_names, reader.target, *reader.left_out}
    extra = [name for name in names if name not in known]
    if extra:
        _log.info("ignored, because training had no such columns: %s", few(extra))


def _tell_of_names(own: Sequence[str], new: Sequence[str]) -> None:
    names = [found for name, found in _free_names(own, new).items() if found != name]
    if names:
        _log.info("named otherwise, because the input has such columns: %s", few(names))


def _predict_images(predictor: Predictor, reader: ImageReader, source: Path) -> Iterator[Part]:
    """Some images' files or numbers, and their predictions."""
    images: Sequence[Path] | Tensor
    if source.is_dir() or source.suffix.lower() == ".png":
        images = image_files(source)
        # A name need not be text.
        names = [os.fsencode(path.name).decode(errors="backslashreplace") for path in images]
        places = pl.Series("file", names)
    else:
        (images,) = reader.read(source)
        places = pl.Series("image", range(len(images)))
    for start in range(0, max(len(images), 1), _IMAGES):
        predictions = predictor.predict(images[start : start + _IMAGES])
        part = _beside(places[start : start + _IMAGES].to_frame(), predictions)
        yield part, min((start + _IMAGES) / max(len(images), 1), 1.0)


def _beside(own: pl.DataFrame, predictions: pl.DataFrame) -> pl.DataFrame:
    """Predictions to the right of a table's own columns, whose names they leave alone."""
    return own.hstack(predictions.rename(_free_names(own.columns, predictions.columns)))


def _free_names(own: Sequence[str], new: Sequence[str]) -> dict[str, str]:
    """What new columns are called beside a table's own: with a number where that is taken."""
    free: dict[str, str] = {}
    for name in new:
        number, candidate = 1, name
        while candidate in own or (number > 1 and candidate in (*new, *free.values())):
            number += 1
            candidate = f"{name}_{number}"
        free[name] = candidate
    return free
