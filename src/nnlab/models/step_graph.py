"""An optimizer step recorded as a CUDA graph: launched by one call instead of some hundred."""

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from nnlab.errors import first_line, out_of_memory
from nnlab.models.stepping import Batch, Step

# Of each size of a batch. Libraries set themselves up in the first, and cannot be recorded there.
_STEPS_BEFORE = 3

Result = tuple[Tensor, Tensor]
"""The loss, a scalar, and the outputs `(batch, out_features)`."""


class GraphedStep(Step):
    """Takes optimizer steps by a CUDA graph, recorded after the first few.

    A graph computes with the numbers that it was recorded with, all but those that lie in memory
    of the device. So the learning rate lies there, which rounds it to 32 bits; and a step after a
    schedule has changed another setting of the optimizer is computed as ever.

    Args:
        objective: From a batch to what is to be minimised, a scalar, and the network's outputs.
        optimizer: What steps.
        gradient_clip_val: The largest norm of a step's gradient; None for no limit.

    Raises:
        ValueError: A step cannot be recorded, because it waits for the device, or because that has
            no room for it.
    """

    def __init__(
        self,
        objective: Callable[[Batch], Result],
        optimizer: Optimizer,
        gradient_clip_val: float | None,
    ) -> None:
        super().__init__(objective, optimizer, gradient_clip_val)
        device = self.parameters[0].device
        # Fused steps want these bits, whatever those of the weights.
        self._lrs = [
            torch.zeros((), device=device, dtype=torch.float32) for _ in optimizer.param_groups
        ]
        self._lrs_there: list[float] = []
        self._taken: Counter[tuple[torch.Size, ...]] = Counter()
        self._recorded: dict[tuple[torch.Size, ...], _RecordedStep] = {}
        for state in optimizer.state.values():  # of a checkpoint, where some lies on the CPU
            for name, kept in state.items():
                if isinstance(kept, Tensor):
                    state[name] = kept.to(device)

    def __call__(self, batch: Batch) -> Result:
        """Take one; the outputs that it gives are overwritten by the next."""
        self._take_over_lrs()
        shapes = tuple(part.shape for part in batch)
        if shapes not in self._recorded and self._taken[shapes] >= _STEPS_BEFORE:
            self._recorded[shapes] = _RecordedStep(self._take, batch, self._settings())
        recorded = self._recorded.get(shapes)
        if recorded is None or recorded.settings != self._settings():
            self._taken[shapes] += 1
            return self._take(batch)
        return recorded(batch)

    def _take(self, batch: Batch) -> Result:
        with self._as_recorded():
            return super().__call__(batch)

    def _take_over_lrs(self) -> None:
        lrs = [float(group["lr"]) for group in self.optimizer.param_groups]
        if lrs != self._lrs_there:
            for there, lr in zip(self._lrs, lrs, strict=True):
                there.fill_(lr)
            self._lrs_there = lrs

    @contextlib.contextmanager
    def _as_recorded(self) -> Iterator[None]:
        """Let the optimizer take its rates from the device, and keep all that it counts there."""
        before = [dict(group) for group in self.optimizer.param_groups]
        for group, lr in zip(self.optimizer.param_groups, self._lrs, strict=True):
            group["lr"] = lr
            if "capturable" in group:
                group["capturable"] = True
        try:
            yield
        finally:
            for group, settings in zip(self.optimizer.param_groups, before, strict=True):
                group.update(settings)

    def _settings(self) -> list[dict[str, Any]]:
        """The numbers of the optimizer that a graph is recorded with."""
        return [
            {name: value for name, value in group.items() if name not in ("params", "lr")}
            for group in self.optimizer.param_groups
        ]


class _RecordedStep:
    """A step on batches of one size, recorded.

    Args:
        take: What takes it.
        batch: One of that size.
        settings: The optimizer's.

    Attributes:
        settings: As above.

    Raises:
        ValueError: It waits for the device, or that has no room for it.
    """

    def __init__(
        self, take: Callable[[Batch], Result], batch: Batch, settings: list[dict[str, Any]]
    ) -> None:
        self.settings = settings
        self._batch = batch[0].clone(), batch[1].clone()
        try:
            self._replay, (self._loss, self._outputs) = record(lambda: take(self._batch))
        except torch.OutOfMemoryError as error:
            raise ValueError(
                f"{self._batch[0].device} must have memory for a step and for its recording, but "
                f"{out_of_memory(error)}; set cuda_graphs=false, end what else uses it, or lower "
                "data.batch_size"
            ) from error
        except RuntimeError as error:
            raise ValueError(
                "cuda_graphs must be false for a network or an optimizer whose steps wait for the "
                f"device ({first_line(error.__context__ or error)}); set cuda_graphs=false, or "
                "optimizer.fused=true if it is not"
            ) from error

    def __call__(self, batch: Batch) -> Result:
        for recorded, given in zip(self._batch, batch, strict=True):
            recorded.copy_(given)
        self._replay()
        return self._loss.clone(), self._outputs


def record(step: Callable[[], Result]) -> tuple[Callable[[], None], Result]:
    """Record what a step does with a GPU, without doing it.

    Returns:
        What does it, and where its results will lie then.

    Raises:
        RuntimeError: It waits for the GPU.
    """
    graph = torch.cuda.CUDAGraph()
    generator = torch.cuda.default_generators[torch.cuda.current_device()]
    before = generator.clone_state()
    try:
        with torch.cuda.graph(graph):
            results = step()
    except RuntimeError:
        generator.graphsafe_set_state(before)  # it would take itself to be recorded still
        raise
    return graph.replay, results
