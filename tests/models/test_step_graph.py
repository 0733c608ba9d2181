"""A step that is recorded and replayed computes what steps that are taken one by one do."""

import functools
from collections import Counter
from collections.abc import Callable

import pytest
import torch
from small_networks import make_batches, make_module
from torch import Tensor
from torch.optim import SGD, Adam, AdamW, RMSprop
from torch.optim.lr_scheduler import CyclicLR, LambdaLR

from nnlab.models import SupervisedModule, step_graph
from nnlab.models.step_graph import GraphedStep
from nnlab.models.stepping import Step, train_on

OPTIMIZERS = [
    functools.partial(AdamW, fused=True),
    functools.partial(Adam, fused=True, amsgrad=True),
    functools.partial(SGD, momentum=0.9, nesterov=True, fused=True),
    RMSprop,
]
STEPS = 7  # of an epoch, the last of fewer rows


@pytest.fixture(params=["cpu", "cuda"])
def device(request, monkeypatch) -> str:
    """A GPU, or a CPU on which a recorded step is one that is put off."""
    if request.param == "cpu":
        monkeypatch.setattr(step_graph, "_RecordedStep", StepPutOff)
        monkeypatch.setattr(step_graph, "record", put_off)
    elif not torch.cuda.is_available():
        pytest.skip("there is no cuda device here")
    return request.param


class StepPutOff(step_graph._RecordedStep):
    """Computes with the numbers that the optimizer had when it was recorded, as a graph does."""

    def __init__(self, take, batch, settings) -> None:
        groups = take.__self__.optimizer.param_groups
        then = [{k: v for k, v in group.items() if k not in ("params", "lr")} for group in groups]

        def take_as_then(batch):
            now = [dict(group) for group in groups]
            for group, numbers in zip(groups, then, strict=True):
                group.update(numbers)
            result = take(batch)
            for group, numbers in zip(groups, now, strict=True):
                group.update(numbers)
            return result

        super().__init__(take_as_then, batch, settings)


REPLAYS: Counter[str] = Counter()


def put_off(step: Callable[[], tuple[Tensor, Tensor]]) -> tuple[Callable, tuple[Tensor, Tensor]]:
    loss, outputs = torch.zeros(()), torch.zeros(0)

    def replay() -> None:
        REPLAYS["cpu"] += 1
        for there, new in zip((loss, outputs), step(), strict=True):
            there.resize_(new.shape).copy_(new)

    return replay, (loss, outputs)


class Counted:
    """How often steps are taken one by one."""

    def __init__(self, step: Step) -> None:
        self.count = 0
        self._objective = step.objective
        step.objective = self

    def __call__(self, batch):
        self.count += 1
        return self._objective(batch)


def learn(
    step_class: type[Step],
    device: str,
    make_optimizer: Callable,
    make_scheduler: Callable,
    epochs: int = 5,
) -> tuple[SupervisedModule, list[Tensor], int]:
    """The network, the losses and outputs of all steps, and how often Python took one."""
    torch.manual_seed(0)
    dtype = torch.get_default_dtype()
    module = make_module("multiclass").to(device, dtype)
    batches = make_batches("multiclass")
    batches.x, batches.targets = batches.x.to(device, dtype), batches.targets.to(device)
    batches.device = torch.device(device)
    # Such a rate is the same in 32 bits.
    optimizer = make_optimizer(module.parameters(), lr=2.0**-6)
    scheduler = make_scheduler(optimizer)
    step = step_class(module._objective, optimizer, 1.0)
    counted = Counted(step)
    seen: list[Tensor] = []

    def keep(outputs: Tensor, targets: Tensor) -> None:
        seen.append(outputs.clone())

    step.leave()
    for epoch in range(epochs):
        torch.manual_seed(epoch)
        batches.set_epoch(epoch)
        for block in batches.blocks(4):
            assert step.fits(optimizer)  # else it would be made, and recorded, for each block anew
            taken = train_on(block, step=step, scheduler=scheduler, keep=keep, count=lambda: None)
            step.leave()
            seen += taken["losses"]
            assert all(isinstance(lr, float) for lr in taken["lrs"])  # as a schedule left it
    return module, seen, counted.count


def halving(optimizer) -> LambdaLR:
    return LambdaLR(optimizer, lambda step: 2.0 ** -(step // 3))


def require_alike(one: SupervisedModule, other: SupervisedModule) -> None:
    for name, weights in one.state_dict().items():
        assert torch.equal(weights, other.state_dict()[name]), name


@pytest.mark.parametrize("make", OPTIMIZERS, ids=["adamw", "adam", "sgd", "rmsprop"])
def test_recorded_steps_end_with_the_same_bits(device: str, make: Callable) -> None:
    if make is RMSprop and device == "cpu":
        pytest.skip("torch does not keep what RMSprop counts with the weights on a CPU")
    # RMSprop computes otherwise with a rate that lies on the device.
    reference_class = TakenOneByOne if make is RMSprop else Step
    reference, expected, _ = learn(reference_class, device, make, halving)
    REPLAYS.clear()
    module, seen, taken = learn(GraphedStep, device, make, halving)
    require_alike(module, reference)
    assert len(seen) == len(expected) == 2 * 5 * STEPS
    for mine, other in zip(seen, expected, strict=True):
        assert torch.equal(mine, other)
    if device == "cuda":  # of each size the first three, and one to record
        assert taken == 2 * (3 + 1)
    else:  # all but the first three of each size
        assert REPLAYS["cpu"] == 5 * STEPS - 2 * 3


class TakenOneByOne(GraphedStep):
    """Never replays."""

    def __call__(self, batch):
        self._taken.clear()
        return super().__call__(batch)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_weights_may_have_other_bits(device: str, dtype: torch.dtype) -> None:
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)  # as Lightning does
    try:
        reference, _, _ = learn(Step, device, OPTIMIZERS[0], halving)
        module, _, _ = learn(GraphedStep, device, OPTIMIZERS[0], halving)
    finally:
        torch.set_default_dtype(before)
    assert next(module.parameters()).dtype == dtype
    require_alike(module, reference)


def test_other_settings_than_the_rate_that_a_schedule_changes_count(device: str) -> None:
    def cycling(optimizer) -> CyclicLR:
        return CyclicLR(
            optimizer, 2.0**-6, 2.0**-6, step_size_up=5, base_momentum=0.5, max_momentum=0.9
        )

    make = functools.partial(SGD, momentum=0.9, fused=True)
    reference, _, _ = learn(Step, device, make, cycling)
    module, _, _ = learn(GraphedStep, device, make, cycling)
    require_alike(module, reference)


def test_an_optimizer_that_goes_on_from_a_checkpoint_is_recorded(device: str) -> None:
    if device == "cpu":
        pytest.skip("torch does not keep what RMSprop counts with the weights on a CPU")
    module = make_module("multiclass").to(device)
    before = RMSprop(module.parameters())
    batch = next(iter(make_batches("multiclass")))
    batch = batch[0].to(device), batch[1].to(device)
    Step(module._objective, before, None)(batch)
    after = RMSprop(module.parameters())
    after.load_state_dict(before.state_dict())
    step = GraphedStep(module._objective, after, None)
    losses = [float(step(batch)[0]) for _ in range(20)]
    assert losses[-1] < losses[0]
    assert after.param_groups[0]["lr"] == 0.01  # as the schedule and the checkpoint know it
    assert not after.param_groups[0]["capturable"]


def test_each_group_of_weights_has_its_own_rate(device: str) -> None:
    def two_groups(parameters, lr: float) -> AdamW:
        weights = list(parameters)
        groups = [{"params": weights[:3], "lr": lr}, {"params": weights[3:], "lr": lr / 4}]
        return AdamW(groups, fused=True)

    reference, _, _ = learn(Step, device, two_groups, halving)
    module, _, _ = learn(GraphedStep, device, two_groups, halving)
    require_alike(module, reference)


def test_want_of_memory_is_not_taken_for_waiting(monkeypatch) -> None:
    def fail(step: Callable) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has")

    monkeypatch.setattr(step_graph, "record", fail)
    module = make_module("multiclass")
    batch = next(iter(make_batches("multiclass")))
    step = GraphedStep(module._objective, AdamW(module.parameters(), fused=True), None)
    for _ in range(3):
        step(batch)
    message = r"cpu must have memory for .*, but CUDA .* allocate 2.00 GiB; set cuda_graphs=false,"
    with pytest.raises(ValueError, match=message):
        step(batch)


def test_a_step_that_cannot_be_recorded_is_refused_in_a_sentence(device: str, monkeypatch) -> None:
    if device == "cpu":

        def fail(step: Callable) -> None:
            raise RuntimeError("operation not permitted when stream is capturing\nmore")

        monkeypatch.setattr(step_graph, "record", fail)
    module = make_module("multiclass").to(device)
    batch = next(iter(make_batches("multiclass")))
    batch = batch[0].to(device), batch[1].to(device)

    def objective(batch) -> tuple[Tensor, Tensor]:
        loss, outputs = module._objective(batch)
        assert float(loss.detach()) > 0  # waits
        return loss, outputs

    step = GraphedStep(objective, AdamW(module.parameters(), fused=True), None)
    for _ in range(3):
        step(batch)
    message = r"cuda_graphs must be false .* for the device \(.*not permitted.*\); set cuda_gra"
    with pytest.raises(ValueError, match=message):
        step(batch)
    Step(module._objective, AdamW(module.parameters()), None)(batch)  # dropout still draws
