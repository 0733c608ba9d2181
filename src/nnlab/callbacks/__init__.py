"""Callbacks of a training run."""

from nnlab.callbacks.early_stopping import EarlyStopping
from nnlab.callbacks.epoch_progress import EpochProgress
from nnlab.callbacks.epoch_seed import EpochSeed
from nnlab.callbacks.going_on import GoingOn
from nnlab.callbacks.run_checkpoint import RunCheckpoint
from nnlab.callbacks.step_curves import StepCurves

__all__ = [
    "EarlyStopping",
    "EpochProgress",
    "EpochSeed",
    "GoingOn",
    "RunCheckpoint",
    "StepCurves",
]
