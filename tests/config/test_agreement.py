"""Settings that do not go together, or not with the data."""

from types import SimpleNamespace

import pytest
import torch
from omegaconf import OmegaConf

from nnlab.config.agreement import (
    _check_precision,
    require_agreement,
    steps_per_block,
)


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


def test_momentum_of_half_precision_is_not_fused() -> None:
    trainer = {"precision": "bf16-true", "gradient_clip_val": None}
    optimizer = {"_target_": "torch.optim.SGD", "fused": True}
    cfg = OmegaConf.create({"trainer": trainer, "optimizer": optimizer})
    with pytest.raises(ValueError, match=r"SGD, .* set optimizer\.fused=false"):
        _check_precision(cfg, [])
    for section, key, value in (
        ("trainer", "precision", "32-true"),
        ("optimizer", "_target_", "torch.optim.AdamW"),
        ("optimizer", "fused", False),
    ):
        allowed = cfg.copy()
        allowed[section][key] = value
        _check_precision(allowed, [])


def test_a_callback_watches_a_metric_of_the_task() -> None:
    callbacks = {
        "progress": None,
        "early_stopping": {"_target_": "nnlab.callbacks.EarlyStopping", "monitor": "val/rmse"},
    }
    cfg = OmegaConf.create({"monitor": "val/loss", "callbacks": callbacks})
    spec = SimpleNamespace(task="binary", category_sizes=[])
    with pytest.raises(ValueError, match=r"^callbacks\.early_stopping\.monitor must be .*binary"):
        require_agreement(cfg, spec, rows=9, batches=1)


# Parts that leave the steps to nnlab.
PLAIN = {
    "model": {"_target_": "nnlab.models.SupervisedModule"},
    "data": {"_target_": "nnlab.data.TabularDataModule"},
    "optimizer": {"_target_": "torch.optim.AdamW"},
    "callbacks": None,
    "steps_per_block": 64,
}


@pytest.mark.parametrize("at_each_step", ["accumulate_grad_batches", "max_steps", "num_nodes"])
def test_lightning_takes_the_steps_where_it_has_something_to_do_at_each(at_each_step: str) -> None:
    trainer = {"devices": 1, "precision": "32-true"}
    cfg = OmegaConf.create({**PLAIN, "trainer": trainer})
    assert steps_per_block(cfg) == 64
    cfg.trainer[at_each_step] = 2
    assert steps_per_block(cfg) == 1


@pytest.mark.parametrize(("devices", "steps"), [([1], 64), ("1", 64), ([0, 1], 1), (2, 1)])
def test_one_device_may_be_chosen_by_its_number(devices: object, steps: int) -> None:
    trainer = {"devices": devices, "precision": "32-true"}
    assert steps_per_block(OmegaConf.create({**PLAIN, "trainer": trainer})) == steps


@pytest.mark.parametrize(
    ("section", "target"),
    [
        ("optimizer", "torch.optim.LBFGS"),
        ("callbacks", "lightning.pytorch.callbacks.EMAWeightAveraging"),
        ("callbacks", "lightning.pytorch.callbacks.GradientAccumulationScheduler"),
    ],
)
def test_lightning_takes_the_steps_for_parts_that_work_at_each(section: str, target: str) -> None:
    part = {"_target_": target}
    own = {section: part if section == "optimizer" else {"mine": part, "progress": None}}
    trainer = {"devices": 1, "precision": "32-true"}
    assert steps_per_block(OmegaConf.create({**PLAIN, "trainer": trainer})) == 64
    assert steps_per_block(OmegaConf.create({**PLAIN, "trainer": trainer, **own})) == 1


@pytest.mark.parametrize(
    "callback",
    [
        {"_target_": "lightning.pytorch.callbacks.ModelCheckpoint", "every_n_train_steps": 5},
        {"_target_": "lightning.pytorch.callbacks.LearningRateMonitor", "logging_interval": "step"},
        {"_target_": "lightning.pytorch.callbacks.LearningRateMonitor"},
        {"_target_": "lightning.pytorch.callbacks.LambdaCallback"},
        {"_target_": "lightning.pytorch.callbacks.SpikeDetection"},
    ],
)
def test_lightning_takes_the_steps_where_a_callback_counts_them(callback: dict) -> None:
    cfg = OmegaConf.create({**PLAIN, "trainer": {"devices": 1}, "callbacks": {"mine": callback}})
    assert steps_per_block(cfg) == 1


def test_rates_of_epochs_are_no_matter_of_steps() -> None:
    target = "lightning.pytorch.callbacks.LearningRateMonitor"
    callback = {"_target_": target, "logging_interval": "epoch"}
    cfg = OmegaConf.create({**PLAIN, "trainer": {"devices": 1}, "callbacks": {"mine": callback}})
    assert steps_per_block(cfg) == 64


OWN_MODEL = """
from nnlab.data import TabularDataModule
from nnlab.models import SupervisedModule

class Same(SupervisedModule):
    def forward(self, x):
        return super().forward(x)

class Stepped(SupervisedModule):
    def {hook}(self, *args, **kwargs):
        return super().{hook}(*args, **kwargs)

class Batched(TabularDataModule):
    def {hook}(self, *args, **kwargs):
        return super().{hook}(*args, **kwargs)
"""


@pytest.mark.parametrize(
    "hook", ["configure_optimizers", "on_before_optimizer_step", "on_after_batch_transfer"]
)
def test_lightning_takes_the_steps_of_a_network_that_sees_to_them(
    hook: str, tmp_path, monkeypatch
) -> None:
    (tmp_path / f"own_{hook}.py").write_text(OWN_MODEL.format(hook=hook))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("NNLAB_TRUSTED_PACKAGES", f"own_{hook}")
    cfg = OmegaConf.create({**PLAIN, "trainer": {"devices": 1}})
    for name, steps in (("Same", 64), ("Stepped", 1)):
        cfg.model._target_ = f"own_{hook}.{name}"
        assert steps_per_block(cfg) == steps
    cfg.model, cfg.data._target_ = PLAIN["model"], f"own_{hook}.Batched"
    assert steps_per_block(cfg) == (1 if "batch" in hook else 64)


def test_lightning_takes_the_steps_that_scale_the_loss() -> None:
    trainer = {"devices": 1, "precision": "bf16-mixed"}
    cfg = OmegaConf.create({**PLAIN, "trainer": trainer})
    assert steps_per_block(cfg) == 64
    cfg.trainer.precision = "16-mixed"
    assert steps_per_block(cfg) == 1


@pytest.mark.parametrize(("mixed", "steps"), [("16-mixed", 64), ("bf16-mixed", 1)])
def test_a_fused_optimizer_does_not_clip_mixed_gradients_for_lightning(
    mixed: str, steps: int
) -> None:
    trainer = {"precision": mixed, "gradient_clip_val": 1.0, "devices": 1}
    optimizer = {**PLAIN["optimizer"], "fused": True}
    settings = {**PLAIN, "trainer": trainer, "optimizer": optimizer, "steps_per_block": steps}
    cfg = OmegaConf.create(settings)
    with pytest.raises(ValueError, match=r"set optimizer\.fused=false"):
        _check_precision(cfg, [])
    for section, key, value in (
        ("trainer", "precision", "bf16-true"),
        ("trainer", "gradient_clip_val", None),
        ("optimizer", "fused", False),
    ):
        allowed = cfg.copy()
        allowed[section][key] = value
        _check_precision(allowed, [])
    cfg.trainer.precision, cfg.steps_per_block = "bf16-mixed", 64
    _check_precision(cfg, [])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"compile": "reduce-overhead"}, r"^compile must be null or default .*=reduce-overhead"),
        ({"steps_per_block": 1}, "cuda_graphs must be false where Lightning takes each step"),
    ],
)
def test_graphs_are_recorded_where_nnlab_takes_the_steps(changes, said: str) -> None:
    trainer = {"devices": 1, "precision": "32-true", "gradient_clip_val": None}
    data, model = {**PLAIN["data"], "batch_size": 8}, {**PLAIN["model"], "batch_norm": False}
    settings = {**PLAIN, "trainer": trainer, "data": data, "model": model, "monitor": "val/loss"}
    cfg = OmegaConf.create({**settings, "cuda_graphs": True, "compile": "default"})
    spec = SimpleNamespace(task="binary", category_sizes=[])
    require_agreement(cfg, spec, rows=9, batches=1)
    cfg.update(changes)
    with pytest.raises(ValueError, match=said):
        require_agreement(cfg, spec, rows=9, batches=1)
    cfg.cuda_graphs = False
    require_agreement(cfg, spec, rows=9, batches=1)
