"""New images for a trained network: files or arrays, as the raw pixels that it knows."""

import logging
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from nnlab.data.idx import read_idx
from nnlab.data.images import PixelEncoder
from nnlab.suggestions import few

if TYPE_CHECKING:
    from PIL import Image

_log = logging.getLogger(__name__)


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
            pixels = self._read_pngs([Path(image).expanduser() for image in images])
        else:
            pixels = self._from_array(images)
        if list(pixels.shape) == self.shape:
            raise ValueError(
                f"images must be an array (images, {', '.join(map(str, self.shape))}), got a "
                "single image; give image[None]"
            )
        if list(pixels.shape[1:]) != self.shape:
            raise ValueError(
                f"images must have {' x '.join(map(str, self.shape))} pixels, as in training, got "
                f"{' x '.join(map(str, pixels.shape[1:]))}"
            )
        return (pixels,)

    def _from_array(self, images: Any) -> Tensor:
        values = np.asarray(images)
        if values.ndim < 2 or values.dtype == np.object_:
            what = f"one of the shape {values.shape}" if values.ndim else type(images).__name__
            raise ValueError(
                "images must be an array of pixels (images, height, width), an IDX file, a PNG "
                f"file, a list of them or a folder, got {what}"
            )
        if not np.issubdtype(values.dtype, np.integer) or values.min(initial=0) < 0:
            below = " below 0" if values.size and values.min() < 0 else ""
            raise ValueError(
                f"pixels must be whole numbers from 0 to 255, got {values.dtype}{below}"
                f"{_as_bytes(values)}"
            )
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
        from PIL import Image

        with path.open("rb") as file:
            header = file.read(24)
        if header[12:16] == b"IHDR" and len(header) == 24:
            width, height = struct.unpack(">II", header[16:])
            # Before Pillow looks, which warns of large pictures and refuses larger ones.
            if [height, width] != self.shape:
                raise ValueError(
                    f"{path} must have {' x '.join(map(str, self.shape))} pixels, as in training, "
                    f"got {height} x {width}"
                )
        try:
            with Image.open(path, formats=["PNG"]) as image:
                grey = _grey(image)
        except Exception as error:  # what a damaged file leads to has no class of its own
            raise ValueError(f"{path} must be a PNG picture, but cannot be read as one") from error
        if grey is None:
            raise ValueError(
                f"{path} must have no transparent pixels, whose colour nobody sees; save it on a "
                "background like that of the training images"
            )
        return torch.tensor(grey)


def _as_bytes(values: np.ndarray[Any, Any]) -> str:
    """The end of a message that tells what makes pixels of numbers which are, but not by type."""
    if not np.issubdtype(values.dtype, np.floating) or values.size == 0:
        return ""
    if values.min() >= 0 and values.max() <= 1:
        return '; give (array * 255).round().astype("uint8") if 1 is white'
    is_whole = np.all((values == np.floor(values)) & (values >= 0) & (values <= 255))
    return '; give array.astype("uint8")' if is_whole else ""


def _grey(image: "Image.Image") -> NDArray[np.uint8] | None:
    """The grey values of a picture, `(height, width)`; None if some of it is transparent."""
    if image.mode.startswith("I"):
        pixels = np.asarray(image)
        if (pixels == image.info.get("transparency", -1)).any():
            return None
        # 16 bits; Pillow would take all beyond 255 for white.
        return (pixels >> 8).astype(np.uint8)
    if image.has_transparency_data:
        opacity = image.convert("RGBA").getchannel("A").getextrema()
        if opacity != (255, 255):
            return None
    return np.asarray(image.convert("L"))


def _are_paths(images: Any) -> bool:
    is_several = isinstance(images, (list, tuple)) and len(images) > 0
    return is_several and all(isinstance(image, (str, Path)) for image in images)


def _is_png(path: Path) -> bool:
    return path.suffix.lower() == ".png" and path.is_file()


def image_files(path: Path) -> list[Path]:
    """The PNG files of a folder by name, or the one file; others are left out with a word.

    Raises:
        FileNotFoundError: There is none.
    """
    files = [path] if path.is_file() else []
    others: list[Path] = []
    for file in sorted(path.iterdir()) if path.is_dir() else []:
        (files if _is_png(file) else others).append(file)
    if not files:
        raise FileNotFoundError(f"there must be a PNG file at {path}, but there is none")
    if others:
        _log.info("%s: left out what is no PNG file: %s", path, few([file.name for file in others]))
    return files
