"""The image data module: splits, statistics, real files, bad folders."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from nnlab.data import ImageDataModule
from nnlab.data.idx import read_idx
from nnlab.data.images import PixelEncoder

DIGITS = Path(__file__).parents[2] / "src" / "nnlab" / "data" / "embedded" / "digits"
NAMES = [str(digit) for digit in range(10)]


def make_digits(**changes) -> ImageDataModule:
    arguments = {
        "root": str(DIGITS),
        "train_images": "images-idx3-ubyte",
        "train_labels": "labels-idx1-ubyte",
        "test_images": None,
        "test_labels": None,
        "class_names": NAMES,
        "sha256": {},
        "mirrors": [],
        "val_fraction": 0.2,
        "test_fraction": 0.2,
        "batch_size": 64,
        "seed": 0,
    }
    return ImageDataModule(**{**arguments, **changes})


def test_the_embedded_digits_are_those_of_scikit_learn() -> None:
    digits = load_digits()
    images = read_idx(DIGITS / "images-idx3-ubyte.gz", ndim=3)
    labels = read_idx(DIGITS / "labels-idx1-ubyte.gz", ndim=1)
    assert np.array_equal(images.numpy(), digits.images)
    assert np.array_equal(labels.numpy(), digits.target)


def test_splits_share_no_row_and_statistics_come_from_training_rows() -> None:
    data = make_digits()
    loaded = data.loaded
    sizes = [len(split[0]) for split in (loaded.train, loaded.val, loaded.test)]
    assert sum(sizes) == 1797
    assert sizes == [1150, 288, 359]
    train = loaded.train[0]
    assert train.mean().item() == pytest.approx(0, abs=1e-5)
    assert train.std(correction=0).item() == pytest.approx(1, abs=1e-5)

    every = torch.cat([loaded.train[0], loaded.val[0], loaded.test[0]])
    raw = every * loaded.preprocessing["std"] + loaded.preprocessing["mean"]
    images = torch.tensor(load_digits().images).float()
    found = {row.numpy().tobytes() for row in raw.round().flatten(1)}
    assert found == {row.numpy().tobytes() for row in images.flatten(1)}


def test_the_seed_chooses_the_splits() -> None:
    first, again, other = (make_digits(seed=seed).loaded.test[0] for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_every_class_is_in_every_split_in_proportion() -> None:
    loaded = make_digits().loaded
    whole = np.bincount(load_digits().target) / 1797
    for _, labels in (loaded.train, loaded.val, loaded.test):
        shares = np.bincount(labels.numpy()) / len(labels)
        assert np.abs(shares - whole).max() < 0.01


def test_official_test_images_are_only_tested_on(mnist_folder: Path) -> None:
    data = make_digits(
        root=str(mnist_folder),
        train_images="train-images-idx3-ubyte",
        train_labels="train-labels-idx1-ubyte",
        test_images="t10k-images-idx3-ubyte",
        test_labels="t10k-labels-idx1-ubyte",
        test_fraction=None,
        val_fraction=0.1,
    )
    loaded = data.loaded
    assert [len(split[0]) for split in (loaded.train, loaded.val, loaded.test)] == [
        54000,
        6000,
        10000,
    ]
    raw = read_idx(mnist_folder / "t10k-images-idx3-ubyte.gz", ndim=3).float()
    test = loaded.test[0] * loaded.preprocessing["std"] + loaded.preprocessing["mean"]
    torch.testing.assert_close(test, raw, atol=1e-3, rtol=0)
    assert data.spec.input_shape == [28, 28]


@pytest.mark.parametrize("changed", ["images-idx3-ubyte", "labels-idx1-ubyte"])
def test_files_that_have_changed_do_not_go_on(tmp_path: Path, changed: str) -> None:
    state = make_digits()
    state.loaded  # noqa: B018
    for name in ("images-idx3-ubyte", "labels-idx1-ubyte"):
        content = bytearray(gzip.decompress((DIGITS / f"{name}.gz").read_bytes()))
        if name == changed:
            content[-1] = (content[-1] + 1) % 10
        (tmp_path / name).write_bytes(content)
    again = make_digits(root=str(tmp_path))
    again.loaded  # noqa: B018
    with pytest.raises(ValueError, match="must be what the checkpoint was trained on"):
        again.load_state_dict(state.state_dict())


def test_preprocessing_of_a_checkpoint_is_used_again_and_checked() -> None:
    data = make_digits()
    state = data.state_dict()
    same = make_digits()
    same.load_state_dict(state)
    assert torch.equal(same.loaded.test[0], data.loaded.test[0])
    changed = make_digits(seed=1)
    assert changed.loaded.preprocessing != state["preprocessing"]
    with pytest.raises(ValueError, match="training rows or nnlab have changed"):
        changed.load_state_dict(state)


@pytest.fixture
def small(tmp_path: Path):
    """Write ten 2x2 images with the given labels."""

    def write(labels: list[int], images: int = 10) -> ImageDataModule:
        pixels = np.arange(images * 4, dtype=np.uint8).tobytes()
        header = struct.pack(">BBBB3I", 0, 0, 8, 3, images, 2, 2)
        (tmp_path / "images-idx3-ubyte").write_bytes(header + pixels)
        header = struct.pack(">BBBBI", 0, 0, 8, 1, len(labels))
        content = gzip.compress(header + bytes(labels))
        (tmp_path / "labels-idx1-ubyte.gz").write_bytes(content)
        return make_digits(root=str(tmp_path))

    return write


@pytest.mark.parametrize("names", [["a", "b", "a"], ["a"], [], [0, 1, 2], ["a", None], "abc"])
def test_classes_have_a_name_of_their_own_each(names) -> None:
    with pytest.raises(ValueError, match="class_names must be"):
        make_digits(class_names=names)


def test_gzipped_and_plain_files_may_be_mixed(small) -> None:
    assert len(small([0, 1] * 5).loaded.train[0]) == 6


def test_a_label_outside_the_classes_is_refused(small) -> None:
    data = small([0, 1, 2, 10, 4, 5, 6, 7, 8, 9])
    with pytest.raises(
        ValueError, match=r"labels.*gz must hold labels from 0 to 9, got 10 at item 3"
    ):
        data.loaded  # noqa: B018


def test_as_many_labels_as_images_are_needed(small) -> None:
    with pytest.raises(ValueError, match="got 9 labels for 10 images"):
        small([0] * 9).loaded  # noqa: B018


def test_a_missing_file_without_a_mirror_says_where_to_put_it(tmp_path: Path) -> None:
    data = make_digits(root=str(tmp_path / "nowhere"))
    with pytest.raises(FileNotFoundError, match=r"images-idx3-ubyte.*data\.root=FOLDER"):
        data.prepare_data()
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("known", [None, {}, {"images-idx3-ubyte": "ab"}])
def test_nothing_is_downloaded_that_cannot_be_checked(known: dict | None) -> None:
    with pytest.raises(
        ValueError, match=r"sha256 must have the SHA-256 of each .*labels-idx1-ubyte"
    ):
        make_digits(mirrors=["https://mirror/"], sha256=known)


def test_one_colour_is_no_division_by_zero(tmp_path: Path) -> None:
    header = struct.pack(">BBBB3I", 0, 0, 8, 3, 10, 2, 2)
    (tmp_path / "images-idx3-ubyte").write_bytes(header + bytes([7] * 40))
    header = struct.pack(">BBBBI", 0, 0, 8, 1, 10)
    (tmp_path / "labels-idx1-ubyte").write_bytes(header + bytes([0, 1] * 5))
    assert not make_digits(root=str(tmp_path)).loaded.train[0].any()


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_standardising_leaves_the_pixels_as_they_are(dtype: torch.dtype) -> None:
    pixels = torch.tensor([[[0, 51], [102, 255]]], dtype=dtype)
    before = pixels.clone()
    standardized = PixelEncoder({"mean": 51.0, "std": 25.5})(pixels)
    assert torch.equal(standardized, torch.tensor([[[-2.0, 0.0], [2.0, 8.0]]]))
    assert torch.equal(pixels, before)
