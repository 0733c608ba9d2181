"""How many optimizer steps a run has taken, and how many it will."""

from typing import Any, cast

from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import GradientAccumulationScheduler


def count_step(trainer: Trainer) -> None:
    """Have Lightning count a step within a block: its own optimizers' are all that it counts."""
    epoch_loop = trainer.fit_loop.epoch_loop
    progress = epoch_loop.manual_optimization.optim_step_progress
    for count in (progress.total, progress.current):
        count.ready += 1
        count.completed += 1
    epoch_loop._batches_that_stepped += 1


def end_block(trainer: Trainer) -> None:
    """Tell Lightning that it will take a block for one more step, which has been counted."""
    trainer.fit_loop.epoch_loop._batches_that_stepped -= 1


def total_steps(trainer: Trainer, *, in_blocks: bool) -> int:
    """The optimizer steps of the whole run.

    Args:
        trainer: What the run is made by.
        in_blocks: Whether a training batch is a block of batches, each with its own step.
    """
    batches = int(trainer.estimated_stepping_batches)  # which makes the data loader, too
    if in_blocks:
        blocks: Any = trainer.train_dataloader
        return (trainer.max_epochs or 1) * len(blocks.batches)
    for callback in cast(Any, trainer).callbacks:
        if isinstance(callback, GradientAccumulationScheduler):
            return _accumulated_steps(trainer, callback)
    return batches


def _accumulated_steps(trainer: Trainer, callback: GradientAccumulationScheduler) -> int:
    """The steps of a run in which each epoch may accumulate the gradients of more batches.

    Lightning counts by the number that is set before the first, which is one.
    """
    batches = int(trainer.num_training_batches)
    epochs = range(trainer.max_epochs or 1)
    steps = sum(-(-batches // callback.get_accumulate_grad_batches(epoch)) for epoch in epochs)
    return steps if trainer.max_steps == -1 else min(steps, trainer.max_steps)
