"""Training as a whole: what it refuses, and what it can take."""

import contextlib
import errno
import functools
import json
import math
import os
import random
import shutil
import signal
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import torch._lazy.ts_backend
from conftest import Command, run_script
from lightning.pytorch import Trainer
from lightning.pytorch.accelerators import Accelerator, AcceleratorRegistry
from lightning.pytorch.strategies import SingleDeviceStrategy
from lightning.pytorch.trainer.connectors.accelerator_connector import _AcceleratorConnector
from omegaconf import OmegaConf
from runs import PENGUINS, curves, only_run, results, same, weights

from nnlab import assembling, training
from nnlab.assembling import build_module
from nnlab.checkpoints import read_checkpoint
from nnlab.config import build
from nnlab.data.module import InMemoryDataModule
from nnlab.models.step_graph import GraphedStep
from nnlab.models.stepping import Step
from nnlab.notebook import compose


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("max_steps=3", "trainer must let an epoch end with a validation"),
        ("fast_dev_run=true", "trainer must let an epoch end with a validation"),
        ("check_val_every_n_epoch=9", "trainer must let an epoch end with a validation"),
        ("limit_train_batches=0.0001", "Please increase the `limit_train_batches` argument"),
        ("limit_val_batches=0", "limit_val_batches must be a number above 0"),
        ("val_check_interval=0", "val_check_interval must be a number above 0"),
        ("val_check_interval=500", "val_check_interval must be at most the 18 batches"),
        ("overfit_batches=2", "overfit_batches must be left out, because"),
        ("limit_test_batches=1", "limit_test_batches must be left out, because"),
    ],
)
def test_a_run_without_a_batch_or_a_validation_says_so(
    quick_command: Command, setting: str, message: str
) -> None:
    process = quick_command(
        "train.py", f"+trainer.{setting}", "trainer.max_epochs=2", succeed=False
    )
    assert process.returncode == 1
    (line,) = process.stderr.splitlines()
    assert line.startswith("error: ")
    assert message in line


def test_a_last_row_alone_makes_no_batch_to_validate_after(quick_command: Command) -> None:
    settings = ("data=penguins", "data.batch_size=41", "+trainer.val_check_interval=6")  # 206 rows
    process = quick_command("train.py", *settings, succeed=False)
    assert "val_check_interval must be at most the 5 batches" in process.stderr


@pytest.mark.parametrize("name", ["CSVLogger", "TensorBoardLogger"])
@pytest.mark.parametrize("beside", [(), ("logger.tensorboard=null",)], ids=["beside", "alone"])
def test_a_logger_of_lightnings_leaves_the_run_directory_whole(
    quick_command: Command, tmp_path: Path, name: str, beside: tuple[str, ...]
) -> None:
    target = f"+logger.other._target_=lightning.pytorch.loggers.{name}"
    quick_command("train.py", *PENGUINS, target, *beside)
    run_dir = only_run(tmp_path)
    assert {"best.ckpt", "last.ckpt"} <= {path.name for path in (run_dir / "checkpoints").iterdir()}
    assert results(run_dir)["epochs"] == 2
    written = "metrics.csv" if name == "CSVLogger" else "events.out.*"
    assert list(run_dir.glob(f"lightning_logs/version_0/{written}"))


def test_the_average_that_was_validated_is_what_is_kept(
    quick_command: Command, tmp_path: Path
) -> None:
    average = "{_target_: lightning.pytorch.callbacks.EMAWeightAveraging, decay: 0.9}"
    quick_command("train.py", *PENGUINS, "trainer.max_epochs=4", f"+callbacks.ema={average}")
    run_dir = only_run(tmp_path)
    found = results(run_dir)
    drawn = dict(curves(run_dir)["epoch/val/loss"])
    assert found["val"]["loss"] == pytest.approx(drawn[found["best_epoch"]], rel=1e-5)
    last = read_checkpoint(run_dir / "checkpoints" / "last.ckpt")
    assert found["best_epoch"] == 4
    assert same(weights(run_dir, "best"), last["state_dict"])
    assert not same(weights(run_dir, "best"), last["current_model_state"])


@pytest.mark.parametrize(
    ("callback", "said"),
    [
        ("StochasticWeightAveraging, swa_lrs: 0.01", "an average that is validated"),
        ("LearningRateFinder", "by a sweep, such as -m optimizer.lr=0.001,0.01"),
        ("BatchSizeFinder", "by a sweep, such as -m data.batch_size=64,256"),
        ("BackboneFinetuning", "a network without a backbone"),
        ("ModelPruning, pruning_fn: l1_unstructured", "prune the trained network"),
    ],
)
def test_a_callback_that_cannot_do_what_it_is_for_is_refused(
    quick_command: Command, callback: str, said: str
) -> None:
    part = f"{{_target_: lightning.pytorch.callbacks.{callback}}}"
    process = quick_command("train.py", *PENGUINS, f"+callbacks.mine={part}", succeed=False)
    assert "callbacks.mine must be " in process.stderr
    assert said in process.stderr


def test_a_callback_of_another_may_watch_any_metric(quick_command: Command, tmp_path: Path) -> None:
    target = "_target_: lightning.pytorch.callbacks.EarlyStopping"
    watching = f"+callbacks.mine={{{target}, monitor: train/loss, stopping_threshold: 99}}"
    quick_command("train.py", *PENGUINS, watching, "trainer.max_epochs=3")
    assert results(only_run(tmp_path))["epochs"] == 1


def test_a_package_that_a_callback_lacks_is_named(
    quick_command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "psutil", None)
    monkeypatch.setattr("lightning.pytorch.callbacks.device_stats_monitor._PSUTIL_AVAILABLE", False)
    monitor = "+callbacks.m._target_=lightning.pytorch.callbacks.DeviceStatsMonitor"
    process = quick_command("train.py", *PENGUINS, "trainer=cpu", monitor, succeed=False)
    (line,) = process.stderr.splitlines()
    assert "psutil" in line


@pytest.mark.parametrize(
    "part",
    [
        "optimizer={_target_: torch.optim.LBFGS, lr: 0.01}",
        "+callbacks.g={_target_: lightning.pytorch.callbacks.GradientAccumulationScheduler, "
        "scheduling: {0: 2}}",
    ],
    ids=["lbfgs", "accumulation"],
)
def test_what_works_in_lightnings_own_loop_alone_is_given_it(
    quick_command: Command, tmp_path: Path, part: str
) -> None:
    if part.startswith("optimizer"):
        (tmp_path / "own" / "optimizer").mkdir(parents=True)
        file = tmp_path / "own" / "optimizer" / "lbfgs.yaml"
        file.write_text("_target_: torch.optim.LBFGS\nlr: 0.01\n")
        settings = ["--config-dir", str(tmp_path / "own"), "optimizer=lbfgs"]
    else:
        settings = [part]
    quick_command("train.py", *settings, *PENGUINS)
    assert results(only_run(tmp_path))["epochs"] == 2


@pytest.mark.parametrize("schedule", ["cosine", "one_cycle"])
def test_a_schedule_has_the_steps_that_a_callback_accumulates(
    quick_command: Command, tmp_path: Path, schedule: str
) -> None:
    accumulation = "lightning.pytorch.callbacks.GradientAccumulationScheduler"
    ends = []
    for accumulating in (
        f"+callbacks.g={{_target_: {accumulation}, scheduling: {{0: 4}}}}",
        "+trainer.accumulate_grad_batches=4",
    ):
        run_dir = tmp_path / str(len(ends))
        settings = (*PENGUINS, f"scheduler={schedule}", f"hydra.run.dir={run_dir}")
        quick_command("train.py", *settings, accumulating, "data.batch_size=16")
        ends.append(weights(run_dir))
    assert same(*ends)


CLOSURE = """
import torch

class Needs(torch.optim.SGD):
    def step(self, closure):
        with torch.enable_grad():
            loss = closure()
        super().step()
        return loss
"""


def test_an_optimizer_that_computes_the_loss_itself_trains(
    quick_command: Command, tmp_path: Path, monkeypatch
) -> None:
    (tmp_path / "own_closure.py").write_text(CLOSURE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("NNLAB_TRUSTED_PACKAGES", "own_closure")
    ends = []
    for target in ("own_closure.Needs", "torch.optim.SGD"):
        run_dir = tmp_path / target
        own = ("optimizer=sgd", "~optimizer.fused", f"optimizer._target_={target}")
        quick_command("train.py", *PENGUINS, *own, f"hydra.run.dir={run_dir}")
        ends.append(weights(run_dir))
    assert same(*ends)


TWICE = """
import torch
from lightning.pytorch import Callback

class Twice(torch.optim.SGD):
    def step(self, closure=None):
        if closure is not None:
            with torch.enable_grad():
                closure()
            super().step()
        return super().step(closure)

class Clamp(Callback):
    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
        with torch.no_grad():
            for weights in module.parameters():
                weights.clamp_(-0.1, 0.1)
"""


OWN_LOSS = """
import random

import numpy as np
import torch
from nnlab.models import SupervisedModule

class Annealed(SupervisedModule):
    def loss(self, outputs, targets):
        loss = super().loss(outputs, targets)
        return loss * min(1.0, self.global_step / 50 + 0.1) if self._trainer else loss

class Drawn(SupervisedModule):
    def loss(self, outputs, targets):
        loss = super().loss(outputs, targets)
        return loss * np.random.beta(0.5, 0.5) * random.random() if self.training else loss

class Shrunk(SupervisedModule):
    def penalty(self):
        return 0.1 * sum(weights.square().sum() for weights in self.parameters())

class Number(SupervisedModule):
    def penalty(self):
        return 0.0

class Masked(SupervisedModule):
    def __init__(self, **arguments):
        super().__init__(**arguments)
        self.register_buffer("mask", torch.full((2, 2), -torch.inf))

class Alone(SupervisedModule):
    def compute_metrics(self, outputs, targets):
        return {"loss": float(self.loss(outputs, targets)), "own": True}

class Manual(SupervisedModule):
    def __init__(self, **arguments):
        super().__init__(**arguments)
        self.automatic_optimization = False

    def training_step(self, batch, batch_idx):
        optimizer, (x, targets) = self.optimizers(), batch
        optimizer.zero_grad()
        loss = self.loss(self(x), targets)
        self.manual_backward(loss)
        optimizer.step()
        self._epoch_metrics.keep("train", self(x).detach(), targets)
        return loss

class Kept(SupervisedModule):
    def training_step(self, batch, batch_idx):
        return self.loss(self(batch[0]), batch[1])

class Popped(SupervisedModule):
    def __init__(self, **arguments):
        super().__init__(hidden_sizes=[arguments.pop("width")], **arguments)

class Small(SupervisedModule):
    def __init__(self, *, width, **arguments):
        super().__init__(hidden_sizes=[width], **arguments)
"""


@pytest.fixture
def own_loss(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "own_loss.py").write_text(OWN_LOSS)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("NNLAB_TRUSTED_PACKAGES", "own_loss")


@pytest.mark.usefixtures("own_loss")
@pytest.mark.parametrize("name", ["Annealed", "Drawn", "Shrunk", "Alone", "Number", "Masked"])
def test_a_network_of_ones_own_is_trained_alike_in_blocks_and_steps(
    quick_command: Command, tmp_path: Path, name: str
) -> None:
    own = (*PENGUINS, "scheduler=constant")
    model = f"model._target_=own_loss.{name}"
    for folder, more in (("blocks", (model,)), ("steps", (model, "steps_per_block=1")), ("no", ())):
        quick_command("train.py", *own, *more, f"hydra.run.dir={tmp_path / folder}")
    assert same(weights(tmp_path / "blocks"), weights(tmp_path / "steps"))
    if name != "Masked":  # which has a weight of its own
        is_alike = same(weights(tmp_path / "blocks"), weights(tmp_path / "no"))
        assert is_alike == (name in ("Alone", "Number"))


@pytest.mark.usefixtures("own_loss")
def test_a_networks_own_steps_and_own_settings_are_its_own(quick_command, tmp_path: Path) -> None:
    quick_command("train.py", *PENGUINS, "model._target_=own_loss.Manual")
    small = ("model._target_=own_loss.Small", "+model.width=4", "~model.hidden_sizes")
    run = ("train.py", *PENGUINS, *small, f"hydra.run.dir={tmp_path / 'small'}")
    assert "model  15-30-4-3 units" in quick_command(*run).stdout  # 15 inputs, numbers embedded
    layers = [w.shape[0] for name, w in weights(tmp_path / "small").items() if w.dim() == 2]
    assert layers[-2:] == [4, 3]


@pytest.mark.usefixtures("own_loss")
def test_a_network_that_no_checkpoint_could_bring_back_is_refused(quick_command: Command) -> None:
    popped = ("model._target_=own_loss.Popped", "+model.width=4", "~model.hidden_sizes")
    process = quick_command("train.py", *PENGUINS, *popped, succeed=False)
    assert "error: Popped: its network must come from the arguments" in process.stderr
    assert "('width')" in process.stderr


@pytest.mark.usefixtures("own_loss")
def test_a_networks_own_step_that_keeps_its_batches_is_told(quick_command: Command) -> None:
    process = quick_command("train.py", *PENGUINS, "model._target_=own_loss.Kept", succeed=False)
    assert "error: model.training_step must hand its batches on" in process.stderr


@pytest.mark.usefixtures("own_loss")
def test_numbers_drawn_by_numpy_are_repeated_when_a_run_goes_on(
    quick_command: Command, tmp_path: Path
) -> None:
    own = ("data=penguins", "model._target_=own_loss.Drawn", "scheduler=constant")
    for folder in ("whole", "stopped"):
        length = f"trainer.max_epochs={4 if folder == 'whole' else 2}"
        quick_command("train.py", *own, length, f"hydra.run.dir={tmp_path / folder}")
    quick_command("train.py", f"resume={tmp_path / 'stopped'}", "trainer.max_epochs=4")
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "stopped"))


OWN_PARTS = """
import torch
from lightning.pytorch import Callback
from lightning.pytorch.callbacks import BaseFinetuning
from nnlab.data import TabularDataModule
from torch.utils.data import DataLoader, TensorDataset

class Added(Callback):
    # One layer is learned from the second epoch on.
    def on_fit_start(self, trainer, module):
        (group,) = trainer.optimizers[0].param_groups
        self.last = group["params"].pop()
    def on_train_epoch_start(self, trainer, module):
        if trainer.current_epoch == 1:
            trainer.optimizers[0].add_param_group({"params": [self.last]})

class Frozen(Callback):
    def on_train_epoch_start(self, trainer, module):
        next(module.parameters()).requires_grad_(trainer.current_epoch != 1)

class Reset(Callback):
    def on_train_epoch_start(self, trainer, module):
        if trainer.current_epoch == 1:
            trainer.optimizers[0].state.clear()

class PartlyReset(Callback):
    def on_train_epoch_start(self, trainer, module):
        if trainer.current_epoch == 1:
            trainer.optimizers[0].state.pop(list(module.parameters())[-1])

class Replaced(Callback):
    def on_train_epoch_start(self, trainer, module):
        if trainer.current_epoch == 1:
            trainer.optimizers = [torch.optim.SGD(module.parameters(), lr=0.1)]

class Clipped(Callback):
    def on_train_epoch_start(self, trainer, module):
        if trainer.current_epoch == 1:
            trainer.gradient_clip_val = 0.01

class ClippedByValue(Callback):
    def on_train_epoch_start(self, trainer, module):
        trainer.gradient_clip_algorithm = "value"

class Accumulated(Callback):
    def on_train_epoch_start(self, trainer, module):
        trainer.accumulate_grad_batches = 2

class OfTrained(torch.optim.AdamW):
    def __init__(self, parameters, **settings):
        super().__init__((w for w in parameters if w.requires_grad), **settings)

class Unfrozen(BaseFinetuning):
    def freeze_before_training(self, module):
        self.freeze(module.network[0])
    def finetune_function(self, module, epoch, optimizer):
        if epoch == 1:
            self.unfreeze_and_add_param_group(module.network[0], optimizer)

class Loader(TabularDataModule):
    def train_dataloader(self):
        return DataLoader(TensorDataset(*self.loaded.train), batch_size=32, shuffle=True)
"""


@pytest.fixture
def own_parts(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "own_parts.py").write_text(OWN_PARTS)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("NNLAB_TRUSTED_PACKAGES", "own_parts")


@pytest.mark.usefixtures("own_parts")
@pytest.mark.parametrize("name", ["Added", "Frozen", "Reset", "PartlyReset", "Replaced"])
def test_what_a_callback_does_to_the_optimizer_counts_in_blocks(
    quick_command: Command, tmp_path: Path, name: str
) -> None:
    own = (*PENGUINS, "scheduler=constant", "trainer.max_epochs=3")
    callback = f"+callbacks.own._target_=own_parts.{name}"
    runs = {"blocks": (callback,), "steps": (callback, "steps_per_block=1"), "none": ()}
    for folder, more in runs.items():
        quick_command("train.py", *own, *more, f"hydra.run.dir={tmp_path / folder}")
    assert same(weights(tmp_path / "blocks"), weights(tmp_path / "steps"))
    assert not same(weights(tmp_path / "blocks"), weights(tmp_path / "none"))


@pytest.mark.usefixtures("own_parts")
def test_weights_that_are_no_longer_frozen_are_trained_on(quick_command, tmp_path: Path) -> None:
    own = (*PENGUINS, "scheduler=constant", "+callbacks.own._target_=own_parts.Unfrozen")
    own = (*own, "optimizer._target_=own_parts.OfTrained")
    for folder in ("whole", "stopped"):
        length = f"trainer.max_epochs={4 if folder == 'whole' else 2}"
        quick_command("train.py", *own, length, f"hydra.run.dir={tmp_path / folder}")
    quick_command("train.py", f"resume={tmp_path / 'stopped'}", "trainer.max_epochs=4")
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "stopped"))


@pytest.mark.usefixtures("own_parts")
@pytest.mark.parametrize("name", ["Accumulated", "Clipped", "ClippedByValue"])
def test_a_callback_that_changes_what_a_step_is_needs_single_ones(
    quick_command: Command, name: str
) -> None:
    own = (*PENGUINS, f"+callbacks.own._target_=own_parts.{name}")
    assert "set steps_per_block=1" in quick_command("train.py", *own, succeed=False).stderr
    quick_command("train.py", *own, "steps_per_block=1")


@pytest.mark.usefixtures("own_parts")
def test_data_may_have_a_loader_of_its_own(quick_command: Command) -> None:
    quick_command("train.py", *PENGUINS, "data._target_=own_parts.Loader")


LEAST = """
from nnlab.models import SupervisedModule

class Least(SupervisedModule):
    def compute_metrics(self, outputs, targets):
        metrics = super().compute_metrics(outputs, targets)
        return metrics | {"far_from_5": abs(self.trainer.current_epoch + 1 - 5.0)
                          if self._trainer else 0.0}
"""


def test_a_metric_of_ones_own_chooses_the_best_epoch(
    quick_command: Command, tmp_path: Path, monkeypatch
) -> None:
    (tmp_path / "own_metric.py").write_text(LEAST)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("NNLAB_TRUSTED_PACKAGES", "own_metric")
    own = ("data=penguins", "model._target_=own_metric.Least", "monitor=val/far_from_5")
    for mode, best in (("min", 5), ("max", 1)):
        run_dir = tmp_path / mode
        more = ("trainer.max_epochs=8", f"mode={mode}", f"hydra.run.dir={run_dir}")
        quick_command("train.py", *own, *more)
        results = json.loads((run_dir / "metrics.json").read_text())
        assert (results["best_epoch"], results["mode"]) == (best, mode)
    refused = quick_command("train.py", *own, succeed=False)
    assert "add mode=max if its highest value is the best" in refused.stderr


@pytest.mark.parametrize(
    "own",
    [
        ("optimizer=sgd", "~optimizer.fused", "optimizer._target_=own_steps.Twice"),
        ("+callbacks.clamp._target_=own_steps.Clamp",),
    ],
)
def test_what_is_ones_own_works_at_single_steps_unasked(
    quick_command: Command, tmp_path: Path, monkeypatch, own: tuple[str, ...]
) -> None:
    (tmp_path / "own_steps.py").write_text(TWICE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("NNLAB_TRUSTED_PACKAGES", "own_steps")
    for name, more in (("unasked", ()), ("asked", ("steps_per_block=1",))):
        quick_command("train.py", *PENGUINS, *own, *more, f"hydra.run.dir={tmp_path / name}")
    quick_command("train.py", *PENGUINS, *own[:-1], f"hydra.run.dir={tmp_path / 'without'}")
    assert same(weights(tmp_path / "unasked"), weights(tmp_path / "asked"))
    assert not same(weights(tmp_path / "unasked"), weights(tmp_path / "without"))


def test_early_stopping_tells_epochs_where_it_counts_validations(
    quick_command: Command, tmp_path: Path
) -> None:
    settings = ("optimizer.lr=0.1", "scheduler=constant", "callbacks.early_stopping.patience=4")
    often = "+trainer.check_val_every_n_epoch=3"
    quick_command("train.py", *PENGUINS, *settings, often, "trainer.max_epochs=200")
    found = results(only_run(tmp_path))
    assert found["stopped_early_after"] == 12
    assert found["epochs"] == found["best_epoch"] + 12
    often = ("+trainer.val_check_interval=0.5", "hydra.run.dir=often")
    process = quick_command("train.py", *PENGUINS, *settings, *often, "trainer.max_epochs=200")
    assert "stopped early  no better validation in 4" in process.stdout


def test_results_that_cannot_be_written_leave_those_of_before(
    quick_command: Command, tmp_path: Path, monkeypatch
) -> None:
    settings = (*PENGUINS, "scheduler=constant")
    quick_command("train.py", *settings)
    run_dir = only_run(tmp_path)
    before = (run_dir / "metrics.json").read_bytes()
    kept = run_dir / "metrics_before.json"

    def fail(*_: object, **__: object) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("nnlab.results.json", SimpleNamespace(dumps=fail))
    quick_command("train.py", f"resume={run_dir}", "trainer.max_epochs=3", succeed=False)
    assert kept.read_bytes() == before
    # Not those of the longer run, for which they would be taken.
    assert not (run_dir / "metrics.json").exists()
    monkeypatch.undo()
    quick_command("train.py", f"resume={run_dir}")
    assert results(run_dir)["epochs"] == 3
    assert not kept.exists()


SAVES_THE_LAST = (
    "+callbacks.mine._target_=lightning.pytorch.callbacks.ModelCheckpoint",
    "+callbacks.mine.save_last=true",
    "+callbacks.mine.save_weights_only=true",
)


def test_a_checkpoint_of_lightnings_stays_apart_from_the_runs_own(
    quick_command: Command, tmp_path: Path
) -> None:
    quick_command("train.py", *PENGUINS, "scheduler=constant", *SAVES_THE_LAST)
    run_dir = only_run(tmp_path)
    assert (run_dir / "checkpoints" / "mine_last.ckpt").is_file()
    quick_command("train.py", f"resume={run_dir}", "trainer.max_epochs=3")
    assert results(run_dir)["epochs"] == 3
    process = quick_command(
        "train.py", *PENGUINS, *SAVES_THE_LAST, "+callbacks.mine.filename=last", succeed=False
    )
    assert "callbacks.mine.filename must be another name than best and last" in process.stderr


def test_a_metric_that_early_stopping_misses_ends_the_run(
    quick_command: Command, tmp_path: Path
) -> None:
    rows = "".join(f"{i % 7},{i % 2}\n" for i in range(200))
    (tmp_path / "rows.csv").write_text(f"x,y\n{rows}")
    (tmp_path / "one.csv").write_text("x,y\n" + "".join(f"{i % 7},1\n" for i in range(40)))
    stopping = "callbacks.early_stopping"
    process = quick_command(
        "train.py",
        *("data=csv", "data.path=rows.csv", "data.target=y", "data.val_path=one.csv"),
        *(f"{stopping}.monitor=val/auroc", f"+{stopping}.check_on_train_epoch_end=true"),
        succeed=False,
    )
    (line,) = process.stderr.splitlines()
    assert "Early stopping conditioned on metric `val/auroc` which is not available" in line
    assert not list(tmp_path.rglob("metrics.json"))


def test_samples_per_second_are_those_that_were_trained_on(
    quick_command: Command, tmp_path: Path
) -> None:
    quick_command("train.py", *PENGUINS, "+trainer.limit_train_batches=2", "data.batch_size=16")
    found = results(only_run(tmp_path))
    trained = found["samples_per_second"] * found["wall_time_s"]
    assert trained == pytest.approx(2 * 16 * found["epochs"], rel=0.1)


def test_what_lightning_draws_has_the_steps_of_the_other_curves(
    quick_command: Command, tmp_path: Path
) -> None:
    monitor = "+callbacks.rates._target_=lightning.pytorch.callbacks.LearningRateMonitor"
    often = "+callbacks.rates.logging_interval=epoch"
    quick_command("train.py", *PENGUINS, "scheduler=constant", monitor, often)
    run_dir = only_run(tmp_path)
    drawn = [step for step, _ in curves(run_dir)["lr-AdamW"]]
    steps = [step for step, _ in curves(run_dir)["train/loss"]]
    assert drawn == [0, steps[0] + 1]  # as an epoch begins


# It can be done once in a process.
start_lazy_device = functools.cache(torch._lazy.ts_backend.init)


class LazyAccelerator(Accelerator):
    """torch's lazy device, which every build has: it computes, but only with what lies on it."""

    def setup_device(self, device: torch.device) -> None:
        pass

    def get_device_stats(self, device: object) -> dict[str, Any]:
        return {}

    def teardown(self) -> None:
        pass

    @staticmethod
    def parse_devices(devices: object) -> object:
        return devices

    @staticmethod
    def get_parallel_devices(devices: object) -> list[torch.device]:
        return [torch.device("lazy", 0)]

    @staticmethod
    def auto_device_count() -> int:
        return 1

    @staticmethod
    def is_available() -> bool:
        return True

    @staticmethod
    def name() -> str:
        return "lazy"


@pytest.fixture(params=["lazy", "cuda", "mps"])
def device(request, monkeypatch) -> str:
    if request.param == "lazy":
        monkeypatch.setitem(
            AcceleratorRegistry, "lazy", {"accelerator": LazyAccelerator, "init_params": {}}
        )
        start_lazy_device()
        choose = _AcceleratorConnector._choose_strategy

        def choose_single(self: _AcceleratorConnector) -> object:
            is_lazy = self._accelerator_flag == "lazy"
            return SingleDeviceStrategy(torch.device("lazy", 0)) if is_lazy else choose(self)

        monkeypatch.setattr(_AcceleratorConnector, "_choose_strategy", choose_single)
        monkeypatch.setattr(torch, "lazy", SimpleNamespace(manual_seed=int), raising=False)
    elif not torch.get_device_module(request.param).is_available():
        pytest.skip(f"there is no {request.param} device here")
    return request.param


# Not what the lazy device computes in its own way: fused steps, the statistics of batches, and
# what takes numbers of Python's, such as Adam, clipping, penalties and smoothed labels.
ELSEWHERE = [
    "data=penguins",
    "data.batch_size=103",
    "model.hidden_sizes=[16]",
    "model.numeric_embedding=periodic",
    "model.dropout=0",
    "model.batch_norm=false",
    "model.label_smoothing=0",
    "optimizer=sgd",
    "optimizer.fused=false",
    "scheduler=constant",
    "trainer.gradient_clip_val=null",
]


@pytest.mark.parametrize("steps", [1, 64])
def test_a_run_on_another_device_ends_as_one_on_the_cpu(
    quick_command: Command, tmp_path: Path, device: str, steps: int
) -> None:
    settings = [*ELSEWHERE, f"steps_per_block={steps}"]
    for accelerator in ("cpu", device):
        options = [*settings, f"trainer.accelerator={accelerator}", f"name={accelerator}"]
        quick_command("train.py", *options, "trainer.max_epochs=1")
        (run_dir,) = (tmp_path / "outputs" / accelerator).iterdir()
        quick_command("train.py", f"resume={run_dir}", "trainer.max_epochs=2")
    results = {
        name: json.loads(next((tmp_path / "outputs" / name).glob("*/metrics.json")).read_text())
        for name in ("cpu", device)
    }
    assert results[device]["device"] == f"{device}:0"
    assert results[device]["epochs"] == 2
    for split in ("val", "test"):
        assert results[device][split] == pytest.approx(results["cpu"][split], rel=1e-3)
    for path in (run_dir / "checkpoints").glob("*.ckpt"):
        content = torch.load(path, weights_only=True)  # opens where there is no such device
        optimizers = content.get("optimizer_states", [])
        kept = [state for each in optimizers for state in each["state"].values()]
        tensors = [*content["state_dict"].values(), *(v for state in kept for v in state.values())]
        assert {str(v.device) for v in tensors if isinstance(v, torch.Tensor)} == {"cpu"}


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no cuda device here")
@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed", "bf16-true"])
def test_recorded_steps_end_with_the_same_bits_and_go_on(
    quick_command: Command, tmp_path: Path, precision: str
) -> None:
    # Such a rate is the same in 32 bits.
    settings = ["trainer=gpu", f"trainer.precision={precision}", "optimizer.lr=0.0009765625"]
    settings += ["model.hidden_sizes=[32]", "model.dropout=0.1"]
    for name, extra in (
        ("plain", ["trainer.max_epochs=5", "cuda_graphs=false"]),
        ("graphs", ["trainer.max_epochs=5", "cuda_graphs=true"]),
        ("stopped", ["trainer.max_epochs=2", "cuda_graphs=true"]),
    ):
        quick_command("train.py", *settings, *extra, f"name={name}")
    (stopped,) = (tmp_path / "outputs" / "stopped").iterdir()
    quick_command("train.py", f"resume={stopped}", "trainer.max_epochs=5")
    plain, graphs, stopped = (
        read_checkpoint(next((tmp_path / "outputs" / name).glob("*/checkpoints/last.ckpt")))
        for name in ("plain", "graphs", "stopped")
    )
    for name, expected in plain["state_dict"].items():
        assert torch.equal(expected, graphs["state_dict"][name])
        assert torch.equal(expected, stopped["state_dict"][name])


def test_steps_are_recorded_where_that_is_asked_for() -> None:
    for setting, step_class in (("true", GraphedStep), ("false", Step)):
        cfg = compose("data=digits", f"cuda_graphs={setting}")
        data = build(cfg.data, InMemoryDataModule)
        data.steps_per_block = 64
        assert build_module(cfg, data)._step_class is step_class


@pytest.mark.parametrize("device", ["lazy"], indirect=True)
def test_products_are_fast_in_training_on_a_cpu(
    quick_command: Command, monkeypatch, device: str
) -> None:
    asked = []

    def note(multiplications: int) -> contextlib.nullcontext:
        asked.append(multiplications)
        return contextlib.nullcontext()

    monkeypatch.setattr(training, "fast_products", note)
    digits = ["model.hidden_sizes=[16]", "optimizer=sgd", "optimizer.fused=false"]
    for accelerator in ("cpu", device):
        options = [*digits, f"trainer.accelerator={accelerator}", "trainer.max_epochs=1"]
        quick_command("train.py", *options, "model.dropout=0")
    assert asked == [64 * (64 * 16 + 16 * 10)]  # of the CPU alone


def test_devices_that_are_not_there_are_told_of_in_a_sentence(monkeypatch) -> None:
    monkeypatch.setattr(assembling.CUDAAccelerator, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    message = "needs 2 GPUs that torch can use, got 1; set trainer.devices=1, or trainer.acc"
    for devices in (2, "2", [1]):
        cfg = OmegaConf.create({"trainer": {"accelerator": "auto", "devices": devices}})
        with pytest.raises(ValueError, match=message):
            assembling._require_gpu(cfg)
        cfg.trainer.accelerator = "cpu"
        assembling._require_gpu(cfg)
    for devices in (1, "auto", -1, [0]):
        cfg = OmegaConf.create({"trainer": {"accelerator": "cuda", "devices": devices}})
        assembling._require_gpu(cfg)


def test_options_of_an_optimizer_that_exclude_each_other_are_refused_in_a_sentence(
    quick_command: Command,
) -> None:
    process = quick_command("train.py", "+optimizer.foreach=true", succeed=False)
    (line,) = process.stderr.splitlines()
    assert line.startswith("error: AdamW: `fused` and `foreach` cannot be `True` together")


def test_a_profiler_of_lightnings_reports(quick_command: Command) -> None:
    process = quick_command("train.py", *PENGUINS, "+trainer.profiler=simple")
    assert process.stdout.count("FIT Profiler Report") == 1
    assert "run_training_epoch" in process.stdout


def test_a_callback_may_have_the_name_of_a_setting(quick_command: Command) -> None:
    monitor = "+callbacks.lr._target_=lightning.pytorch.callbacks.LearningRateMonitor"
    quick_command("train.py", "data=penguins", "trainer.max_epochs=1", monitor)


def test_a_device_without_enough_memory_is_told_of_in_a_sentence(
    quick_command: Command, tmp_path: Path, monkeypatch
) -> None:
    settings = ["data=penguins", "trainer.max_epochs=1", "scheduler=constant"]
    quick_command("train.py", *settings)
    (run_dir,) = (tmp_path / "outputs" / "penguins").iterdir()

    def take_memory(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError(
            "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 80 GiB"
        )

    monkeypatch.setattr(Trainer, "fit", take_memory)
    for arguments in (settings, [f"resume={run_dir}", "trainer.max_epochs=2"]):
        process = quick_command("train.py", *arguments, succeed=False)
        assert process.returncode == 1
        (line,) = process.stderr.splitlines()
        assert line.replace("cuda:0", "cpu") == (
            "error: cpu must have memory for the network and a batch, but CUDA out of memory. "
            "Tried to allocate 2.00 GiB; end what else uses it, or lower data.batch_size"
        )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_after_training_says_how_to_go_on(
    quick_command: Command, tmp_path: Path, monkeypatch, number: signal.Signals
) -> None:
    monkeypatch.setattr("nnlab.results.score", lambda *_: os.kill(os.getpid(), number))
    process = quick_command("train.py", "data=penguins", "trainer.max_epochs=1", succeed=False)
    assert process.returncode == 128 + number
    (run_dir,) = (tmp_path / "outputs" / "penguins").iterdir()
    go_on = f"resume=outputs/penguins/{run_dir.name}"
    assert process.stdout.endswith(f"python scripts/train.py {go_on}\n")
    monkeypatch.undo()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    quick_command("train.py", f"resume={run_dir}")
    assert json.loads((run_dir / "metrics.json").read_text())["epochs"] == 1


def test_rows_that_are_looked_at_before_training_change_nothing(
    quick_command: Command, tmp_path: Path
) -> None:
    watching = ["data=penguins", "scheduler=plateau", "scheduler.patience=0", "optimizer.lr=0.3"]
    settings = [*watching, "trainer.max_epochs=4", "callbacks.early_stopping=null"]
    for name, checked in (("a", 0), ("b", 1)):
        extra = (f"trainer.num_sanity_val_steps={checked}", f"name={name}")
        quick_command("train.py", *settings, *extra)
    rates = []
    for name in ("a", "b"):
        (path,) = (tmp_path / "outputs" / name).glob("*/checkpoints/last.ckpt")
        rates.append(read_checkpoint(path)["lr_schedulers"])
    assert rates[0] == rates[1]


@pytest.mark.parametrize(
    "length",
    [
        "trainer.max_steps=16",
        "trainer.max_time=00:01:00:00",
        "callbacks.t={_target_: lightning.pytorch.callbacks.Timer, duration: 00:01:00:00}",
    ],
)
def test_a_run_of_some_steps_or_hours_says_that_it_cannot_go_on(
    quick_command: Command, tmp_path: Path, monkeypatch, length: str
) -> None:
    settings = ["data=penguins", f"+{length}", "trainer.max_epochs=2"]
    monkeypatch.setattr("nnlab.results.score", lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    process = quick_command("train.py", *settings, succeed=False)
    monkeypatch.undo()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    (run_dir,) = (tmp_path / "outputs" / "penguins").iterdir()
    name = length.partition("=")[0]
    said = f"with {name} the run cannot go on, but its best epoch so far can be used: run="
    assert process.stdout.endswith(f"{said}outputs/penguins/{run_dir.name}\n")
    process = quick_command("train.py", f"resume={run_dir}", succeed=False)
    assert f"{name} must not be set in a run that is to be resumed" in process.stderr


@pytest.mark.parametrize("scaling", ["robust", "standard", "quantile"])
def test_a_table_of_extremes_trains_to_finite_numbers(
    quick_command: Command, tmp_path: Path, scaling: str
) -> None:
    chance = random.Random(0)  # noqa: S311
    largest, smallest = sys.float_info.max, 5e-324
    rows = []
    for _ in range(101):  # 61 for training: the last batch of each epoch is of one row
        sign = chance.choice([1, -1])
        ordinary = sign + chance.gauss(0, 0.3)
        huge, tiny = sign * largest, sign * smallest * chance.randint(1, 9)
        mixed = chance.choice([huge, tiny, ordinary])
        rows.append(f"{huge!r},{tiny!r},{mixed!r},7,,{ordinary!r},{'b' if sign > 0 else 'a'}\n")
    header = "huge,tiny,mixed,constant,missing,ordinary,y\n"
    (tmp_path / "t.csv").write_text(header + "".join(rows))
    table = ["data=csv", "data.path=t.csv", "data.target=y", f"data.scaling={scaling}"]
    batches = ["data.batch_size=20", "model.batch_norm=true", "trainer.max_epochs=20"]
    process = quick_command("train.py", *table, *batches)
    assert "constant  left out" in process.stdout
    (run_dir,) = (tmp_path / "outputs" / "csv").iterdir()
    results = json.loads((run_dir / "metrics.json").read_text())
    assert all(map(math.isfinite, [*results["val"].values(), *results["test"].values()]))
    assert results["test"]["accuracy"] == 1


# Compiled, dropout draws other numbers.
WITHOUT_DROPOUT = [
    "data=penguins",
    "model.hidden_sizes=[8]",
    "model.dropout=0",
    "trainer.max_epochs=2",
]


def train_compiled(folder: Path) -> None:
    # torch's compiler uses what torch itself calls deprecated.
    run_script(folder, "train.py", *WITHOUT_DROPOUT, "compile=default", PYTHONWARNINGS="default")


@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")
@pytest.mark.prepare.with_args(train_compiled)
def test_a_compiled_network_learns_the_same_and_is_saved_as_any_other(
    prepared, quick_command: Command, tmp_path: Path
) -> None:
    folder, _ = prepared
    quick_command("train.py", *WITHOUT_DROPOUT)
    contents = [
        read_checkpoint(next(run.glob("outputs/penguins/*/checkpoints/best.ckpt")))["state_dict"]
        for run in (folder, tmp_path)
    ]
    assert contents[0].keys() == contents[1].keys()
    for name, of_one in contents[0].items():
        torch.testing.assert_close(of_one, contents[1][name], rtol=1e-4, atol=1e-5)
    (run_dir,) = (folder / "outputs" / "penguins").iterdir()
    assert "exactly as in" in quick_command("evaluate.py", f"run={run_dir}").stdout
