"""Images and labels from IDX files: the digits, MNIST, Fashion-MNIST and their kin."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from nnlab.data.digests import tensors_digest
from nnlab.data.download import download
from nnlab.data.idx import find_idx, read_idx
from nnlab.data.module import InMemoryDataModule, LoadedData, Split
from nnlab.data.split import hold_out
from nnlab.rule_types import flat_names
from nnlab.rules import check
from nnlab.spec import DataSpec
from nnlab.suggestions import written


class ImageDataModule(InMemoryDataModule):
    """Images of one size with one label each.

    Validation rows are held out of the training file. Test rows are those of the test files;
    where a data set has none, they are held out first. Pixels are standardised with the mean and
    standard deviation of all training pixels.

    Args:
        root: Folder of the files, each gzipped (`.gz`) or not; `~` is the home folder.
        train_images: Name of the training images' file, without `.gz`.
        train_labels: Name of the training labels' file.
        test_images: Name of the official test images' file; None if there is none.
        test_labels: Name of the official test labels' file; None if there is none.
        class_names: The classes; label `i` is the i-th.
        sha256: SHA-256 of each file's decompressed bytes by its name, checked at every load;
            files that are not named are not checked, and not downloaded.
        mirrors: https folders with the gzipped files, tried in turn where a file is missing.
        val_fraction: Share of the training rows to validate on, in (0, 1).
        test_fraction: Share of all rows to test on where there are no test files, in (0, 1); None
            where there are.
        batch_size: Rows of a training batch, >= 1.
        seed: Chooses the splits and the order of the rows.

    Raises:
        ValueError: An argument is outside its range.
    """

    def __init__(
        self,
        *,
        root: str,
        train_images: str,
        train_labels: str,
        test_images: str | None,
        test_labels: str | None,
        class_names: Sequence[str],
        sha256: Mapping[str, str] | None,
        mirrors: Sequence[str],
        val_fraction: float,
        test_fraction: float | None,
        batch_size: int,
        seed: int,
    ) -> None:
        super().__init__(batch_size=batch_size, seed=seed)
        check(
            root=root,
            train_images=train_images,
            train_labels=train_labels,
            test_images=test_images,
            test_labels=test_labels,
            class_names=class_names,
            sha256=sha256,
            mirrors=mirrors,
            val_fraction=val_fraction,
            test_fraction=test_fraction,
        )
        if len(class_names) < 2 or len(set(class_names)) < len(class_names):
            raise ValueError(
                "class_names must be two or more, each of another name, got "
                f"data.class_names={written(class_names)}"
            )
        if (test_images is None, test_labels is None) != (test_fraction is not None,) * 2:
            raise ValueError(
                "test_images and test_labels, or else test_fraction, must be given, got "
                f"test_images={test_images}, test_labels={test_labels}, "
                f"test_fraction={test_fraction}; set what does not apply to null"
            )
        self.root = Path(root).expanduser()
        self.train_images = train_images
        self.train_labels = train_labels
        self.test_images = test_images
        self.test_labels = test_labels
        self.class_names = list(class_names)
        self.sha256 = flat_names(sha256 or {})
        names = (train_images, train_labels, test_images, test_labels)
        unknown = [name for name in names if name is not None and not self.sha256.get(name)]
        if mirrors and unknown:
            raise ValueError(
                f"sha256 must have the SHA-256 of each file that is downloaded, got none for "
                f"{', '.join(unknown)}; add it, or put the files into {root} and set "
                "data.mirrors=[]"
            )
        self.mirrors = mirrors or []
        self.val_fraction = val_fraction
        self.test_fraction = test_fraction

    def prepare_data(self) -> None:
        """Download what is missing; Lightning calls this in one process only."""
        for name in (self.train_images, self.train_labels, self.test_images, self.test_labels):
            if name is not None:
                self._locate(name)

    def load(self, preprocessing: dict[str, Any] | None) -> LoadedData:
        """Read, split and standardise.

        Raises:
            FileNotFoundError: A file is missing and there is no mirror.
            ConnectionError: A file is missing and no mirror gave it.
            ValueError: A file is not what it must be.
        """
        images, labels = self._read(self.train_images, self.train_labels)
        files = [images, labels]
        if self.test_images is not None and self.test_labels is not None:
            test = self._read(self.test_images, self.test_labels)
            files += test
            if test[0].shape[1:] != images.shape[1:]:
                raise ValueError(
                    f"test images must have the shape of the training images, "
                    f"{list(images.shape[1:])}, got {list(test[0].shape[1:])}"
                )
        else:
            is_test = hold_out(
                len(labels), fraction=self.test_fraction or 0.0, seed=self.seed, classes=labels
            )
            test = images[is_test], labels[is_test]
            images, labels = images[~is_test], labels[~is_test]
        is_val = hold_out(len(labels), fraction=self.val_fraction, seed=self.seed, classes=labels)
        train = images[~is_val], labels[~is_val]
        if preprocessing is None:
            preprocessing = {**self._statistics(train[0]), "digest": tensors_digest(files)}
        splits = {
            "train": train,
            "val": (images[is_val], labels[is_val]),
            "test": test,
        }
        spec = DataSpec(
            task="binary" if len(self.class_names) == 2 else "multiclass",
            input_shape=list(images.shape[1:]),
            numbers=0,
            category_sizes=[],
            class_names=self.class_names,
            class_counts=torch.bincount(train[1], minlength=len(self.class_names)).tolist(),
            target_mean=0.0,
            target_std=1.0,
        )
        encoder = PixelEncoder(preprocessing)
        standardized = {name: (encoder(x), targets) for name, (x, targets) in splits.items()}
        return LoadedData(
            spec=spec,
            preprocessing=preprocessing,
            train=standardized["train"],
            val=standardized["val"],
            test=standardized["test"],
        )

    def is_own(self, preprocessing: Mapping[str, Any]) -> bool:
        """Whether the files at `root` are those that a checkpoint was trained on."""
        known = preprocessing.get("digest")
        try:
            return known is None or self.digest() == known
        except FileNotFoundError:
            return False

    def digest(self) -> str:
        """SHA-256 of what is at `root`, to tell whether it is that of a checkpoint."""
        pairs = [(self.train_images, self.train_labels)]
        if self.test_images is not None and self.test_labels is not None:
            pairs.append((self.test_images, self.test_labels))
        return tensors_digest(content for pair in pairs for content in self._read(*pair))

    def read_labelled(self, preprocessing: Mapping[str, Any]) -> Split:
        """All images at `root` that are to be tested on, preprocessed as in training.

        These are those of the test files, or else all.

        Raises:
            ValueError: They are of another size than those of the checkpoint.
        """
        pair = (self.train_images, self.train_labels)
        if self.test_images is not None and self.test_labels is not None:
            pair = (self.test_images, self.test_labels)
        images, labels = self._read(*pair)
        if list(images.shape[1:]) != preprocessing["shape"]:
            raise ValueError(
                f"images of {self.root} must have {' x '.join(map(str, preprocessing['shape']))} "
                f"pixels, as in training, got {' x '.join(map(str, images.shape[1:]))}"
            )
        return PixelEncoder(preprocessing)(images), labels

    def _statistics(self, images: Tensor) -> dict[str, Any]:
        # Counting the 256 values of a pixel is exact and takes no memory.
        counts = torch.bincount(images.flatten(), minlength=256).double()
        values = torch.arange(256, dtype=torch.float64)
        mean = (counts * values).sum() / counts.sum()
        variance = (counts * (values - mean).square()).sum() / counts.sum()
        return {
            "kind": "image",
            "shape": list(images.shape[1:]),
            "mean": mean.item(),
            # A data set of one colour has nothing to scale by.
            "std": variance.sqrt().item() or 1.0,
            "class_names": self.class_names,
        }

    def _locate(self, name: str) -> Path:
        path = find_idx(self.root, name)
        if path is not None:
            return path
        if not self.mirrors:
            raise FileNotFoundError(
                f"{self.root / name} (or {name}.gz) must be there, but it is not, and "
                "data.mirrors, which is empty here as in every saved run, names no address to "
                "download it from; put the file there, or name the folder that has it with "
                "data.root=FOLDER"
            )
        return download(
            f"{name}.gz",
            mirrors=self.mirrors,
            root=self.root,
            verify=lambda path: self._read_file(path, name),
        )

    def _read_file(self, path: Path, name: str) -> Tensor:
        ndim = 1 if name in (self.train_labels, self.test_labels) else 3
        return read_idx(path, ndim=ndim, sha256=self.sha256.get(name))

    def _read(self, images_name: str, labels_name: str) -> Split:
        images_path, labels_path = self._locate(images_name), self._locate(labels_name)
        images = self._read_file(images_path, images_name)
        labels = self._read_file(labels_path, labels_name)
        if len(images) != len(labels):
            raise ValueError(
                f"{labels_path} must hold a label for each image of {images_path}, got "
                f"{len(labels)} labels for {len(images)} images"
            )
        highest = int(labels.max())
        if highest >= len(self.class_names):
            raise ValueError(
                f"{labels_path} must hold labels from 0 to {len(self.class_names) - 1}, "
                f"got {highest} at item {int(labels.argmax())}"
            )
        return images, labels.long()


class PixelEncoder(nn.Module):
    """What was learned of pixels, as a part of the network: it standardises them.

    Args:
        preprocessing: `mean` and `std` of the training pixels.
    """

    def __init__(self, preprocessing: Mapping[str, Any]) -> None:
        super().__init__()
        self.mean = float(preprocessing["mean"])
        self.std = float(preprocessing["std"])

    def forward(self, pixels: Tensor) -> Tensor:
        """Raw pixels `(images, height, width)` as the network sees them, float32."""
        # In place, and not `pixels - mean`, which makes two copies: there may be gigabytes.
        return pixels.to(torch.float32, copy=True).sub_(self.mean).div_(self.std)
