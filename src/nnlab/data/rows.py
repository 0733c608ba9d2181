"""New rows for a trained network: what it learned of their columns or pixels, applied again."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from torch import Tensor, nn

from nnlab.data.columns.cell_error import CellError
from nnlab.data.columns.encoder import RowEncoder
from nnlab.data.columns.learned import (
    CategoricalColumn,
    NumericColumn,
    category_text,
    from_plain,
    read_rows,
)
from nnlab.data.columns.number_grammar import from_decimal_comma
from nnlab.data.columns.odd_cells import missing_words
from nnlab.data.csv.options import BLANKS
from nnlab.data.idx import read_idx
from nnlab.data.images import PixelEncoder
from nnlab.data.names import on_one_line
from nnlab.data.parquet import is_nested
from nnlab.suggestions import few

_log = logging.getLogger(__name__)


class TableReader:
    """Rows of tables as raw numbers and codes.

    Args:
        preprocessing: What a `TabularDataModule` put into the checkpoint.
    """

    def __init__(self, preprocessing: Mapping[str, Any]) -> None:
        self.columns = from_plain(preprocessing["columns"])
        self.numeric = [c for c in self.columns if isinstance(c, NumericColumn)]
        self.categorical = [c for c in self.columns if isinstance(c, CategoricalColumn)]
        self.target: str = preprocessing["target"]
        self.left_out: list[str] = preprocessing["left_out"]
        self.missing: list[str] = preprocessing["missing"]
        self.decimal: str = preprocessing["decimal"]
        self.encoder: nn.Module = RowEncoder(self.columns)

    @property
    def column_names(self) -> list[str]:
        """The columns that are needed, in the order of an array's columns."""
        return [column.name for column in self.columns]

    def read(self, rows: Any) -> tuple[Tensor, ...]:
        """The encoder's arguments.

        Args:
            rows: A polars or pandas data frame with the columns by name, in any order and among
                others, or an array `(rows, columns)` with them in the order of `column_names`.

        Raises:
            ValueError: A column is not there, or a cell is not what it was in training.
        """
        numbers, codes = read_rows(self._as_in_training(self.to_frame(rows)), self.columns)
        return torch.from_numpy(numbers), torch.from_numpy(codes)

    def to_frame(self, rows: Any) -> pl.DataFrame:
        """Rows as a polars data frame."""
        if isinstance(rows, pl.DataFrame):
            return rows
        if isinstance(rows, pl.LazyFrame):
            return rows.collect()
        if hasattr(rows, "columns") and hasattr(rows, "iloc"):
            if not rows.columns.is_unique:
                raise ValueError("every column of a data frame must have a name of its own")
            # Without pyarrow, and with the dtypes that pandas itself gives to mixed columns.
            return pl.DataFrame(
                {str(name): _from_pandas(rows[name]) for name in rows.columns}, strict=False
            )
        values = np.asarray(rows)
        if values.ndim != 2 or values.shape[1] != len(self.columns):
            raise ValueError(
                f"rows must be a data frame, or an array of the shape (rows, {len(self.columns)}), "
                f"for the columns {', '.join(self.column_names)}, got "
                f"{f'the shape {values.shape}' if values.ndim else type(rows).__name__}"
            )
        return pl.DataFrame(
            {
                name: _without_nan(pl.Series(values[:, i].tolist(), strict=False))
                for i, name in enumerate(self.column_names)
            }
        )

    def _as_in_training(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The columns that are needed, names and text as training read them from a file.

        Without blanks around them, null where missing is spelled out; numbers with the decimal
        mark of the training file.
        """
        there = {on_one_line(name.strip(BLANKS)): name for name in frame.columns}
        there |= {name: name for name in frame.columns}
        used = frame.select(
            frame.get_column(there[name]).alias(name) for name in self.column_names if name in there
        )
        for values in used:
            self._refuse_unreadable(values)
        used = used.with_columns(pl.selectors.string().str.strip_chars(BLANKS))
        used = used.with_columns(
            pl.when(pl.selectors.string().is_in(self.missing))
            .then(None)
            .otherwise(pl.selectors.string())
            .name.keep()
        )
        if self.decimal != ",":
            return used
        numbers = [c.name for c in self.numeric if not c.is_date and c.number_format is None]
        codes = [c.name for c in self.categorical if c.written_as == "number"]
        text = [name for name in used.columns if used[name].dtype == pl.String]
        return used.with_columns(
            self._with_point(used[name], is_number=name in numbers)
            for name in text
            if name in (*numbers, *codes)
        )

    def _refuse_unreadable(self, values: pl.Series) -> None:
        """Refuse cells of a type that is no table's, and times of which nobody knows the zone."""
        if is_nested(values) or values.dtype == pl.Object:
            raise ValueError(
                f"column '{values.name}' must hold numbers, text or dates, got {values.dtype}"
            )
        if isinstance(values.dtype, pl.Datetime) and values.dtype.time_zone is None:
            (column,) = (column for column in self.columns if column.name == values.name)
            written = column.date_format if isinstance(column, NumericColumn) else None
            if written and written.endswith("z"):
                raise ValueError(
                    f"column '{values.name}' must hold times with their zone, as in training, got "
                    f"{values.dtype}; add it, such as with dt.tz_localize in pandas"
                )

    def _with_point(self, cells: pl.Series, *, is_number: bool) -> pl.Series:
        numbers = from_decimal_comma(cells)
        odd = (numbers.is_null() & cells.is_not_null()).arg_true()
        if is_number and len(odd):
            row = int(odd[0])
            raise CellError(
                f"column '{cells.name}' must hold numbers with a decimal comma, as in training, "
                f"got '{cells[row]}'",
                row,
                words=missing_words(cells[odd]),
                count=len(odd),
            )
        return numbers

    def unseen(self, frame: pl.DataFrame) -> dict[str, pl.Series]:
        """By column, the categories of a table that training had not, or only once."""
        found = {}
        frame = self._as_in_training(frame)
        for column in self.categorical:
            text = category_text(frame[column.name], column.written_as).drop_nulls()
            found[column.name] = text.filter(~text.is_in(column.categories))
        return {name: cells for name, cells in found.items() if len(cells) > 0}


def _without_nan(values: pl.Series) -> pl.Series:
    """NaN in an array of text arrives as text."""
    return values.set(values == "nan", None) if values.dtype == pl.String else values


def _from_pandas(values: Any) -> list[Any]:
    missing = values.isna().tolist()
    return [None if gone else cell for cell, gone in zip(values.tolist(), missing, strict=True)]


class ImageReader:
    """Images as raw pixels.

    Args:
        preprocessing: What an `ImageDataModule` put into the checkpoint.
    """

    def __init__(self, preprocessing: Mapping[str, Any]) -> None:
        self.shape = list(preprocessing["shape"])
        self.encoder: nn.Module = PixelEncoder(preprocessing)

    def read(self, images: Any) -> tuple[Tensor, ...]:
        """The encoder's argument, `(images, height, width)`, uint8.

        Args:
            images: An IDX file, a PNG file or a list of them, a folder of PNG files, or an array
                of pixels from 0 to 255, `(images, height, width)`.

        Raises:
            FileNotFoundError: There is no such file, or no PNG in the folder.
            ValueError: The images are not of the size that was learned.
        """
        if isinstance(images, (str, Path)):
            pixels = self._read_path(Path(images).expanduser())
        elif _are_paths(images):
            pixels = self._read_pngs(images)
        else:
            pixels = self._from_array(images)
        if list(pixels.shape[1:]) != self.shape:
            raise ValueError(
                f"images must have {' x '.join(map(str, self.shape))} pixels, as in training, got "
                f"{' x '.join(map(str, pixels.shape[1:]))}"
            )
        return (pixels,)

    def _from_array(self, images: Any) -> Tensor:
        values = np.asarray(images)
        if not np.issubdtype(values.dtype, np.integer) or values.min(initial=0) < 0:
            raise ValueError(f"pixels must be whole numbers from 0 to 255, got {values.dtype}")
        if values.max(initial=0) > 255:
            raise ValueError(f"pixels must be from 0 to 255, got {values.max()}")
        return torch.tensor(values.astype(np.uint8))

    def _read_path(self, path: Path) -> Tensor:
        if path.is_dir() or path.suffix.lower() == ".png":
            return self._read_pngs(image_files(path))
        if not path.is_file():
            raise FileNotFoundError(
                "an IDX file, a PNG file or a folder of them was expected, but there is no file "
                f"{path}; relative paths start at the current folder"
            )
        return read_idx(path, ndim=3, sha256=None)

    def _read_pngs(self, files: Sequence[Path]) -> Tensor:
        return torch.stack([self._read_png(file) for file in files])

    def _read_png(self, path: Path) -> Tensor:
        from PIL import Image, UnidentifiedImageError

        try:
            with Image.open(path, formats=["PNG"]) as image:
                # The size is in the header: a picture of a gigapixel is not unpacked.
                if [image.height, image.width] != self.shape:
                    raise ValueError(
                        f"{path} must have {' x '.join(map(str, self.shape))} pixels, as in "
                        f"training, got {image.height} x {image.width}"
                    )
                return torch.tensor(np.asarray(image.convert("L")))
        except (UnidentifiedImageError, OSError, SyntaxError) as error:
            raise ValueError(f"{path} must be a PNG picture, but cannot be read as one") from error


def _are_paths(images: Any) -> bool:
    return isinstance(images, list) and len(images) > 0 and isinstance(images[0], Path)


def image_files(path: Path) -> list[Path]:
    """The PNG files of a folder by name, or the one file; others are left out with a word.

    Raises:
        FileNotFoundError: There is none.
    """
    there = sorted(path.iterdir()) if path.is_dir() else [path]
    files = [file for file in there if file.suffix.lower() == ".png"] if path.is_dir() else there
    if not files or not files[0].is_file():
        raise FileNotFoundError(f"there must be a PNG file at {path}, but there is none")
    if others := [file.name for file in there if file not in files]:
        _log.info("%s: left out what is no PNG file: %s", path, few(others))
    return files


def reader_for(preprocessing: Mapping[str, Any]) -> TableReader | ImageReader:
    """The reader that a checkpoint's preprocessing asks for."""
    is_table = preprocessing["kind"] == "table"
    return TableReader(preprocessing) if is_table else ImageReader(preprocessing)
