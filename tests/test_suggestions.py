"""What a message suggests must mean what it says once it is pasted behind a command."""

import shlex

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from nnlab.config.column_names import restore_keys
from nnlab.config.command_line import as_hydra_reads
from nnlab.suggestions import closest, column_kind, command, setting

TEXTS = [
    *(
        "id",
        "zip code",
        "größe",
        "价格",
        "a,b",
        "a]b",
        "a=b",
        "a:b",
        "{a}",
        "(a",
        "#",
        "%",
        "$HOME",
    ),
    *(
        ";",
        "|",
        ",",
        "\t",
        "-",
        "?",
        "n/a",
        "N/A",
        "1",
        "1e5",
        "null",
        "None",
        "nan",
        "True",
        "inf",
    ),
    *("a'b", 'a"b', "a\\b", "a\\", 'a\\"b', "${seed}", "!x", "*", "~", "`ls`", "$(ls)", " a "),
]


def meant(typed: str) -> object:
    """What nnlab, Hydra and OmegaConf make of a word that a shell has taken apart."""
    (word,) = as_hydra_reads([typed])
    override = OverridesParser.create().parse_override(word)
    config = OmegaConf.create({"seed": 0, "data": {}})
    OmegaConf.update(config, override.key_or_group, override.value())
    restore_keys(config)
    return OmegaConf.to_container(config, resolve=True)["data"]


def test_a_text_stays_what_it_is() -> None:
    for text in TEXTS:
        (word,) = shlex.split(setting("data.drop", text))
        assert meant(word) == {"drop": text}


def test_a_list_of_texts_stays_what_it_is() -> None:
    (word,) = shlex.split(setting("data.drop", TEXTS))
    assert meant(word) == {"drop": TEXTS}


@pytest.mark.parametrize("kind", ["numeric", "%d/%m/%Y", "%d.%m.%y %H:%M"])
@pytest.mark.parametrize(
    "name", [*TEXTS, "zip", "zip-code", "a.b", "50% off", "tax % ", "1stFlrSF"]
)
def test_the_kind_of_any_column_can_be_said(name: str, kind: str) -> None:
    (word,) = shlex.split(column_kind(name, kind))
    assert meant(word)["columns"] == {name: kind}


@pytest.mark.parametrize(
    ("started_as", "said"),
    [("scripts/train.py", "python scripts/evaluate.py"), ("/venv/bin/nnlab", "nnlab evaluate")],
)
def test_a_command_is_told_as_a_person_can_run_it(monkeypatch, started_as: str, said: str) -> None:
    monkeypatch.setattr("sys.argv", [started_as])
    assert command("evaluate") == said


def test_quotes_stand_only_where_they_are_needed() -> None:
    assert setting("data.encoding", "latin-1") == "data.encoding=latin-1"
    assert setting("data.separator", "tab") == "data.separator=tab"


@pytest.mark.parametrize(
    ("word", "options", "meant"),
    [
        ("swish", ["mish", "silu"], "silu"),
        ("epochs", ["epoch_seed", "max_epochs"], "max_epochs"),
        ("val/acc", ["val/auroc", "val/accuracy"], "val/accuracy"),
        ("max_epoch", ["max_epochs", "max_steps"], "max_epochs"),
        ("Price", ["size", "price"], "price"),
        ("no", ["house_no", "nose"], "nose"),  # too short to mean a part
        ("lr", ["momentum"], None),
    ],
)
def test_the_closest_option_is_what_a_person_means(word, options, meant) -> None:
    assert closest(word, options) == meant
