"""What training refuses once it knows the data."""

import pytest
import torch
from omegaconf import OmegaConf

from nnlab.training import _check_precision


@pytest.mark.parametrize(
    ("precision", "dtype"), [("bf16-true", torch.bfloat16), ("16-true", torch.float16)]
)
def test_a_precision_that_runs_categories_together_is_refused(precision: str, dtype) -> None:
    cfg = OmegaConf.create({"trainer": {"precision": precision}})
    codes = torch.arange(5000)
    # Codes begin at 0, so that the first that is changed is how many are told apart.
    told_apart = int((codes.to(dtype).long() == codes).long().argmin())
    _check_precision(cfg, [3, told_apart])
    mixed = precision.replace("true", "mixed")
    message = f"trainer.precision={precision} tells .*, got {told_apart}; set .*={mixed}, or"
    with pytest.raises(ValueError, match=message):
        _check_precision(cfg, [3, told_apart + 1])
    for other in (mixed, "32-true", None):
        cfg.trainer.precision = other
        _check_precision(cfg, [told_apart + 1])
    _check_precision(cfg, [])
