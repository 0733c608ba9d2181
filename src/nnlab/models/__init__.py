"""Networks, and the LightningModule that trains them."""

from nnlab.models.mlp import MLP
from nnlab.models.schedulers import WarmupCosineLR
from nnlab.models.supervised import SupervisedModule

__all__ = ["MLP", "SupervisedModule", "WarmupCosineLR"]
