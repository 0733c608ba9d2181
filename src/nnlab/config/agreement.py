"""Whether a config's parts agree with each other and with the data, and what they come to."""

import inspect
from collections.abc import Callable, Iterable, Sequence

from omegaconf import DictConfig, ListConfig

from nnlab.config.building import target_class
from nnlab.rules import MONITORS, monitors
from nnlab.spec import DataSpec, Task

# Options of the Trainer that concern single steps.
_AT_EACH_STEP = (
    "accumulate_grad_batches",
    "gradient_clip_algorithm",
    "limit_train_batches",
    "max_steps",
    "max_time",
    "num_nodes",
    "profiler",
    "val_check_interval",
    "fast_dev_run",
)

# Hooks of a network that a person adds which would see a block as one step.
_HOOKS_OF_STEPS = (
    "training_step",
    "on_train_batch_start",
    "on_train_batch_end",
    "on_before_backward",
    "backward",
    "on_after_backward",
    "on_before_optimizer_step",
    "optimizer_step",
    "on_before_zero_grad",
    "optimizer_zero_grad",
    "configure_gradient_clipping",
    "configure_optimizers",
    "lr_scheduler_step",
)
_HOOKS_OF_BATCHES = (
    "on_before_batch_transfer",
    "transfer_batch_to_device",
    "on_after_batch_transfer",
)

_SCALES_THE_LOSS = ("16-mixed", "16")
_MIXED = (*_SCALES_THE_LOSS, "bf16-mixed", "bf16")


def require_agreement(cfg: DictConfig, spec: DataSpec, *, rows: int, batches: int) -> None:
    """Refuse settings that are right each on its own, but not with the data or each other.

    Args:
        cfg: A config that `nnlab.config.check_config` has passed.
        spec: What the data is like.
        rows: How many training rows there are.
        batches: How many batches they make.

    Raises:
        ValueError: Two of them do not go together.
    """
    _check_monitor("monitor", cfg.monitor, spec.task)
    for name, callback in (cfg.callbacks or {}).items():
        # Another's callback may watch what it likes.
        if callback and callback.get("monitor") and callback._target_.startswith("nnlab."):
            _check_monitor(f"callbacks.{name}.monitor", callback.monitor, spec.task)
    _check_callbacks(cfg)
    _check_batches(cfg, rows, batches)
    _check_precision(cfg, spec.category_sizes)
    _check_graphs(cfg)


def steps_per_block(cfg: DictConfig) -> int:
    """How many steps Lightning is to see as one: one, where it has something to do at each."""
    devices = cfg.trainer.devices  # a number, or a list that names one
    one_process = devices in (1, "1") or (isinstance(devices, ListConfig) and len(devices) == 1)
    one_process = one_process and "strategy" not in cfg.trainer
    at_each = any(key in cfg.trainer for key in _AT_EACH_STEP)
    # At each step by what the last one gave.
    scales = str(cfg.trainer.get("precision")) in _SCALES_THE_LOSS
    at_each = at_each or scales or _has_part_for_each_step(cfg)
    return cfg.steps_per_block if one_process and not at_each else 1


def _has_part_for_each_step(cfg: DictConfig) -> bool:
    """Whether a part works in Lightning's own loop alone."""
    from lightning.pytorch import callbacks
    from torch.optim import LBFGS

    from nnlab.data import InMemoryDataModule
    from nnlab.models import SupervisedModule

    parts = (
        LBFGS,
        callbacks.GradientAccumulationScheduler,
        callbacks.LambdaCallback,
        callbacks.SpikeDetection,
        callbacks.WeightAveraging,
    )
    optimizer, classes = target_class(cfg.optimizer, object), _callback_classes(cfg)
    model = target_class(cfg.model, SupervisedModule)
    data = target_class(cfg.data, InMemoryDataModule)
    return (
        any(issubclass(cls, parts) for cls in (optimizer, *classes.values()))
        or _takes_closure(optimizer)
        or any(_overrides(cls, _HOOKS_OF_STEPS) for cls in classes.values())
        or any(_logs_steps(cls, cfg.callbacks[name]) for name, cls in classes.items())
        or _overrides(model, (*_HOOKS_OF_STEPS, *_HOOKS_OF_BATCHES))
        or _overrides(data, ("train_dataloader", *_HOOKS_OF_BATCHES))
    )


def _logs_steps(callback: type, node: DictConfig) -> bool:
    """Whether a callback of Lightning's saves or logs something every few steps."""
    from lightning.pytorch.callbacks import LearningRateMonitor

    intervals = (None, "step") if issubclass(callback, LearningRateMonitor) else ("step",)
    logs = "logging_interval" in node or issubclass(callback, LearningRateMonitor)
    return bool(
        node.get("every_n_train_steps") or (logs and node.get("logging_interval") in intervals)
    )


def _overrides(cls: type, hooks: Iterable[str]) -> bool:
    """Whether a class that is a person's own has one of some hooks."""
    found = (getattr(cls, hook, None) for hook in hooks)
    return any(hook and _package(hook) not in ("nnlab", "lightning") for hook in found)


def _takes_closure(optimizer: type) -> bool:
    """Whether an optimizer may compute the loss itself, which a block does before its step.

    Those of torch's take a closure, too, but need none; of others nobody knows. Nor whether what
    they do to gradients before the next step is no more than to forget them.
    """
    zero_grad = getattr(optimizer, "zero_grad", None)
    if callable(zero_grad) and _package(zero_grad) != "torch":
        return True
    step = getattr(optimizer, "step", None)
    if not callable(step) or _package(step) == "torch":
        return False
    try:
        parameters = inspect.signature(step).parameters.values()
    except ValueError:  # of one that is not written in Python
        return True
    passes_on = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return any(taken.name == "closure" or taken.kind in passes_on for taken in parameters)


def _package(function: Callable[..., object]) -> str:
    """The package that a function is of; none of one that is not written in Python."""
    return str(getattr(function, "__module__", None) or "").partition(".")[0]


def _callback_classes(cfg: DictConfig) -> dict[str, type]:
    nodes = cfg.callbacks or {}
    return {name: target_class(node, object) for name, node in nodes.items() if node}


def _check_monitor(setting: str, monitor: str, task: Task) -> None:
    # Whether a network of one's own computes what is no metric of nnlab's, it will tell.
    if monitor in MONITORS and monitor not in monitors(task):
        raise ValueError(
            f"{setting} must be a metric of the task, {task}: one of {', '.join(monitors(task))}, "
            f"got {setting}={monitor}"
        )


# Of Lightning's callbacks those that nobody would get from nnlab what they are for: what such a
# one must be, and the way out.
_UNFIT_CALLBACKS = {
    "StochasticWeightAveraging": (
        "an average that is validated, because the best epoch is kept and tested",
        "take lightning.pytorch.callbacks.EMAWeightAveraging",
    ),
    "LearningRateFinder": (
        "one that leaves the rate as the config has it, so that the run can be repeated",
        "find it by a sweep, such as -m optimizer.lr=0.001,0.01",
    ),
    "BatchSizeFinder": (
        "one that leaves the batches as the config has them, so that the run can be repeated",
        "find it by a sweep, such as -m data.batch_size=64,256",
    ),
    "ModelPruning": (
        "one that leaves the weights under the names by which a checkpoint is read",
        "prune the trained network, with torch.nn.utils.prune",
    ),
    "BackboneFinetuning": ("of use to a network without a backbone", "leave it out"),
}


def _check_callbacks(cfg: DictConfig) -> None:
    for name, cls in _callback_classes(cfg).items():
        unfit = next((base.__name__ for base in cls.__mro__ if _is_unfit(base)), None)
        if unfit:
            wanted, way_out = _UNFIT_CALLBACKS[unfit]
            raise ValueError(f"callbacks.{name} must be {wanted}, got {cls.__name__}; {way_out}")


def _is_unfit(cls: type) -> bool:
    return cls.__module__.startswith("lightning.") and cls.__name__ in _UNFIT_CALLBACKS


def _check_batches(cfg: DictConfig, rows: int, batches: int) -> None:
    if cfg.trainer.get("overfit_batches"):
        raise ValueError(
            "trainer.overfit_batches must be left out, because the rows of a batch are others in "
            f"each epoch, got {cfg.trainer.overfit_batches}; train on a file of few rows"
        )
    if cfg.trainer.get("limit_test_batches") is not None:
        raise ValueError(
            "trainer.limit_test_batches must be left out, because results are of all test rows, "
            f"got {cfg.trainer.limit_test_batches}"
        )
    interval = cfg.trainer.get("val_check_interval")
    if isinstance(interval, int) and interval > batches:
        raise ValueError(
            f"trainer.val_check_interval must be at most the {batches} batches of an epoch, got "
            f"{interval}; set a share of them such as 0.5, or trainer.check_val_every_n_epoch"
        )
    # A network or data of one's own may have no such settings.
    batch_size = cfg.data.get("batch_size", rows)
    if cfg.model.get("batch_norm") and min(batch_size, rows) < 2:
        raise ValueError(
            "batch_norm needs at least two rows in a batch, got "
            f"data.batch_size={batch_size} and {rows} training rows; "
            "set model.batch_norm=false"
        )


# Up to which whole number all can be told apart; beyond, codes of categories would run together.
_LARGEST_CODE = {"bf16-true": 2**8, "16-true": 2**11}


def _check_precision(cfg: DictConfig, category_sizes: Sequence[int]) -> None:
    limit = _LARGEST_CODE.get(str(cfg.trainer.get("precision")))
    largest = max(category_sizes, default=0) - 1
    if limit is not None and largest > limit:
        precision = cfg.trainer.precision
        raise ValueError(
            f"trainer.precision={precision} tells {limit} codes of a column's categories apart, "
            f"got {largest}; set trainer.precision={precision.replace('true', 'mixed')}, or leave "
            "columns of so many categories out with data.drop"
        )
    is_sgd = str(cfg.optimizer.get("_target_")).endswith(".SGD")
    fused_sgd = is_sgd and cfg.optimizer.get("fused", False)
    if limit is not None and fused_sgd:
        # By torch 2.13: its momentum is of memory that nobody has written to.
        raise ValueError(
            f"optimizer.fused must be false where trainer.precision={cfg.trainer.precision} and "
            "the optimizer is SGD, which torch computes wrongly then, got optimizer.fused=true; "
            "set optimizer.fused=false"
        )
    # A fused optimizer takes the scale of 16-mixed off the gradients itself, after the clipping;
    # Lightning refuses to clip for one in bf16-mixed as well, where it takes the steps.
    precision = str(cfg.trainer.get("precision"))
    fused_and_mixed = precision in _MIXED and cfg.optimizer.get("fused", False)
    clips = cfg.trainer.get("gradient_clip_val") is not None
    if fused_and_mixed and clips and steps_per_block(cfg) == 1:
        raise ValueError(
            f"optimizer.fused must be false where trainer.precision={precision} and gradients are "
            "clipped, got optimizer.fused=true; set optimizer.fused=false"
        )


def _check_graphs(cfg: DictConfig) -> None:
    if not cfg.get("cuda_graphs"):
        return
    if cfg.compile in ("reduce-overhead", "max-autotune"):
        raise ValueError(
            "compile must be null or default where cuda_graphs=true, because other modes record "
            f"graphs of their own, got compile={cfg.compile}"
        )
    if steps_per_block(cfg) == 1:
        raise ValueError(
            "cuda_graphs must be false where Lightning takes each step, that is with "
            "steps_per_block=1, 16-mixed, several processes or parts that work at single steps, "
            "got cuda_graphs=true; set cuda_graphs=false"
        )
