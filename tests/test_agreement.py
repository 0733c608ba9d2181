"""Settings that do not go together, or not with the data."""

import pytest
import torch
from omegaconf import OmegaConf

from nnlab.agreement import _check_precision


@pytest.mark.parametrize(
    ("precision", "dtype"), [("bf16-true", torch.bfloat16), ("16-true", torch.float16)]
)
def test_a_precision_that_runs_categories_together_is_refused(precision: str, dtype) -> None:
    cfg = OmegaConf.create({"trainer": {"precision": precision}, "optimizer": {}})
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


def test_a_fused_optimizer_does_not_clip_scaled_gradients() -> None:
    trainer = {"precision": "16-mixed", "gradient_clip_val": 1.0}
    cfg = OmegaConf.create({"trainer": trainer, "optimizer": {"fused": True}})
    with pytest.raises(ValueError, match=r"set optimizer\.fused=false"):
        _check_precision(cfg, [])
    for section, key, value in (
        ("trainer", "precision", "bf16-mixed"),
        ("trainer", "gradient_clip_val", None),
        ("optimizer", "fused", False),
    ):
        allowed = cfg.copy()
        allowed[section][key] = value
        _check_precision(allowed, [])
