"""From a config to objects: what is built, and what is refused before it runs."""

import re
import sys
from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf
from omegaconf.errors import InterpolationResolutionError
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from nnlab.config import (
    build,
    check_config,
    reads_environment,
    register_resolvers,
    takes,
)

ADAM = {"_target_": "torch.optim.Adam", "lr": 0.1}


def node(**entries):
    return OmegaConf.create(entries)


def resolve(expression: str):
    register_resolvers()
    return OmegaConf.create({"value": expression}).value


def run_folder(expression: str) -> str:
    register_resolvers()
    return OmegaConf.create({"hydra": {"run": {"dir": expression}}}).hydra.run.dir


def test_a_node_becomes_the_object_it_describes() -> None:
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = build(node(**ADAM), Optimizer, [weight])
    assert isinstance(optimizer, torch.optim.Adam)
    assert optimizer.param_groups[0]["lr"] == 0.1


def test_what_nnlab_sets_is_not_taken_from_a_config() -> None:
    weight = torch.nn.Parameter(torch.zeros(1))
    with pytest.raises(ValueError, match="Adam: lr must not be in the config"):
        build(node(**ADAM), Optimizer, [weight], lr=0.2)


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({**ADAM, "lr": -1}, "Adam: Invalid learning rate"),
        ({**ADAM, "foo": 1}, "Adam: .*unexpected keyword argument 'foo'"),
        ({**ADAM, "amsgrd": True}, "'amsgrd'; did you mean 'amsgrad'?"),
        ({"_target_": "os.system"}, "must be of a trusted package .*got os.system"),
        ({"_target_": "torch.os.system"}, "must be of a trusted package .*got torch.os.system"),
        ({"_target_": "torch.hub.load"}, "must be of a trusted package .*got torch.hub.load"),
        ({"_target_": "torch.load"}, "must be of a trusted package"),
        ({"_target_": "shutil.copyfile"}, "must be of a trusted package"),
        ({"_target_": "torch.nn.os.system"}, "must be a class that exists"),
        ({"_target_": "torch.nnx.Linear"}, "must be of a trusted package"),
        (
            {"_target_": "torch.nn.Linear"},
            "must name torch.optim.Optimizer or a class derived from it, got torch.nn.Linear",
        ),
        ({"_target_": "torch.optim.Nadamm"}, "must be a class that exists"),
        ({"_target_": "torch"}, "must be of a trusted package"),
        ({"_target_": "torch.nn"}, "must be of a trusted package"),
    ],
)
def test_only_classes_of_the_right_kind_are_built(entries: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build(OmegaConf.create(entries), Optimizer, [torch.nn.Parameter(torch.zeros(1))])


def test_a_package_of_ones_own_is_trusted_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_package.py").write_text(
        "import torch\nclass MySGD(torch.optim.SGD):\n    pass\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    mine = node(_target_="my_package.MySGD", lr=0.1)
    with pytest.raises(ValueError, match="NNLAB_TRUSTED_PACKAGES"):
        build(mine, Optimizer, [torch.nn.Parameter(torch.zeros(1))])
    assert "my_package" not in sys.modules  # refused before it was imported
    monkeypatch.setenv("NNLAB_TRUSTED_PACKAGES", "other,my_package")
    assert type(build(mine, Optimizer, [torch.nn.Parameter(torch.zeros(1))])).__name__ == "MySGD"


def test_what_is_of_ones_own_package_may_have_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NNLAB_TRUSTED_PACKAGES", "my_package")
    check_config(node(callbacks={"mine": {"_target_": "my_package.Mine", "path": "/data/x"}}))


def test_a_rate_that_cannot_be_computed_is_shown_with_what_it_was_computed_of() -> None:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    one_cycle = node(
        _target_="torch.optim.lr_scheduler.OneCycleLR",
        max_lr=0.1,
        pct_start=0.1,
        cycle_momentum=False,
    )
    scheduler = build(one_cycle, LRScheduler, optimizer, total_steps=11)
    assert type(scheduler).__name__ == "OneCycleLR"
    with pytest.raises(ValueError, match=r"pct_start=0\.1.* total_steps=10; change one"):
        build(one_cycle, LRScheduler, optimizer, total_steps=10)  # rises one step, torch divides


def test_takes_tells_a_constructors_arguments() -> None:
    one_cycle = node(_target_="torch.optim.lr_scheduler.OneCycleLR")
    assert takes(one_cycle, "total_steps")
    assert not takes(node(_target_="torch.optim.lr_scheduler.ConstantLR"), "total_steps")


OWN = {"model": {"_target_": "torch.nn.Own"}}
STOPS = {"_target_": "nnlab.callbacks.EarlyStopping", "monitor": "val/own", "mode": None}


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"model": {"dropout": 2}}, "dropout must be a number in .*, got model.dropout=2"),
        ({"data": {"path": "???"}}, "data.path must be given: add data.path=VALUE"),
        ({"seed": -1, "data": {"seed": "${seed}"}}, "got seed=-1"),
        ({"a": {"b": {"_target_": "os.system"}}}, "a.b._target_ must be of a trusted package"),
        ({"a": "${oc.env:NO_SUCH_VARIABLE}"}, "a cannot be worked out: .*NO_SUCH_VARIABLE"),
        ({"logger": {"a": {"name": "../x"}}}, "logger.a.name must stay in the run directory"),
        ({"callbacks": {"a": {"dirpath": "/x"}}}, "callbacks.a.dirpath must stay in the run"),
        ({"trainer": {"a": [{"b": "x/../../y"}]}}, "trainer.a.b must stay in the run directory"),
        ({"x": "~/y", "trainer": {"a": "${x}"}}, "trainer.a must stay in the run directory"),
        ({"traner": {"max_epochs": 2}}, "traner must be a setting, .*; did you mean 'trainer'"),
        ({"monitor": None}, "monitor must be a metric such as val/loss, .*, got monitor=null"),
        ({"monitor": "val/own"}, "monitor must be one of val/loss, .*got monitor=val/own"),
        ({"monitor": "val/own", **OWN}, "mode must be min or max, .*; add mode=max if"),
        ({"monitor": "val/loss", "mode": "max"}, "mode must be min where monitor=val/loss, got"),
        ({"callbacks": {"a": STOPS}, **OWN}, "callbacks.a.mode must be min .*got callbacks.a.mode"),
        (
            {"monitor": "val/loss", "mode": "best"},
            "mode must be one of min, max or null, got mode=best",
        ),
        ({"experiment": {"data": "csv"}}, "must begin with .*_global_', .*, got data in it"),
    ],
)
def test_a_config_is_checked_as_a_whole(entries: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_config(OmegaConf.create(entries))


def test_a_value_of_ones_own_may_stand_for_several_settings() -> None:
    check_config(node(rate=0.1, optimizer={"lr": "${rate}"}))
    check_config(node(mine={"rate": 0.1}, optimizer={"lr": "${mine.rate}"}))


def test_what_a_setting_means_to_anothers_class_is_its_own_affair() -> None:
    own = {"_target_": "torch.optim.Adafactor", "eps": [1e-30, 1e-3], "lr": 0.1, "a": {"eps": 0}}
    check_config(node(optimizer=own, callbacks={"x": {"_target_": "lightning.X", "seed": "a"}}))
    with pytest.raises(ValueError, match=r"^eps must be a number above 0, got optimizer.eps="):
        check_config(node(optimizer={**own, "_target_": "torch.optim.AdamW"}))
    with pytest.raises(ValueError, match=r"lr must be a number above 0, got optimizer\.lr=-1"):
        check_config(node(optimizer={**own, "lr": -1}))
    with pytest.raises(ValueError, match=r"optimizer\.x\._target_ must be of"):
        check_config(node(optimizer={**own, "x": {"_target_": "os.system"}}))


def test_a_column_may_be_called_as_a_setting() -> None:
    check_config(node(data={"columns": {"lr": "numeric", "seed": "categorical"}}))


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"data": {"target": 2}}, "got data.target=2; write 'data.target=\"2\"'"),
        ({"data": {"drop": [1, "x"]}}, "; write 'data.drop=[\"1\",x]'"),
        ({"data": {"target": None}}, "got data.target=null"),
        ({"model": {"dropout": 2}}, "got model.dropout=2"),
    ],
)
def test_a_number_that_is_meant_as_a_text_is_written_out(entries: dict, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message) + "$"):
        check_config(OmegaConf.create(entries))


def test_a_fold_that_is_not_there_is_refused_before_a_sweep_begins() -> None:
    check_config(OmegaConf.create({"data": {"fold": 2, "folds": 3}}))
    with pytest.raises(ValueError, match=r"data.fold must be .*\[0, 3\).*got data.fold=3"):
        check_config(OmegaConf.create({"data": {"fold": 3, "folds": 3}}))


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (
            {"optimizer": {"momentum": 0, "nesterov": True}},
            "optimizer.nesterov must be false where optimizer.momentum=0, .*; set optimizer.nes",
        ),
        ({"trainer": {"max_time": 5}}, r"max_time must be days, .*, got trainer.max_time=5$"),
    ],
)
def test_what_libraries_would_refuse_in_their_own_words_is_refused(
    part: dict, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        check_config(OmegaConf.create(part))
    check_config(OmegaConf.create({"optimizer": {"momentum": 0, "nesterov": False}}))
    check_config(OmegaConf.create({"trainer": {"max_time": "00:01:00:00"}}))


def test_a_folder_that_is_taken_gets_a_number(tmp_path: Path) -> None:
    expression = f"${{nnlab.new_folder:{tmp_path},null,digits,now}}"
    names = [Path(run_folder(expression)).relative_to(tmp_path).as_posix() for _ in range(3)]
    assert names == ["digits/now", "digits/now_2", "digits/now_3"]
    named = run_folder(expression.replace("null", "mine"))
    assert named == str(tmp_path / "mine" / "now")


def test_a_setting_that_is_read_twice_makes_one_folder(tmp_path: Path) -> None:
    register_resolvers()
    folder = f"${{nnlab.new_folder:{tmp_path},x,y,now}}"
    cfg = OmegaConf.create({"hydra": {"run": {"dir": folder}}, "again": "${hydra.run.dir}"})
    assert cfg.hydra.run.dir == cfg.hydra.run.dir == cfg.again == str(tmp_path / "x" / "now")


@pytest.mark.parametrize("time", ["now", "../../now"])
def test_a_config_that_is_only_read_makes_no_folder(tmp_path: Path, time: str) -> None:
    register_resolvers()
    cfg = node(x=f"${{nnlab.new_folder:{tmp_path / 'owned'},a,b,{time}}}")
    with pytest.raises(ValueError, match=r"x cannot be worked out: .*makes the folders of runs"):
        check_config(cfg)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_names_the_rule(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "digits").mkdir()

    def refuse(self: Path, *args: object, exist_ok: bool = False, **kwargs: object) -> None:
        if not (exist_ok and self.is_dir()):  # as root, who may write anywhere, cannot see it
            raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "mkdir", refuse)
    said = f"got output_dir={tmp_path} ({tmp_path}/digits/now: Permission denied); name another"
    with pytest.raises(InterpolationResolutionError, match=re.escape(said)):
        run_folder(f"${{nnlab.new_folder:{tmp_path},null,digits,now}}")


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["data=digits,penguins", "seed=1"], "digits_penguins"),
        (["data=penguins", "seed=1,2"], "penguins"),
        (["experiment=mnist,mnist_best", "model.dropout=0,0.1"], "mnist_mnist_best"),
        (["data=choice(digits,penguins)"], "choice_digits_penguins"),
        (["name=a b,c", "data=digits,penguins"], "a_b_c"),
        ([], "penguins"),
    ],
)
def test_a_sweep_is_called_by_the_data_or_what_varies_in_its_place(words, name: str) -> None:
    register_resolvers()
    cfg = OmegaConf.create({"words": words, "name": "${nnlab.sweep_name:${words},penguins}"})
    assert cfg.name == name


@pytest.mark.parametrize(
    ("overrides", "slug"),
    [
        ("model.dropout=0.2,optimizer=sgd", "_dropout-0.2_optimizer-sgd"),
        ("model.hidden_sizes=[8,8],seed=1", "_hidden_sizes--8_8-_seed-1"),
        ("++data.columns.zip=numeric,seed=1", "_zip-numeric_seed-1"),
        ("++data.columns.zip-code=%d/%m", "_zip-code--d-m"),
        ("++data.columns.birth$20$day=date,seed=1", "_birth-day-date_seed-1"),
        ('data.target="Größe",seed=1', "_target-Größe_seed-1"),
        ("+trainer.limit=0.5,+model.x=a+b", "_limit-0.5_x-a+b"),
        ("data.path=../a/b c.csv", "_path-..-a-b-c.csv"),
        ("", ""),
    ],
)
def test_job_names_are_readable_folder_names(overrides: str, slug: str) -> None:
    quoted = overrides.replace(",", "\\,")
    assert resolve(f"${{nnlab.slug:'{quoted}'}}".replace("\\,", ",")) == slug
    assert "/" not in slug


def test_what_comes_from_the_environment_is_known_through_any_number_of_steps(monkeypatch) -> None:
    monkeypatch.setenv("TOKEN", "s3cr3t")
    cfg = node(
        plain="a",
        key="${oc.env:TOKEN}",
        through="b${key}",
        nested=[{"deep": "${through}"}],
        default="${oc.env:NO_SUCH_VARIABLE,c}",
        other="${plain}",
    )
    known = {key for key in cfg if reads_environment(cfg, key)}
    assert known == {"key", "through", "nested", "default"}
    assert cfg.through == "bs3cr3t"
