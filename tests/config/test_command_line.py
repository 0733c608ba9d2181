"""The words of a command line: what a person types must reach the config as it was meant."""

import re

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given, settings
from hypothesis import strategies as st

from nnlab.config.column_names import restore
from nnlab.config.command_line import as_hydra_reads


def read(*typed: str) -> list[object]:
    """The values that Hydra makes of words; in a sweep those of all its jobs."""
    parser = OverridesParser.create()
    words = [word for word in as_hydra_reads(typed) if word != "-m"]
    values: list[object] = []
    for override in parser.parse_overrides(words):
        if override.is_sweep_override():
            jobs = [f"key={value}" for value in override.sweep_string_iterator()]
            values += [job.value() for job in parser.parse_overrides(jobs)]
        else:
            values.append(override.value())
    return values


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("data.target=Price ($)", "Price ($)"),
        ("data.path=houses (1).csv", "houses (1).csv"),
        ("data.path=~/größe.csv", "~/größe.csv"),
        ("data.path=a(1)", "a(1)"),
        ("data.separator=;", ";"),
        ("data.separator=,", ","),
        ("data.drop=[Größe,id]", ["Größe", "id"]),
        ("data.drop=[Größe, 'a,b', \"c;d\"]", ["Größe", "a,b", "c;d"]),
        ("data.null_values=[#,-]", ["#", "-"]),
        ("data.columns.Größe=%d. März", "%d. März"),
        ("data.path=${oc.env:HOME}/größe.csv", "${oc.env:HOME}/größe.csv"),
        ("model.hidden_sizes=[8,8]", [8, 8]),
        *(
            (f"data.{setting}={name}", name)
            for setting in ("target", "group", "time")
            for name in (
                *("$x", "$HOME", "{a}", "{a: b}", "a=b", "1", "-5", "1e5", "true", "[a]", "a{b}"),
                *(
                    "str(x)",
                    "int(3)",
                    "choice(a,b)",
                    "range(1,3)",
                    "it's",
                    "a@b",
                    "Size, in cm (1)",
                ),
            )
        ),
        ("data.target=null", "null"),
        ("data.group=null", None),
        ('data.target="null"', "null"),
        ("data.drop=[1,true,null,{a},[b],$x]", ["1", "true", "null", "{a}", "[b]", "$x"]),
        ("data.drop=[]", []),
        ("data.null_values=[-999,NA]", ["-999", "NA"]),
        ("data.max_one_hot=1", 1),
    ],
)
def test_what_was_typed_is_what_is_meant(typed: str, value: object) -> None:
    assert read(typed) == [value]


@pytest.mark.parametrize(
    ("typed", "values"),
    [
        ("data.target=Größe,Price ($)", ["Größe", "Price ($)"]),
        ("data.drop=[Größe],[id]", [["Größe"], ["id"]]),
        ("data.columns.birth day=date,categorical", ["date", "categorical"]),
        ("model.dropout=0,0.2", [0, 0.2]),
    ],
)
def test_a_sweep_tries_each_of_what_was_typed(typed: str, values: list[object]) -> None:
    assert read("-m", typed) == values


TYPED = st.text(
    st.sampled_from("aö1 =,:.$#-+[]{}()'\"\\\\/%") | st.characters(codec="utf-8"), min_size=1
)


@settings(max_examples=60, deadline=None)
@given(name=TYPED)
def test_any_name_of_a_column_comes_back(name: str) -> None:
    (override,) = OverridesParser.create().parse_overrides(
        as_hydra_reads([f"data.columns.{name}=numeric"])
    )
    key = override.key_or_group.removeprefix("data.columns.")
    assert re.fullmatch(r"[A-Za-z_$][\w$-]*", key, re.ASCII)  # one level of a config
    assert restore(key) == name


@settings(max_examples=60, deadline=None)
@given(text=TYPED.filter(str.strip))
def test_any_text_can_be_read(text: str) -> None:
    OverridesParser.create().parse_overrides(as_hydra_reads([f"data.target={text}"]))


@pytest.mark.parametrize("typed", ["size", "größe", "a (b)", "a=b", "$1", "a$b$c", "${x}", "x.y"])
def test_pluses_before_a_columns_name_change_nothing(typed: str) -> None:
    words = [f"{pluses}data.columns.{typed}=numeric" for pluses in ("", "+", "++")]
    assert len(set(as_hydra_reads(words))) == 1


@pytest.mark.parametrize(
    ("typed", "way_out"),
    [
        ("scheduler=null", "constant, cosine, one_cycle, plateau, got scheduler=null; write sche"),
        ("optimizer=NULL", "write optimizer=adamw"),
        ("logger=null", "write logger.tensorboard=null"),
        ("callbacks=null", "write callbacks.early_stopping=null"),
        ("experiment=null", "leave it out"),
        ("scheduler=cosine,null", "write scheduler=constant"),
    ],
)
def test_a_part_that_cannot_be_null_names_the_way_out(typed: str, way_out: str) -> None:
    with pytest.raises(ValueError, match="must be one of ") as caught:
        as_hydra_reads(["-m", typed])
    assert way_out in str(caught.value)
    assert as_hydra_reads(["logger.tensorboard=null"]) == ["logger.tensorboard=null"]
