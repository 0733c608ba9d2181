"""Randomness that a resumed run repeats."""

import random

import numpy as np
import torch
from lightning.pytorch import Callback, LightningModule, Trainer

from nnlab.seeding import stream_seed


class EpochSeed(Callback):
    """Seeds torch, numpy and Python at the start of each epoch from `(seed, epoch, rank)`.

    Dropout then draws the same masks in an epoch whether the run came there in one go or was
    resumed from a checkpoint, and each process of several draws its own.

    Args:
        seed: The run's seed, >= 0.
    """

    def __init__(self, *, seed: int) -> None:
        self.seed = seed

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Seed the epoch."""
        position = trainer.current_epoch, trainer.global_rank
        seed = stream_seed(self.seed, "dropout", *position)
        # Of the device at hand; `torch.manual_seed`, which prepares for all, takes a hundred times
        # as long.
        torch.default_generator.manual_seed(seed)
        # For what a person adds, such as a mixup.
        random.seed(seed)
        np.random.seed(seed % 2**32)
        device = trainer.strategy.root_device.type
        if device != "cpu":
            torch.get_device_module(device).manual_seed(seed)
