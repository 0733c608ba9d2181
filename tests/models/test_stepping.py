"""The inner loop of training asks a device for nothing, so that it never has to wait for one."""

import copy
import functools
from collections import Counter
from collections.abc import Callable

import pytest
import torch
from lightning.pytorch import Callback, Trainer
from small_networks import ROWS, make_batches, make_module
from torch import nn
from torch.optim import SGD, Adam, AdamW, Optimizer, RMSprop
from torch.optim.lr_scheduler import OneCycleLR
from torch.utils._python_dispatch import TorchDispatchMode

from nnlab.callbacks import StepCurves
from nnlab.data.batches import Blocks, OrderedBatches
from nnlab.models import SupervisedModule
from nnlab.models.stepping import Step, _Update, check_state, train_on

# What makes Python wait until a GPU has come so far.
WAITING = {"aten::_local_scalar_dense", "aten::nonzero", "aten::equal", "aten::is_nonzero"}


class Waits(TorchDispatchMode):
    """Notes operations whose result Python looks at."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func.name().partition(".")[0] in WAITING:
            self.seen.append(func.name())
        return func(*args, **(kwargs or {}))


OPTIMIZERS = [
    functools.partial(AdamW, fused=True),
    functools.partial(Adam, fused=True),
    functools.partial(SGD, momentum=0.9, fused=True),
    RMSprop,
]


@pytest.mark.parametrize("make", OPTIMIZERS, ids=["adamw", "adam", "sgd", "rmsprop"])
@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_block_of_steps_waits_for_nothing(make: Callable, task: str) -> None:
    module = make_module(task)
    batches = make_batches(task)
    optimizer = make(module.parameters(), lr=0.01)
    for block in batches.blocks(4):
        with Waits() as waits:
            taken = train_on(
                block,
                step=Step(module._objective, optimizer, gradient_clip_val=1.0),
                scheduler=OneCycleLR(optimizer, max_lr=0.1, total_steps=100),
                keep=lambda outputs, targets: None,
                count=lambda: None,
            )
        assert waits.seen == []
    with Waits() as waits:
        float(taken["loss"])
    assert waits.seen == ["aten::_local_scalar_dense"]


def take_steps(step: Callable[[], None], weights: list[nn.Parameter], count: int) -> None:
    for _ in range(count):
        for one in weights:
            one.grad = torch.randn_like(one)
        step()


@pytest.mark.parametrize("cls", [Adam, AdamW])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"amsgrad": True, "weight_decay": 0.1},
        {"maximize": True, "betas": (0.5, 0.9), "eps": 1e-3},
        {"fused": False},
    ],
)
def test_an_update_is_what_the_optimizers_own_step_is(cls: type[Optimizer], options) -> None:
    own_step, own_steps, results = cls.step, Counter(), []

    def counting(self: Optimizer, *args: object) -> None:
        own_steps[is_own] += 1
        own_step(self, *args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cls, "step", counting)
        for is_own in (True, False):
            torch.manual_seed(0)
            weights = [nn.Parameter(torch.randn(5, 4)), nn.Parameter(torch.randn(3))]
            optimizer = cls(weights, **{"lr": 0.1, "fused": True, **options})
            schedule = OneCycleLR(optimizer, max_lr=0.1, total_steps=20, cycle_momentum=True)
            update = optimizer.step if is_own else _Update(optimizer, weights)
            for _ in range(6):  # the rate and the momentum are others at each
                take_steps(update, weights, 1)
                schedule.step()
            # One that is taken up from elsewhere keeps its averages in other tensors.
            optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))
            take_steps(update, weights, 2)
            weights[1].grad, weights[0].grad = None, torch.ones(5, 4)
            update()
            take_steps(update, weights, 2)
            kept = [value for state in optimizer.state.values() for value in state.values()]
            results.append([*weights, *kept])
    assert all(torch.equal(mine, other) for mine, other in zip(*results, strict=True))
    assert own_steps[True] == 11
    # The first, the one after loading, and the one without a gradient.
    assert own_steps[False] == (3 if options.get("fused", True) else 11)


def test_hooks_of_an_optimizer_are_called() -> None:
    weights = [nn.Parameter(torch.randn(3))]
    optimizer = AdamW(weights, fused=True)
    update = _Update(optimizer, weights)
    take_steps(update, weights, 2)
    called = []
    for register in (optimizer.register_step_pre_hook, optimizer.register_step_post_hook):
        handle = register(lambda *_: called.append(1))
        take_steps(update, weights, 2)
        handle.remove()
    assert len(called) == 4


class EpochWaits(Callback):
    """What Python waits for between an epoch's first batch and its last."""

    def __init__(self) -> None:
        self.waits = Waits()

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx) -> None:
        if batch_idx == 0:
            self.waits.__enter__()

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx) -> None:
        if batch_idx == trainer.num_training_batches - 1:
            self.waits.__exit__(None, None, None)


@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("steps", [1, 4])
def test_an_epoch_elsewhere_than_on_the_cpu_waits_for_nothing(
    monkeypatch, steps: int, device: str
) -> None:
    monkeypatch.setattr(SupervisedModule, "device", torch.device(device))
    module = make_module("multiclass", lambda parameters: AdamW(parameters, fused=True))
    module.trains_blocks, module.automatic_optimization = steps > 1, steps == 1
    batches = make_batches("multiclass")
    callback = EpochWaits()
    trainer = Trainer(
        accelerator="cpu",
        max_epochs=2,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        callbacks=[StepCurves(every_n_steps=1), callback],
    )
    val = OrderedBatches(x=batches.x, targets=batches.targets, batch_size=ROWS)
    trainer.fit(module, batches if steps == 1 else Blocks(batches, steps), val)
    assert trainer.global_step == 14
    # A CPU is never ahead of Python, and is asked for losses that are not finite.
    assert bool(callback.waits.seen) == (device == "cpu")


@pytest.mark.parametrize("make", OPTIMIZERS)
def test_a_state_of_its_own_suits_an_optimizer(make: Callable[..., Optimizer]) -> None:
    weights = nn.Parameter(torch.randn(5, 4).t())  # columns first in memory
    optimizer = make([weights], lr=0.1)
    check_state(optimizer)  # none yet
    weights.grad = torch.ones_like(weights)
    optimizer.step()
    again = make([weights], lr=0.1)
    again.load_state_dict(optimizer.state_dict())
    check_state(again)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("exp_avg", torch.zeros(3)),
        ("exp_avg", torch.zeros(1).expand(4, 5)),  # the shape of twenty numbers, the memory of one
        ("exp_avg_sq", torch.zeros(5, 4).t()),
        ("exp_avg_sq", torch.zeros(4, 5).to_sparse()),
        ("step", torch.zeros(0)),
    ],
)
def test_a_fused_optimizer_is_not_given_anothers_state(name: str, value: torch.Tensor) -> None:
    weights = nn.Parameter(torch.randn(4, 5))
    optimizer = AdamW([weights], fused=True)
    weights.grad = torch.ones_like(weights)
    optimizer.step()
    saved = optimizer.state_dict()
    saved["state"][0][name] = value
    optimizer.load_state_dict(saved)
    with pytest.raises(ValueError, match=f"the optimizer's {name} must lie in memory as"):
        check_state(optimizer)
