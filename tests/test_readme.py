"""The README says only what holds."""

import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Command

README = (ROOT / "README.md").read_text()
COMMANDS = sorted(set(re.findall(r"^    ((?:python scripts/|nnlab )\S.*)$", README, re.MULTILINE)))


def test_the_first_screen_has_the_two_commands() -> None:
    first_screen = README.splitlines()[:12]
    assert "    pip install -e . && python scripts/train.py" in first_screen
    assert '    pip install -e ".[test]" && pytest' in first_screen


@pytest.mark.parametrize("line", [line for line in COMMANDS if "train" in line.split("=")[0]])
def test_every_training_command_is_understood(
    line: str, quick_command: Command, digits_run
) -> None:
    run_dir, _ = digits_run
    words = [word.replace("RUN_DIR", str(run_dir)) for word in shlex.split(line)]
    arguments = [word for word in words[2:] if word not in ("-m", "--help")]
    # A sweep's values one by one; what the settings mean is tested elsewhere.
    arguments = [word if "[" in word else word.split(",")[0] for word in arguments]
    printed = quick_command("train.py", *arguments, "--cfg", "job").stdout
    assert "hidden_sizes:" in printed


def test_every_command_on_a_run_works_in_the_order_of_the_readme(
    quick_command: Command, tmp_path: Path
) -> None:
    penguins = ROOT / "src" / "nnlab" / "data" / "embedded" / "penguins.csv"
    for name in ("new_houses.csv", "other.csv"):
        shutil.copy(penguins, tmp_path / name)
    quick_command("train.py", "data=penguins", "trainer.max_epochs=1", "model.hidden_sizes=[8]")
    (run_dir,) = (tmp_path / "outputs" / "penguins").iterdir()
    for line in (line for line in COMMANDS if "train" not in line.split("=")[0]):
        words = [word.replace("RUN_DIR", str(run_dir)) for word in shlex.split(line)]
        script = words[1] if words[0] == "nnlab" else Path(words[1]).stem
        quick_command(f"{script}.py", *words[2:])
    assert (tmp_path / "predictions.csv").is_file()
    assert (run_dir / "model.onnx").is_file()


def test_every_option_of_a_part_is_named() -> None:
    table = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", README, re.MULTILINE))
    for group, options in table.items():
        named = set(re.findall(r"`(\w+)`", options))
        assert named == {path.stem for path in (ROOT / "configs" / group).glob("*.yaml")}


def test_every_file_of_a_run_is_there(digits_run) -> None:
    run_dir, _ = digits_run
    listing = README.split("/\n        .hydra")[1].split("\n\n")[0]
    for name in re.findall(r"^        (\S+)", ".hydra" + listing, re.MULTILINE):
        assert list(run_dir.glob(name.replace("...", "*"))), name


def test_links_lead_to_files() -> None:
    for target in re.findall(r"\]\((?!http)([^)]+)\)", README):
        assert (ROOT / target).exists(), target


def test_the_lines_of_python_run_as_written(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    section = README.partition("## From Python\n")[2].partition("\n## ")[0]
    code = "\n".join(line[4:] for line in section.splitlines() if line.startswith("    "))
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 - the README's own
    printed = capsys.readouterr().out
    assert f"run directory  {names['run']}" in printed
    assert float(printed.partition("shape: ")[0].split()[-1]) > 0.9  # the accuracy
    assert re.search(r"^│ Gentoo +┆", printed, re.MULTILINE)
    assert names["inputs"].shape == (206, 15)
