"""What of a sweep's folder, which may come from elsewhere, begins it again."""

import json
from pathlib import Path

import pytest

from nnlab.sweep_directory import forget_kept_sweep, keep_sweep, load_sweep


def saved_sweep(folder: Path, words: list[str], hydra: list[str]) -> Path:
    overrides = {"task": words, "hydra": hydra}
    (folder / "multirun.yaml").write_text(json.dumps({"hydra": {"overrides": overrides}}))
    return folder


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


def test_the_words_of_a_sweep_are_those_that_were_typed(tmp_path: Path) -> None:
    words = ["++data.columns.$31$st=numeric", "data.path=a$b$c.csv", "~callbacks.early_stopping"]
    typed = ["++data.columns.1st=numeric", *words[1:]]
    ours = ["hydra.mode=MULTIRUN", "hydra.job.config.override_dirname.exclude_keys=[a]"]
    assert load_sweep(saved_sweep(tmp_path, words, ours)) == typed


@pytest.mark.parametrize("damage", [b"", b"hydra: {overrides: ['a=1,", None])
def test_a_sweep_that_was_being_written_is_known_by_its_copy(tmp_path: Path, damage) -> None:
    folder = saved_sweep(tmp_path, ["a=1,2"], ["hydra.mode=MULTIRUN"])
    keep_sweep(folder)
    path = folder / "multirun.yaml"
    path.write_bytes(damage) if damage is not None else path.unlink()
    assert load_sweep(folder) == ["a=1,2"]
    keep_sweep(folder)  # the damaged one does not take its place
    assert load_sweep(folder) == ["a=1,2"]
    saved_sweep(tmp_path, ["a=1,2,3"], ["hydra.mode=MULTIRUN"])
    forget_kept_sweep(folder)
    assert [path.name for path in folder.iterdir()] == ["multirun.yaml"]
    assert load_sweep(folder) == ["a=1,2,3"]


def test_a_sweep_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    (tmp_path / "multirun.yaml").write_text("hydra: {overrides: ['a=1,")
    with pytest.raises(ValueError, match=r"multirun.yaml must hold .* cannot be read \(while"):
        load_sweep(tmp_path)


def test_a_sweep_with_a_sweeper_of_its_own_is_not_gone_on_with_as_another(tmp_path: Path) -> None:
    folder = saved_sweep(tmp_path, ["a=1,2"], ["hydra.mode=MULTIRUN", "hydra/sweeper=optuna"])
    with pytest.raises(ValueError, match=r"sets something of Hydra's .*got hydra/sweeper=optuna"):
        load_sweep(folder)
