"""Mistakes in one line, with a way out that can be pasted."""

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException, OverrideParseException
from omegaconf import OmegaConf
from omegaconf.errors import ConfigAttributeError, OmegaConfBaseException

from nnlab.config import config_folder, register_resolvers
from nnlab.explaining import explain


def explained(*typed: str) -> str:
    register_resolvers()
    with (
        initialize_config_dir(str(config_folder()), version_base="1.3"),
        pytest.raises((HydraException, OmegaConfBaseException)) as caught,
    ):
        compose("train", list(typed))
    return explain(caught.value)


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("name=größe", "write 'name=\"größe\"'"),
        ("model.hidden_sizes=[8,8", "close its brackets"),
        ("model.hidden_sizes=8)", "close its brackets"),
        ("++data.columns={größe: date}", "write data.columns.NAME=KIND for each column"),
        ("größe=1", "there is no setting größe; --help"),
        ("my setting=1", "there is no setting my setting; --help"),
        ("model.hidden_sizes=(64,64)", "; write 'model.hidden_sizes=[64,64]'"),
        ("model.hidden_sizes=[64;64]", "; write 'model.hidden_sizes=[64,64]'"),
        ("model.hidden_sizes={64, 64}", "; write 'model.hidden_sizes=[64,64]'"),
        ("model.dropout=0,", "dropout must be a number in [0, 1), got model.dropout=0,"),
        ("data.drop=(a b;c)", "; write 'data.drop=[a b,c]'"),
        ("name=[ä,b]", "write 'name=[\"ä\",b]'"),
    ],
)
def test_what_hydra_cannot_read_is_written_out(typed: str, message: str) -> None:
    with pytest.raises(OverrideParseException) as caught:
        OverridesParser.create().parse_overrides([typed])
    said = explain(caught.value)
    assert message in said
    assert not any(word in said for word in ("mismatched", "Exception", "<EOF>", "++", "hydra.cc"))


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("lr=0.1", "there is no setting lr; did you mean 'optimizer.lr'?"),
        ("epochs=5", "did you mean 'trainer.max_epochs'?"),
        ("max_epochs=5", "did you mean 'trainer.max_epochs'?"),
        ("batch_size=5", "did you mean 'data.batch_size'?"),
        ("hidden_sizes=[3]", "did you mean 'model.hidden_sizes'?"),
        ("model.lr=1", "did you mean 'optimizer.lr'?"),
        ("trainer.patience=1", "did you mean 'callbacks.early_stopping.patience'?"),
        ("trainer.max_epoch=3", "did you mean 'max_epochs'?"),
        ("model.droput=0.3", "did you mean 'dropout'? (hidden_sizes, "),
        ("data.target=x", "no setting data.target with this data; add data=csv, which has it"),
        ("optimizer.momentum=0.9", "with this optimizer; add optimizer=rmsprop or optimizer=sgd"),
        ("scheduler.patience=3", "with this scheduler; add scheduler=plateau"),
        ("trainer.max_steps=100", "unless it is added: write +trainer.max_steps=100"),
        ("optimizer.amsgrad=true", "unless it is added: write +optimizer.amsgrad=true"),
        ("data=houses.csv", "; write data=csv data.path=houses.csv data.target=COLUMN"),
        ("data=houses.pq", "; write data=csv data.path=houses.pq data.target=COLUMN"),
        (
            "data=/a/b.csv",
            "got data=/a/b.csv; write data=csv data.path=/a/b.csv data",
        ),
        ("hidden_sizes=8,8", "add -m to try each, or write 'model.hidden_sizes=[8,8]'"),
        ("trainer.max_step=100", "did you mean '+trainer.max_steps'?"),
        ("model.hidden_sizes=8,8", "add -m to try each, or write 'model.hidden_sizes=[8,8]'"),
        ("optimizer.lr=0,01", "got optimizer.lr=0,01; write optimizer.lr=0.01, or add -m to try"),
        ("optimizer.lr=0.1,0.2", "got optimizer.lr=0.1,0.2; add -m to try each"),
        ("scheduler=none", "got scheduler=none; write scheduler=constant"),
        ("scheduler=Off", "; write scheduler=constant"),
        ("logger=no", "; write logger.tensorboard=null"),
        ("experiment=none", "; leave it out"),
        ("data.columns.t=%H:%M,%S", "try each, or write 'data.columns.t=\"%H:%M,%S\"'"),
        ("data.root=a,b", "add -m to try each, or write 'data.root=\"a,b\"'"),
        ("data.seed.x=1", "there is no setting data.seed.x"),
        ("optimzer=sgd", "there is no setting optimzer; did you mean 'optimizer'?"),
        ("zzz=1", "there is no setting zzz (model, optimizer, "),
    ],
)
def test_a_setting_that_is_not_there_is_looked_for_everywhere(typed: str, message: str) -> None:
    assert message in explained(typed)


def test_a_part_that_was_taken_out_is_named() -> None:
    with pytest.raises(ConfigAttributeError) as caught:
        OmegaConf.create({"model": {}}, flags={"struct": True}).logger  # noqa: B018
    assert explain(caught.value).startswith("logger must be there, but the config has none; ")
