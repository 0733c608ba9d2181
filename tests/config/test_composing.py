"""Configs from elsewhere: what they have Hydra do, and how large they get."""

import functools
from pathlib import Path

import pytest
from conftest import Command
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig, OmegaConf

from nnlab.config import config_folder, register_resolvers
from nnlab.config.composing import check_hydra, require_few_nodes


@functools.cache
def composed() -> DictConfig:
    register_resolvers()
    with initialize_config_dir(str(config_folder()), version_base="1.3"):
        return compose("train", return_hydra_config=True)


def hydra_with(**changes) -> DictConfig:
    """Hydra's part of the composed config, with changes."""
    elsewhere = {"elsewhere": {"_target_": "open"}}
    cfg = OmegaConf.create({**OmegaConf.to_container(composed()), **elsewhere})
    return OmegaConf.merge(cfg, {"hydra": changes}).hydra


def handler(**entries) -> dict:
    return {"job_logging": {"handlers": {"file": entries}}}


def test_what_nnlab_has_hydra_do_is_allowed() -> None:
    check_hydra(hydra_with())
    check_hydra(hydra_with(**handler(filename="${hydra.runtime.output_dir}/log/a.txt")))
    plugin = "hydra_plugins.hydra_joblib_launcher.joblib_launcher.JoblibLauncher"
    check_hydra(hydra_with(callbacks={"a": {"_target_": plugin}}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"callbacks": {"a": {"_target_": "shutil.copyfile"}}}, "callbacks.a._target_ must be of"),
        ({"callbacks": {"a": {"_target_": "nnlab.config.os.system"}}}, "must be of a trusted"),
        ({"callbacks": {"a": {"b": {"_target_": "open"}}}}, "callbacks.a.b._target_ must be of"),
        ({"callbacks": {"a": "${elsewhere}"}}, "callbacks.a._target_ must be of"),
        ({"callbacks": {"a": {"_target_": "${no.such}"}}}, "got what cannot be worked out"),
        ({"callbacks": {"a": {"_target_": "hydra_plugins.a.b.os.system"}}}, "must be of a trusted"),
        (handler(**{"()": "subprocess.run"}), "job_logging.handlers.file.() must be of a trusted"),
        (handler(**{"class": "logging.os.system"}), "must be of a trusted"),
        (handler(**{"stream": "ext://os.system"}), "stream must be written out"),
        (handler(filename="/tmp/a"), "filename must be in the run directory"),  # noqa: S108
        (handler(filename="${hydra.runtime.output_dir}/../a"), "must be in the run directory"),
        (handler(filename="${hydra.runtime.output_dir}/${x}"), "must be in the run directory"),
        (handler(**{".": {"baseFilename": "/tmp/a"}}), "must not be there"),  # noqa: S108
        (handler(a={"b": "${elsewhere}"}), "must be written out"),
        ({"output_subdir": "../a"}, "output_subdir must be null"),
        ({"job": {"name": "../a"}}, "job.name must be a name"),
        ({"job": {"env_set": {"NNLAB_TRUSTED_PACKAGES": "os"}}}, "env_set must be empty"),
    ],
)
def test_a_config_has_hydra_run_and_write_nothing_else(changes: dict, message: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is below
        check_hydra(hydra_with(**changes))
    assert message in str(caught.value)


NEW_FOLDER = "${nnlab.new_folder:/tmp,x,y,z}"


@pytest.mark.parametrize(
    ("changes", "setting"),
    [
        ({"run": {"dir": "/tmp/a"}}, "hydra.run.dir"),  # noqa: S108
        ({"run": {"dir": NEW_FOLDER}}, "hydra.run.dir"),
        ({"run": "${elsewhere}"}, "hydra.run.dir"),
        ({"sweep": {"dir": "a"}}, "hydra.sweep.dir"),
        ({"sweep": {"subdir": "../../a"}}, "hydra.sweep.subdir"),
    ],
)
def test_only_a_person_says_where_runs_go(changes: dict, setting: str) -> None:
    hydra = hydra_with(**changes)
    for other in ((), ["seed=1"], ["hydra.job.name=a"]):
        with pytest.raises(ValueError, match=f"{setting} must be nnlab's own"):
            check_hydra(hydra, other)
    check_hydra(hydra, [f"{setting}=a"])


@pytest.mark.parametrize(
    "place", ["structured://theirs", "pkg://theirs.configs", "PKG://theirs", "file://x", "x"]
)
def test_no_package_among_the_folders_of_configs_is_imported(
    quick_command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "theirs.py").write_text("open('executed', 'w')\n")
    ours = "defaults: [{hydra: default}, _self_]\noutput_dir: a\nname: b\n"
    text = f"{ours}hydra: {{searchpath: ['{place}']}}\nhere: 5\n"
    (tmp_path / "primary.yaml").write_text(text)
    (tmp_path / "x").mkdir()
    words = ["--config-dir", ".", "--config-name", "primary", "--cfg", "job"]
    is_folder = place.endswith("x")
    process = quick_command("train.py", *words, succeed=is_folder)
    if is_folder:
        assert "here: 5" in process.stdout
    else:
        assert f"must name folders, because a package would be imported, got {place}" in (
            process.stderr
        )
    assert not (tmp_path / "executed").exists()


def test_a_sweep_is_begun_by_the_command_line(quick_command: Command, tmp_path: Path) -> None:
    (tmp_path / "mine" / "experiment").mkdir(parents=True)
    file = tmp_path / "mine" / "experiment" / "sw.yaml"
    file.write_text(
        "# @package _global_\nhydra: {mode: MULTIRUN, sweeper: {params: {seed: '0,1'}}}\n"
    )
    words = ("--config-dir", "mine", "experiment=sw", "data=penguins", "trainer.max_epochs=1")
    process = quick_command("train.py", *words, succeed=False)
    assert "hydra.mode must be left out of files" in process.stderr
    assert not (tmp_path / "outputs").exists()
    file.write_text(file.read_text().replace("mode: MULTIRUN, ", ""))
    quick_command("train.py", "-m", *words, "output_dir=a")
    quick_command("train.py", "hydra.mode=MULTIRUN", *words, "output_dir=b")
    assert [len([*(tmp_path / name).glob("*/*/*/metrics.json")]) for name in "ab"] == [2, 2]


def test_an_experiment_from_elsewhere_is_refused_before_it_runs(
    quick_command: Command, tmp_path: Path
) -> None:
    (tmp_path / "theirs" / "experiment").mkdir(parents=True)
    target = "{_target_: shutil.copytree, src: theirs, dst: executed}"
    (tmp_path / "theirs" / "experiment" / "run.yaml").write_text(
        f"# @package _global_\nhydra: {{callbacks: {{theirs: {target}}}}}\n"
    )
    (tmp_path / "theirs" / "experiment" / "bomb.yaml").write_text(bomb())
    (tmp_path / "theirs" / "experiment" / "folder.yaml").write_text(
        "# @package _global_\nhydra: {run: {dir: .}}\n"
    )
    variables = "".join(f"a{i + 1}: {f'${{a{i}}}' * 10}\n" for i in range(12))
    (tmp_path / "theirs" / "experiment" / "name.yaml").write_text(
        f"# @package _global_\na0: x\n{variables}name: ${{a12}}\n"
    )
    for name, message in (
        ("folder", "hydra.run.dir must be nnlab's own or be given on the command line, got ."),
        ("name", "a config must have at most 2000 interpolations"),
        ("run", "hydra.callbacks.theirs._target_ must be of a trusted package"),
        ("bomb", "experiment/bomb.yaml must have at most 10000 entries"),
    ):
        process = quick_command(
            "train.py", "--config-dir", "theirs", f"experiment={name}", succeed=False
        )
        assert message in process.stderr
        assert process.stderr.startswith("error: ")
    assert [path.name for path in tmp_path.iterdir()] == ["theirs"]


def bomb() -> str:
    lines = [f"a{i + 1}: &a{i + 1} [{', '.join([f'*a{i}'] * 5)}]" for i in range(20)]
    return "\n".join(["a0: &a0 [x]", *lines, ""])


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("a: &a {x: 1}\nb: *a\nc: {<<: *a, y: 2}\n", True),
        ("a: 'R&D' # *\n", True),
        ("&a [*a]\n", False),
        (bomb(), False),
    ],
)
def test_aliases_are_counted_as_written_out(tmp_path: Path, text: str, allowed: bool) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(text)
    if allowed:
        require_few_nodes(path)
    else:
        with pytest.raises(ValueError, match="must have at most 10000 entries"):
            require_few_nodes(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            "# @package _global_\noptimizer: sgd\n",
            "got optimizer: sgd; in a file it is swapped below 'defaults:' by '- override "
            "/optimizer: sgd', on the command line by optimizer=sgd",
        ),
        ("# @package _global_\nmodel:\n  dropout:0.1\n", "a blank must follow the colon behind a"),
        (
            "defaults:\n  - override /optimizer: sgd\n",
            "an experiment's file must begin with the line '# @package _global_'",
        ),
    ],
)
def test_a_mistake_in_an_experiments_file_is_told_in_a_sentence(
    quick_command: Command, tmp_path: Path, content: str, said: str
) -> None:
    (tmp_path / "mine" / "experiment").mkdir(parents=True)
    (tmp_path / "mine" / "experiment" / "wide.yaml").write_text(content)
    own = ("--config-dir", "mine", "experiment=wide")
    process = quick_command("train.py", *own, succeed=False)
    (line,) = process.stderr.splitlines()
    assert line.startswith("error: ")
    assert said in line
