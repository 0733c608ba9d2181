"""Callbacks of a training run."""

from nnlab.callbacks.curves_go_on import CurvesGoOn
from nnlab.callbacks.early_stopping import EarlyStopping
from nnlab.callbacks.epoch_progress import EpochProgress
from nnlab.callbacks.epoch_seed import EpochSeed
from nnlab.callbacks.run_checkpoint import RunCheckpoint
from nnlab.callbacks.step_curves import StepCurves

__all__ = [
    "CurvesGoOn",
    "EarlyStopping",
    "EpochProgress",
    "EpochSeed",
    "RunCheckpoint",
    "StepCurves",
]
