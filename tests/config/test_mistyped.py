"""Words that cannot be meant as they are: what is said can be pasted."""

import shlex

import pytest
from hydra._internal.utils import get_args_parser

from nnlab.config import register_resolvers
from nnlab.config.mistyped import refuse_dashes, refuse_mistyped


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("-m model.dropout=0, 0.2", "got model.dropout=0, 0.2; write model.dropout=0,0.2"),
        ("-m model.dropout=0 , 0.2 seed=1", "got model.dropout=0 , 0.2; write model.dropout=0,0.2"),
        ("model.hidden_sizes=[64, 64]", "write 'model.hidden_sizes=[64,64]'"),
        ("data.null_values=[-1, -2] seed=1", "write 'data.null_values=[-1,-2]'"),
        ("data = penguins", "a blank ends a setting, got data = penguins; write data=penguins"),
        ("seed =1", "write seed=1"),
        ("resume= outputs/a", "write resume=outputs/a"),
        ("data.target=Price, in ($) seed=1", "write 'data.target=Price, in ($)'"),
        ("data.path=my houses.csv", "write 'data.path=my houses.csv'"),
        ("model.hidden_sizes=64 model.hidden_sizes=32", "write 'model.hidden_sizes=[64,32]'"),
        ("model.hidden_sizes=[ 64 64 ]", "write 'model.hidden_sizes=[64,64]'"),
        ("model.hidden_sizes=[64 64]", "write 'model.hidden_sizes=[64,64]'"),
        ("optimizer.lr 0.1", "are one word, got optimizer.lr 0.1; write optimizer.lr=0.1"),
        ("data.path=my.csv data.target Preis", "got data.target Preis; write data.target=Preis"),
        ("resume outputs/a", "write resume=outputs/a"),
        ("optimizer.betas=0.9 seed=1 optimizer.betas=0.99", "got it 2 times, as a shell makes of"),
    ],
)
def test_a_setting_that_a_shell_has_taken_apart_is_put_together(typed: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is below
        refuse_mistyped(typed.split())
    assert message in str(caught.value)
    refuse_mistyped(shlex.split(str(caught.value).partition("; write ")[2]))


def test_quotes_around_a_whole_command_are_left_out() -> None:
    typed = "data=csv data.path=my.csv seed=1"
    with pytest.raises(ValueError, match=f"word of its own, got '{typed}'; write {typed}$"):
        refuse_mistyped([typed])
    for word in (
        *("data.target=a b=c", "data.drop=[a b=c]", "model.hidden_sizes=[1]", "name=try model=3"),
        *(
            "+logger.x.notes=a, optimizer=sgd",
            "resume=outputs/try model=3",
            "--config-dir=a data=x",
        ),
        *("data.columns.at time=%H:%M model=1", "data.class_names=[a, x data.path=1]"),
    ):
        refuse_mistyped([word])


@pytest.mark.parametrize(
    "typed",
    [
        "-m seed=0,1 data=digits",
        "seed=0, -m",
        "name= seed=1",
        "model.hidden_sizes=[1,2 seed=1",
        "--info all data=csv",
        "seed=1 seed=2",
        "model.hidden_sizes=[8] model.hidden_sizes=[16]",
        "resume=outputs/a threads=2",
        "~optimizer.weight_decay ~optimizer.betas",
        "-cn a.seed b",
        "--config-dir x.lr",
    ],
)
def test_words_of_their_own_are_left_alone(typed: str) -> None:
    refuse_mistyped(typed.split())


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("--lr 0.1", "without dashes, got --lr 0.1; write optimizer.lr=0.1"),
        ("--m seed=0,1", "got --m; write -m"),
        ("--lr=0.1", "without dashes, got --lr=0.1; write optimizer.lr=0.1"),
        ("-lr 0.1 seed=1", "without dashes, got -lr 0.1; write optimizer.lr=0.1"),
        ("--lr", "without dashes, got --lr; write optimizer.lr=VALUE"),
        ("--lr seed=1", "without dashes, got --lr; write optimizer.lr=VALUE"),
        ("--max-epochs 3 -m", "write trainer.max_epochs=3"),
        ("--epochs=3", "write trainer.max_epochs=3"),
        ("--learning-rate 0.1", "write optimizer.lr=0.1"),
        ("--model.droput=0.1", "write model.dropout=0.1"),
        ("--optimizer sgd", "write optimizer=sgd"),
        ("--hidden-sizes 64 32 seed=1", "sizes 64 32; write 'model.hidden_sizes=[64,32]'"),
        ("--scheduler.patience 3", "write scheduler.patience=3"),
        ("--layers [64,32]", "write 'model.hidden_sizes=[64,32]'"),
        ("--class-weights balanced", "write model.class_weights=balanced"),
        ("--config a", "without dashes, got --config a; write config=a"),
        ("--cfg jub", "invalid choice: 'jub'"),
        ("--config-dir", "expected one argument; see --help"),
    ],
)
def test_who_knows_other_commands_is_told_how_settings_are_written(typed, message: str) -> None:
    register_resolvers()
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is below
        refuse_dashes(typed.split())
    assert message in str(caught.value)


def test_options_of_hydras_are_no_mistake() -> None:
    refuse_dashes(["-m", "seed=0,1", "--cfg", "job", "--config-dir", "theirs", "data=digits"])
    refuse_dashes(["seed=0", "--config-dir=a", "--info", "-h", "-c", "all"])
    assert get_args_parser().exit_on_error  # Hydra's own is another
