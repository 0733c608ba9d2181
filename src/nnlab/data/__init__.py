"""Data modules: raw files in, preprocessed tensors out, split and resident in memory."""

from nnlab.data.images import ImageDataModule
from nnlab.data.module import InMemoryDataModule
from nnlab.data.tabular import TabularDataModule

__all__ = ["ImageDataModule", "InMemoryDataModule", "TabularDataModule"]
