"""A trained network as a product: opened from a run directory, it predicts raw rows."""

import logging
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import polars as pl
import torch
from torch import Tensor, nn

from nnlab.checkpoints import best_checkpoint, read_checkpoint
from nnlab.config import named_class, target_class
from nnlab.data.columns.cell_error import CellError
from nnlab.data.columns.plain_data import is_of
from nnlab.data.image_rows import ImageReader
from nnlab.data.table_rows import TableReader
from nnlab.data.unfamiliar import Unfamiliar
from nnlab.finding import find_run
from nnlab.models import SupervisedModule
from nnlab.models.metrics import probabilities
from nnlab.process import torch_defaults
from nnlab.run_directory import config_path, load_config
from nnlab.spec import DataSpec

_log = logging.getLogger(__name__)

# Rows that pass the network at a time.
_BATCH = 8192


class Predictor(nn.Module):
    """A trained network with its preprocessing: from raw rows to what they mean.

    As a module it takes raw tensors, which is what is exported; `predict` takes what people have.

    Args:
        checkpoint: What `nnlab.checkpoints.read_checkpoint` gave.
        module_class: The class of the network that was trained.

    Raises:
        ValueError: The checkpoint does not hold what nnlab writes.
    """

    def __init__(
        self,
        checkpoint: Mapping[str, Any],
        module_class: type[SupervisedModule] = SupervisedModule,
    ) -> None:
        super().__init__()
        module = module_class.from_checkpoint(checkpoint)
        self.preprocessing = preprocessing_of(checkpoint)
        self.spec: DataSpec = module.spec
        are_nnlabs = {"TabularDataModule", "ImageDataModule"} & checkpoint.keys()
        if "kind" not in self.preprocessing and not are_nnlabs:
            raise ValueError(
                "raw rows must be of a table or of images, but the run learned from data of your "
                "own class, which nnlab cannot read; SupervisedModule.load_from_checkpoint gives "
                "its network"
            )
        try:
            is_table = self.preprocessing["kind"] == "table"
            reads = TableReader if is_table else ImageReader
            self.reader: TableReader | ImageReader = reads(self.preprocessing)
            self.encoder = self.reader.encoder
            width = getattr(self.encoder, "out_features", self.spec.in_features)
            if width != self.spec.in_features or not is_of(self.spec.class_names, list[str]):
                raise TypeError(f"it makes {width} inputs of a row, or classes have no names")
        except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError) as error:
            raise ValueError(
                f"the checkpoint must hold preprocessing as nnlab writes it, but does not: {error}"
            ) from error
        # The module of Lightning has much that no graph needs, so only where it does more.
        is_plain = module_class.forward is SupervisedModule.forward
        self.network: nn.Module = module.network if is_plain else module
        self.eval()

    def forward(self, *raw: Tensor) -> Tensor:
        """Predict from raw tensors.

        Args:
            *raw: For a table numbers `(rows, numeric columns)`, float64 and NaN where missing,
                and codes `(rows, categorical columns)`, int64; for images pixels
                `(images, height, width)`, uint8.

        Returns:
            For classes their probabilities, `(rows, classes)`, float32; for regression numbers in
            the target's own unit, `(rows,)`, float64.
        """
        outputs = self.network(self.encoder(*raw))
        if self.spec.task == "regression":
            return cast(Tensor, outputs.squeeze(1).double()) * self.spec.target_std + (
                self.spec.target_mean
            )
        return probabilities(self.spec, outputs)

    @torch_defaults()
    def predict(self, rows: Any) -> pl.DataFrame:
        """Predict rows of a table, or images.

        Args:
            rows: A polars or pandas data frame or an array (`TableReader.to_frame`); an IDX file, a
                folder of PNG files or an array of pixels (`ImageReader.read`).

        Returns:
            A column `prediction`, of class names or numbers, and for classes a column
            `probability_CLASS` each, in the order of the rows.

        Raises:
            ValueError: The rows do not fit what was trained on.
        """
        if not isinstance(self.reader, TableReader):
            return self.interpret(self.reader.read(rows))
        frame = self.reader.to_frame(rows)
        try:
            prepared = self.reader.prepare(frame)
            raw = self.reader.read(prepared)
        except CellError as error:
            raise ValueError(error.at(_row(error.row))) from error
        unfamiliar = Unfamiliar(self.reader)
        unfamiliar.add(prepared, raw, _row)
        for sentence in unfamiliar.sentences():
            _log.warning("warning: %s", sentence)
        return self.interpret(raw)

    def interpret(self, raw: Sequence[Tensor]) -> pl.DataFrame:
        """What `predict` returns, of rows that the reader has read."""
        with torch.inference_mode():
            parts = [
                self(*(tensor[start : start + _BATCH] for tensor in raw))
                for start in range(0, max(len(raw[0]), 1), _BATCH)
            ]
        values = torch.cat(parts)
        if self.spec.task == "regression":
            return pl.DataFrame({"prediction": values.numpy()})
        names = pl.Series("prediction", self.spec.class_names, dtype=pl.String)
        of_classes = [
            pl.Series(f"probability_{name}", values[:, i].numpy())
            for i, name in enumerate(self.spec.class_names)
        ]
        return pl.DataFrame([names[values.argmax(dim=1).numpy()], *of_classes])


def _row(index: int) -> str:
    return f"row {index}, counted from 0"


def preprocessing_of(checkpoint: Mapping[str, Any]) -> dict[str, Any]:
    """How a checkpoint's raw rows became inputs.

    Raises:
        ValueError: The checkpoint has none: it was written by other data than nnlab's.
    """
    for name, state in checkpoint.items():
        # A network of one's own may have an argument of that name.
        if name != "hyper_parameters" and isinstance(state, dict) and "preprocessing" in state:
            return cast(dict[str, Any], state["preprocessing"])
    raise ValueError("the checkpoint must hold the preprocessing of its data, but it does not")


@torch_defaults()
def load_run(run: str | Path) -> Predictor:
    """Open a trained network.

    Args:
        run: A run directory, whose best checkpoint is opened, or a checkpoint file.

    Raises:
        FileNotFoundError: There is no checkpoint; the message names a run in the folder, if any.
        ValueError: It is not one of nnlab's, or is damaged, or the class of its network is not
            trusted.

    Example:
        `load_run("outputs/csv/2026-11-22_18-06-21").predict(frame)`
    """
    path = Path(run).expanduser()
    if path.is_dir() and not best_checkpoint(path).exists():
        find_run("run", str(run))  # names one in it, if it is none
    checkpoint = read_checkpoint(best_checkpoint(path) if path.is_dir() else path)
    if path.is_dir() and config_path(path).is_file():
        return Predictor(checkpoint, target_class(load_config(path).model, SupervisedModule))
    # A checkpoint of the first version does not tell.
    name = str(checkpoint.get("model_class", "nnlab.models.SupervisedModule"))
    module, _, own = name.rpartition(".")
    if module == "__main__":  # of this program, or of another one
        found = getattr(sys.modules["__main__"], own, None)
        if not (isinstance(found, type) and issubclass(found, SupervisedModule)):
            raise ValueError(
                f"{path} must be opened where its network's class is defined, got {name}; put it "
                "into a module, or define it here first"
            )
        return Predictor(checkpoint, found)
    return Predictor(checkpoint, named_class(name, SupervisedModule, f"model_class of {path}"))
