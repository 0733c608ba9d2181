"""Every YAML file: its keys fit what they feed, it composes, and experiments run."""

import functools
import inspect
from pathlib import Path

import pytest
from conftest import ROOT, Command
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig, OmegaConf

from nnlab.config import check_config, register_resolvers, target_class

CONFIGS = ROOT / "configs"
GROUPS = sorted(
    path.relative_to(CONFIGS).with_suffix("").as_posix()
    for path in CONFIGS.glob("*/*.yaml")
    if path.parent.name not in ("hydra", "experiment")
)
EXPERIMENTS = sorted(path.stem for path in (CONFIGS / "experiment").glob("*.yaml"))
# What no config can know: it is handed over when the object is made.
GIVEN = {"self", "params", "optimizer", "scheduler", "total_steps", "save_dir", "monitor"} | {
    "task",
    "input_shape",
    "numbers",
    "category_sizes",
    "class_names",
    "class_counts",
    "target_mean",
    "target_std",
}


@functools.cache
def compose_config(*overrides: str) -> DictConfig:
    register_resolvers()
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        return compose("train", list(overrides))


def targets(node: DictConfig) -> list[DictConfig]:
    """All nodes with a `_target_`, at any depth."""
    found = [node] if "_target_" in node else []
    for key in node:
        if not OmegaConf.is_missing(node, key) and OmegaConf.is_dict(node[key]):
            found += targets(node[key])
    return found


@pytest.mark.parametrize("option", GROUPS)
def test_keys_fit_the_signature_they_feed(option: str) -> None:
    group, _, name = option.partition("/")
    nodes = targets(compose_config(f"{group}={name}")[group])
    assert nodes
    for node in nodes:
        parameters = inspect.signature(target_class(node, object)).parameters
        keys = {key for key in node if key != "_target_"}
        assert keys <= set(parameters), f"{option}: {keys - set(parameters)}"
        if node._target_.startswith("nnlab."):
            # Every hyperparameter has its home in the YAML file.
            needed = {name for name, p in parameters.items() if p.default is p.empty}
            assert needed - GIVEN <= keys, f"{option}: {needed - GIVEN - keys}"


@pytest.mark.parametrize("option", GROUPS)
def test_every_option_composes_and_keeps_its_rules(option: str) -> None:
    group, _, name = option.partition("/")
    settings = [f"{group}={name}"]
    if name == "csv":
        settings += ["data.path=table.csv", "data.target=y"]
    check_config(compose_config(*settings))


def test_a_callback_looks_for_the_best_of_its_own_metric() -> None:
    names = ("early_stopping", "best_checkpoint")
    own = [f"callbacks.{name}.monitor=val/accuracy" for name in names]
    for settings, mode in (([], "min"), (own, "max"), (["monitor=val/f1"], "max")):
        callbacks = compose_config(*settings).callbacks
        assert [callbacks[name].mode for name in names] == [mode, mode]


def test_of_a_metric_of_ones_own_the_best_is_what_is_said() -> None:
    own = ["model._target_=own.Model", "monitor=val/own", "scheduler=plateau"]
    for mode in ("min", "max"):
        cfg = compose_config(*own, f"mode={mode}")
        nodes = [cfg.callbacks.early_stopping, cfg.callbacks.best_checkpoint, cfg.scheduler]
        assert [node.mode for node in nodes] == [mode] * 3


@pytest.mark.parametrize("path", sorted(CONFIGS.rglob("*.yaml")), ids=lambda path: path.stem)
def test_a_file_opens_with_a_comment_that_says_what_it_is(path: Path) -> None:
    lines = path.read_text().splitlines()
    first = lines[1] if lines[0].startswith("# @package") else lines[0]
    assert first.startswith("# ")
    assert len(first) > 20


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_every_experiment_composes_and_keeps_its_rules(experiment: str) -> None:
    cfg = compose_config(f"experiment={experiment}")
    check_config(cfg)
    assert cfg.name == experiment


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_every_experiment_runs_a_few_batches(
    experiment: str, quick_command: Command, mnist_folder: Path
) -> None:
    quick_command(
        "train.py",
        f"experiment={experiment}",
        f"data.root={mnist_folder}",
        "data.val_fraction=0.01",  # scoring thousands of images takes longer than the batches
        "trainer.max_epochs=1",
        "+trainer.limit_train_batches=3",
    )


@pytest.mark.parametrize("group", ["optimizer", "scheduler", "data"])
def test_every_option_trains(group: str, quick_command: Command, tables_folder: Path) -> None:
    for path in sorted((CONFIGS / group).glob("*.yaml")):
        settings = [f"{group}={path.stem}", "trainer.max_epochs=2", "model.hidden_sizes=[8]"]
        if group != "data":
            settings.append("data=penguins")
        elif "mnist" in path.stem:
            continue  # the experiments train on MNIST
        elif path.stem == "csv":
            settings += [f"data.path={tables_folder}/ames.csv", "data.target=Sale_Price"]
        quick_command("train.py", *settings)
