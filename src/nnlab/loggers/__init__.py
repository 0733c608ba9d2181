"""Loggers of a training run."""

from nnlab.loggers.curves import CurvesLogger

__all__ = ["CurvesLogger"]
