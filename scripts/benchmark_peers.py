"""Train an MNIST network with another library until it is good enough, as one whole process.

    python scripts/benchmark_peers.py keras FOLDER [--epochs 30] [--accuracy 0.98]

`scripts/benchmark.py` calls this for each library that is installed (`pip install -e
".[benchmark]"`). The network has two hidden layers of 256 ReLUs; batches of 128, Adam at its usual
rate, the library's own loop. Printed is JSON: the seconds of each epoch, and the accuracy on the
test images after the last.
"""

import argparse
import gzip
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Arrays = tuple[NDArray[np.float32], NDArray[np.int64]]
Peer = Callable[[Arrays], tuple[Callable[[], object], Callable[..., NDArray[np.int64]]]]
"""From training images and labels to what trains an epoch, and what predicts labels."""


def scikit_learn(train: Arrays) -> tuple[Callable[[], object], Callable[..., NDArray[np.int64]]]:
    """`MLPClassifier`; `partial_fit` is an epoch."""
    from sklearn.neural_network import MLPClassifier

    model = MLPClassifier((256, 256), batch_size=128)
    classes = np.arange(10)
    return (lambda: model.partial_fit(*train, classes=classes)), model.predict


def skorch(train: Arrays) -> tuple[Callable[[], object], Callable[..., NDArray[np.int64]]]:
    """`NeuralNetClassifier` over torch; its own validation is switched off."""
    import torch
    from skorch import NeuralNetClassifier
    from torch import nn

    network = nn.Sequential(
        nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 10)
    )
    model = NeuralNetClassifier(
        network,
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        lr=1e-3,
        batch_size=128,
        train_split=None,
        verbose=0,
        iterator_train__shuffle=True,
    )
    model.initialize()
    return (lambda: model.partial_fit(*train, epochs=1)), model.predict


def keras(train: Arrays) -> tuple[Callable[[], object], Callable[..., NDArray[np.int64]]]:
    """`Sequential.fit` on JAX."""
    os.environ["KERAS_BACKEND"] = "jax"
    import keras

    layers = keras.layers
    model = keras.Sequential(
        [layers.Dense(256, "relu"), layers.Dense(256, "relu"), layers.Dense(10, "softmax")]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return (
        lambda: model.fit(*train, batch_size=128, epochs=1, verbose=0),
        lambda x: model.predict(x, batch_size=4096, verbose=0).argmax(axis=1),
    )


PEERS: dict[str, Peer] = {"scikit-learn": scikit_learn, "skorch": skorch, "keras": keras}


def main() -> None:
    """Train one of them and print how long its epochs took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("peer", choices=PEERS)
    parser.add_argument("folder", type=Path, help="where the IDX files of MNIST are")
    parser.add_argument("--epochs", type=int, default=30, help="at most")
    parser.add_argument("--accuracy", type=float, default=1.0, help="of test images; then it stops")
    arguments = parser.parse_args()
    train, test = (_read(arguments.folder, split) for split in ("train", "t10k"))
    train_epoch, predict = PEERS[arguments.peer](train)
    seconds: list[float] = []
    accuracy = 0.0
    while len(seconds) < arguments.epochs and accuracy < arguments.accuracy:
        started = time.perf_counter()
        train_epoch()
        seconds.append(time.perf_counter() - started)
        accuracy = float((predict(test[0]) == test[1]).mean())
    print(json.dumps({"seconds": seconds, "accuracy": accuracy}))


def _read(folder: Path, split: str) -> Arrays:
    """Without nnlab, whose reader would load torch for those who do not need it."""
    images, labels = (
        np.frombuffer(_content(next(folder.glob(f"{split}-{kind}*"))), np.uint8, offset=offset)
        for kind, offset in (("images", 16), ("labels", 8))
    )
    return images.reshape(-1, 784).astype(np.float32) / np.float32(255), labels.astype(np.int64)


def _content(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


if __name__ == "__main__":
    main()
