"""The LightningModule: a network, its loss and penalties, its metrics, its optimizer."""

import functools
import inspect
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from types import FrameType
from typing import Any, Self, cast

import torch
from lightning.pytorch import LightningModule
from lightning.pytorch.callbacks import WeightAveraging
from lightning.pytorch.trainer.states import TrainerFn
from lightning.pytorch.utilities.parsing import collect_init_args
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from nnlab import __version__
from nnlab.models.epoch_metrics import EpochMetrics, require_finite
from nnlab.models.inputs import TabularInputs
from nnlab.models.metrics import compute_metrics
from nnlab.models.mlp import MLP
from nnlab.models.objective import Objective, weight_matrices
from nnlab.models.step_counts import count_step, end_block, total_steps
from nnlab.models.step_graph import GraphedStep
from nnlab.models.stepping import Batch, Step, check_state, train_on
from nnlab.spec import DataSpec, Task
from nnlab.stopwatch import stopwatch

# Arguments that are of no use to a trained network.
_TRAINING_ONLY = [
    *("optimizer", "scheduler", "monitor"),
    *("trains_blocks", "gradient_clip_val", "cuda_graphs"),
]

# What a trainer has where a block takes its steps itself, with the clipping that this module has.
_OF_BLOCKS = {
    "accumulate_grad_batches": 1,
    "gradient_clip_val": None,
    "gradient_clip_algorithm": None,
}


class SupervisedModule(LightningModule):
    """An MLP that learns to predict a target.

    What describes the network, the arguments up to `l2`, is plain data and saved in the
    checkpoint, so `SupervisedModule.load_from_checkpoint(path, weights_only=True)` needs nothing
    else.

    Metrics are computed once an epoch from all the outputs of a split, not averaged over batches:
    `train/loss`, `val/accuracy` and so on (see `nnlab.models.metrics`). The training ones are
    those of the network as it was while it learned, dropout included. `train/loss` is the loss
    alone, comparable with `val/loss`; L1 and L2 are logged beside it as `train/penalty`.

    Args:
        task: `binary`, `multiclass` or `regression`; with the seven that follow, the `DataSpec`.
        input_shape: Shape of a preprocessed row.
        numbers: How many inputs of a table's row are continuous.
        category_sizes: Number of codes of each column that is to be embedded.
        class_names: Classes in the order of their indices; empty for regression.
        class_counts: Training rows of each class.
        target_mean: What the standardised target was shifted by; 0 for classes.
        target_std: What the standardised target was divided by; 1 for classes.
        hidden_sizes: See `MLP`, like the four that follow.
        activation: Name of the activation.
        dropout: Probability in [0, 1).
        batch_norm: Whether to normalise over the batch.
        layer_norm: Whether to normalise over the units.
        numeric_embedding: See `TabularInputs`, like the next.
        embedding_size: Numbers that stand for a category.
        loss: A loss of the task (`nnlab.rules.LOSSES`), or `auto`.
        label_smoothing: In [0, 1); regression has no labels and takes no notice of it.
        class_weights: What each class's rows count in the loss (see `resolve_class_weights`).
        l1: Times the sum of absolute weights is added to the training loss, >= 0. Weights are
            the matrices, not biases or normalisation gains.
        l2: Times the sum of squared weights is added to the training loss, >= 0.
        optimizer: From parameters to an optimizer; None for a model that is not to be trained.
        scheduler: From an optimizer and the run's number of optimizer steps to a learning-rate
            schedule, stepped at each of them (`ReduceLROnPlateau`: at each epoch's end, with
            `monitor`); None for a constant rate.
        monitor: The metric that `ReduceLROnPlateau` watches.
        trains_blocks: Whether a training batch is a block of mini-batches, each of which gets an
            optimizer step without a word to Lightning, whose loop costs more than such a step.
        gradient_clip_val: The largest norm of a step's gradient in a block; None for no limit.
            Otherwise the trainer clips.
        cuda_graphs: Whether the steps of blocks are recorded as a CUDA graph (`GraphedStep`).

    Attributes:
        is_restored: Whether training has begun, with all of a checkpoint taken over if it had one.

    Raises:
        ValueError: An argument is outside its range or does not suit the task.
    """

    def __init__(
        self,
        *,
        task: Task,
        input_shape: Sequence[int],
        numbers: int,
        category_sizes: Sequence[int],
        class_names: Sequence[str],
        class_counts: Sequence[int],
        target_mean: float,
        target_std: float,
        hidden_sizes: Sequence[int],
        activation: str,
        dropout: float,
        batch_norm: bool,
        layer_norm: bool,
        numeric_embedding: str | None,
        embedding_size: int,
        loss: str,
        label_smoothing: float,
        class_weights: str | Sequence[float] | None,
        l1: float,
        l2: float,
        optimizer: Callable[[Iterator[nn.Parameter]], Optimizer] | None = None,
        scheduler: Callable[[Optimizer, int], LRScheduler] | None = None,
        monitor: str = "val/loss",
        trains_blocks: bool = False,
        gradient_clip_val: float | None = None,
        cuda_graphs: bool = False,
    ) -> None:
        super().__init__()
        self.trains_blocks = trains_blocks
        self.automatic_optimization = not trains_blocks
        # Those of the class itself: to them Lightning adds what one's own class hands on to this.
        frame = cast(FrameType, inspect.currentframe())
        given = collect_init_args(frame, [], classes=(SupervisedModule,))[-1]
        arguments = {name: value for name, value in given.items() if name not in _TRAINING_ONLY}
        self.save_hyperparameters(arguments, logger=False)
        self.spec = DataSpec(
            task=task,
            input_shape=list(input_shape),
            numbers=numbers,
            category_sizes=list(category_sizes),
            class_names=list(class_names),
            class_counts=list(class_counts),
            target_mean=target_mean,
            target_std=target_std,
        )
        inputs = TabularInputs(
            in_features=self.spec.in_features,
            numbers=numbers,
            category_sizes=category_sizes,
            numeric_embedding=numeric_embedding,
            embedding_size=embedding_size,
        )
        mlp = MLP(
            in_features=inputs.out_features,
            out_features=self.spec.out_features,
            hidden_sizes=hidden_sizes,
            activation=activation,
            dropout=dropout,
            batch_norm=batch_norm,
            layer_norm=layer_norm,
        )
        self.network = mlp if inputs.is_identity else nn.Sequential(inputs, mlp)
        self.objective = Objective(
            task=task,
            class_counts=class_counts,
            loss=loss,
            label_smoothing=label_smoothing,
            class_weights=class_weights,
            l1=l1,
            l2=l2,
        )
        has_own_penalty = type(self).penalty is not SupervisedModule.penalty
        self._is_penalized = self.objective.is_penalized or has_own_penalty
        self.monitor = monitor
        self.gradient_clip_val = gradient_clip_val
        self._step_class = GraphedStep if cuda_graphs else Step
        self._step: Step | None = None
        self._optimizer = optimizer
        self._scheduler = scheduler
        self._epoch_metrics = EpochMetrics(compute=self.compute_metrics, monitor=monitor)
        self.is_restored = False
        self._frozen: list[str] | None = None

    def __setattr__(self, name: str, value: Any) -> None:
        """Spare the name of each hook, which Lightning notes here, torch's look for parameters."""
        if name == "_current_fx_name":
            self.__dict__[name] = value
        else:
            super().__setattr__(name, value)

    @classmethod
    def from_checkpoint(cls, checkpoint: Mapping[str, Any]) -> Self:
        """The trained network of a checkpoint that has been read.

        Raises:
            ValueError: Its arguments are not this class's, or its weights not of these arguments.
        """
        arguments, weights = checkpoint["hyper_parameters"], checkpoint["state_dict"]
        try:
            # First without memory: a few bytes can ask for a network of any size.
            with torch.device("meta"):
                wanted = {name: w.shape for name, w in cls(**arguments).state_dict().items()}
            if wanted != {name: w.shape for name, w in weights.items()}:
                raise TypeError("its weights are of other shapes than its arguments ask for")
            with torch.random.fork_rng(devices=[]):  # what it draws is overwritten
                module = cls(**arguments)
            module.load_state_dict(weights)
            # Batch normalisation's averages are buffers; those of one's own may be infinite.
            averages = [b for name, b in module.named_buffers() if "running_" in name]
            if not all(kept.isfinite().all() for kept in (*module.parameters(), *averages)):
                raise TypeError("some of its weights are no finite numbers")
        except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError) as error:
            raise ValueError(
                f"the checkpoint must be of {cls.__name__}, but it is not: {error}"
            ) from error
        return module

    def forward(self, x: Tensor) -> Tensor:
        """Map `(batch, *input_shape)` to raw outputs `(batch, out_features)`."""
        outputs: Tensor = self.network(x)
        return outputs

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Mean loss of raw outputs `(batch, out_features)` against targets `(batch,)`."""
        return self.objective.loss(outputs, targets)

    def penalty(self) -> Tensor:
        """The L1 and L2 terms of the network's weights, a scalar."""
        return self.objective.penalty(self.network)

    @property
    def latest_metrics(self) -> dict[str, float]:
        """The latest of each metric, by the name it is logged under."""
        return self._epoch_metrics.latest

    @property
    def layer_sizes(self) -> list[int]:
        """The inputs of a row, what embeddings make of them, and the units of each linear layer."""
        layers = [layer for layer in self.network.modules() if isinstance(layer, nn.Linear)]
        embedded = [layer.in_features for layer in layers[:1]]
        inputs = self.spec.in_features
        return [
            inputs,
            *(size for size in embedded if size != inputs),
            *(layer.out_features for layer in layers),
        ]

    @property
    def multiplications(self) -> int:
        """About how many one row takes on its way forward: one for each weight but embeddings'."""
        matrices = sum(weights.numel() for weights in weight_matrices(self.network))
        looked_up = (
            m.weight.numel() for m in self.network.modules() if isinstance(m, nn.Embedding)
        )
        return matrices - sum(looked_up)

    def training_step(
        self, batch: Batch | Collection[Batch], batch_idx: int
    ) -> Tensor | dict[str, Any]:
        """The loss to minimise on one batch `(x, targets)`, a scalar.

        Of a block of batches, which is trained on here, `loss` of the last, and `losses` and
        learning rates `lrs` of all.
        """
        if self.trains_blocks:
            return self._train_block(cast(Collection[Batch], batch))
        batch = cast(Batch, batch)
        loss, outputs = self._objective(batch)
        self._epoch_metrics.keep("train", outputs, batch[1])
        return loss

    def _objective(self, batch: Batch) -> tuple[Tensor, Tensor]:
        x, targets = batch
        outputs = self.forward(x)  # `self(x)` looks for hooks first, at each step
        loss = self.loss(outputs, targets)  # a network of one's own may have another
        loss = loss + self.penalty() if self._is_penalized else loss
        stopwatch.press("forward")
        return loss, outputs

    def _train_block(self, block: Collection[Batch]) -> dict[str, Any]:
        """What Lightning's loop does in as many batches, without its hooks between."""
        scheduler, step = cast(LRScheduler | None, self.lr_schedulers()), self._fitting_step()
        # All of it in Lightning's autocast, if there is one, which keeps no weights for later.
        taken = train_on(
            map(self.trainer.precision_plugin.convert_input, block),
            step=step,
            # That one is stepped at the epoch's end.
            scheduler=None if isinstance(scheduler, ReduceLROnPlateau) else scheduler,
            keep=functools.partial(self._epoch_metrics.keep, "train"),
            count=functools.partial(count_step, self.trainer),
        )
        step.leave()
        self._require_finite(taken["losses"])
        end_block(self.trainer)
        return taken

    def _fitting_step(self) -> Step:
        """What takes the steps of a block; that of the last one, where it fits."""
        for name, expected in _OF_BLOCKS.items():
            if (value := getattr(self.trainer, name)) != expected:  # which a callback has set
                raise ValueError(
                    f"trainer.{name} must stay as the config has it where steps are taken in "
                    f"blocks, got {value}; set steps_per_block=1"
                )
        optimizer = cast(Optimizer, self.optimizers(use_pl_optimizer=False))
        if self._step is None or not self._step.fits(optimizer):
            self._step = self._step_class(self._objective, optimizer, self.gradient_clip_val)
        return self._step

    def _require_finite(self, losses: list[Tensor]) -> None:
        """Notice at once that a loss is not, or at the epoch's end: a GPU is not waited for."""
        if self.device.type == "cpu":
            require_finite("train", float(torch.stack(losses).sum()), self.trainer)

    def on_train_start(self) -> None:
        """Check what was restored, and freeze the weights again that were frozen."""
        if self._frozen is not None:  # else as they are; a callback freezes them as it begins
            for name, weights in self.named_parameters():
                weights.requires_grad_(name not in self._frozen)
        for optimizer in self.trainer.optimizers:
            check_state(optimizer)
        self.is_restored = True
        self._step = None  # a run that failed may have left one, of its own optimizer
        stopwatch.press("start_up")
        if self.trainer.world_size > 1:  # the others have been started meanwhile
            stopwatch.restart_training()

    def on_train_end(self) -> None:
        """Let go of the optimizer, and of what is recorded of it."""
        self._step = None

    def on_after_backward(self) -> None:
        """Time the backward pass; Lightning calls this only where it takes the steps."""
        stopwatch.press("backward")

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Check the loss of Lightning's step, and time it; a block has timed its own steps."""
        if self.automatic_optimization:
            self._require_finite([outputs["loss"]])
        stopwatch.press("optimizer" if self.automatic_optimization else "loop")

    def on_validation_start(self) -> None:
        """Time Lightning's loop since the last batch."""
        stopwatch.press("loop")

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Keep the outputs of one batch for the metrics."""
        self._keep_outputs("val", batch)

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        """Keep the outputs of one batch for the metrics."""
        self._keep_outputs("test", batch)

    def on_train_epoch_end(self) -> None:
        """Log the training metrics."""
        stopwatch.press("loop")
        penalty = torch.as_tensor(self.penalty()).detach() if self._is_penalized else None
        self._epoch_metrics.log("train", self.trainer, penalty=penalty)

    def on_validation_epoch_end(self) -> None:
        """Log the validation metrics."""
        if self.trainer.sanity_checking:  # of a few rows, before the first step
            self._epoch_metrics.forget("val")
            return
        self._epoch_metrics.log("val", self.trainer)
        if self.trainer.state.fn == TrainerFn.FITTING:
            self._step_plateau()

    def on_test_epoch_end(self) -> None:
        """Log the test metrics."""
        self._epoch_metrics.log("test", self.trainer)

    def _keep_outputs(self, split: str, batch: Batch) -> None:
        x, targets = batch
        self._epoch_metrics.keep(split, self.forward(x), targets)

    def _step_plateau(self) -> None:
        """Step `ReduceLROnPlateau` before the epoch's checkpoint is written.

        Lightning steps it afterwards, and a resumed run would miss that step.
        """
        scheduler = self.lr_schedulers()
        if isinstance(scheduler, ReduceLROnPlateau):
            scheduler.step(self.latest_metrics[self.monitor])

    def compute_metrics(self, outputs: Tensor, targets: Tensor) -> dict[str, float]:
        """The loss, without penalties, and the task's metrics over a whole split.

        Args:
            outputs: Raw outputs, `(rows, out_features)`.
            targets: `(rows,)`.
        """
        # Half-precision outputs would give a loss of three digits.
        outputs = outputs.float()
        if targets.is_floating_point():
            targets = targets.float()
        loss = float(self.loss(outputs, targets))
        return {"loss": loss, **compute_metrics(self.spec, outputs, targets)}

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Build the optimizer and its schedule for a run of the trainer's length."""
        if self._optimizer is None:
            raise ValueError("this model has no optimizer; give SupervisedModule one to train it")
        optimizer = self._optimizer(self.parameters())
        if self._scheduler is None:
            return optimizer
        scheduler = self._scheduler(
            optimizer, total_steps(self.trainer, in_blocks=self.trains_blocks)
        )
        steps: dict[str, Any] = {"scheduler": scheduler}
        if self.automatic_optimization:
            # `_step_plateau` steps it, never Lightning, which keeps it in the checkpoint.
            watches = isinstance(scheduler, ReduceLROnPlateau)
            steps |= {
                "interval": "step",
                "frequency": sys.maxsize if watches else 1,
                "monitor": self.monitor,
            }
        return cast(OptimizerLRScheduler, {"optimizer": optimizer, "lr_scheduler": steps})

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add what wrote it, nnlab and this class, and what is frozen; averaged weights as well.

        The class is for who has the file alone, and no config.
        """
        checkpoint["nnlab_version"] = __version__
        checkpoint["frozen"] = [n for n, w in self.named_parameters() if not w.requires_grad]
        if "<locals>" not in type(self).__qualname__:  # which nobody could find again
            checkpoint["model_class"] = f"{type(self).__module__}.{type(self).__qualname__}"
        if "optimizer_states" not in checkpoint:  # weights alone, of which callbacks are not told
            for callback in cast(Any, self.trainer).callbacks:
                if isinstance(callback, WeightAveraging):
                    # What has been validated.
                    callback.on_save_checkpoint(self.trainer, self, checkpoint)
                    checkpoint.pop("current_model_state", None)
                    checkpoint.pop("averaging_state", None)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take over which weights are frozen."""
        frozen = checkpoint.get("frozen")  # those of earlier versions do not say
        self._frozen = frozen if isinstance(frozen, list) else None
