"""What a message suggests must mean what it says once it is pasted behind a command."""

import shlex

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from nnlab.rule_types import flat_names
from nnlab.suggestions import column_kind, setting

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


def meant(word: str) -> object:
    """What Hydra and OmegaConf make of a word that a shell has taken apart."""
    override = OverridesParser.create().parse_override(word)
    config = OmegaConf.create({"seed": 0, "data": {}})
    OmegaConf.update(config, override.key_or_group, override.value())
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
    "name", ["zip", "zip-code", "a.b", "zip code", "50% off", "a/b c", "tax % ", "größe"]
)
def test_the_kind_of_a_column_can_be_said_where_hydra_can_spell_its_name(
    name: str, kind: str
) -> None:
    suggested = column_kind(name, kind)
    if name in ("50% off", "tax % ", "größe"):
        assert "once its name is of plain letters" in suggested
        return
    (word,) = shlex.split(suggested)
    assert flat_names(meant(word)["columns"]) == {name: kind}


def test_quotes_stand_only_where_they_are_needed() -> None:
    assert setting("data.encoding", "latin-1") == "data.encoding=latin-1"
    assert setting("data.separator", "tab") == "data.separator=tab"
