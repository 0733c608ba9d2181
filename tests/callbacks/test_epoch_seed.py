"""The randomness of an epoch."""

from types import SimpleNamespace

import torch

from nnlab.callbacks import EpochSeed


def draw(seed: int, epoch: int, rank: int = 0) -> float:
    cpu = SimpleNamespace(root_device=torch.device("cpu"))
    trainer = SimpleNamespace(strategy=cpu, current_epoch=epoch, global_rank=rank)
    EpochSeed(seed=seed).on_train_epoch_start(trainer, None)
    return torch.rand(()).item()


def test_an_epoch_draws_the_same_whatever_came_before() -> None:
    first = draw(0, 3)
    torch.rand(100)
    assert draw(0, 3) == first


def test_epochs_seeds_and_processes_draw_differently() -> None:
    assert len({draw(0, 0), draw(0, 1), draw(1, 0), draw(0, 0, rank=1)}) == 4
