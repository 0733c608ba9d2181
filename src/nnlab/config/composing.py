"""Composing configs, some of which may come from elsewhere: checked before Hydra acts on them.

Hydra itself runs what a config names, before any job begins: its callbacks, its launcher, the
handlers of its logs.
"""

import contextlib
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.core_plugins import file_config_source
from hydra._internal.sources_registry import SourcesRegistry
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.plugins.config_source import ConfigResult
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from nnlab.config.column_names import restore_keys
from nnlab.config.folders import config_folder
from nnlab.config.interpolations import few_interpolations
from nnlab.config.trust import require_trusted

_TARGETS = (
    "nnlab.sweeping.SweepTable",
    "hydra._internal.core_plugins.basic_launcher.BasicLauncher",
    "hydra._internal.core_plugins.basic_sweeper.BasicSweeper",
)
# An installed plugin's class: nothing that is only reached through one.
_PLUGIN = re.compile(r"hydra_plugins\.\w+\.\w+\.[A-Z]\w+")
_LOGGING = (
    "nnlab.logs.Console",
    "nnlab.logs.LogFile",
    "logging.Formatter",
    "logging.StreamHandler",
    "logging.FileHandler",
    "logging.NullHandler",
)
_STREAMS = ("ext://sys.stdout", "ext://sys.stderr")
_LARGEST = 10_000


class FileConfigSource(file_config_source.FileConfigSource):
    """Hydra's reader of config files, which it takes for its own by the name of the class."""

    def load_config(self, config_path: str) -> ConfigResult:
        """Read a file, unless its aliases make it huge, or Hydra would import what it names."""
        path = Path(self.path, config_path).with_suffix(".yaml")
        if path.is_file():
            require_few_nodes(path)
        loaded = super().load_config(config_path)
        with few_interpolations():
            _check_search_path(path, loaded.config)
        return loaded


@contextlib.contextmanager
def checked_composition() -> Iterator[None]:
    """Have Hydra check configs as it reads and composes them.

    Hydra has no place of its own to do so. While this lasts, ValueError is raised for a file whose
    aliases make it huge, and for a composed config that has Hydra run what is not trusted or write
    outside the run directory.
    """
    compose = ConfigLoaderImpl.load_configuration
    is_unasked_sweep = False  # Hydra looks at the mode first, and passes over an error there

    def compose_and_check(
        loader: ConfigLoaderImpl,
        config_name: str | None,
        overrides: list[str],
        *args: Any,
        **kw: Any,
    ) -> DictConfig:
        nonlocal is_unasked_sweep
        with few_interpolations():
            cfg = compose(loader, config_name, overrides, *args, **kw)
            is_sweep = config_name is not None and cfg.hydra.mode == RunMode.MULTIRUN
            is_unasked_sweep |= is_sweep and "hydra.mode=MULTIRUN" not in overrides
            if is_unasked_sweep:
                raise ValueError(
                    "hydra.mode must be left out of files, because a sweep of theirs could not be "
                    "gone on with, got hydra.mode=MULTIRUN; take it out, and sweep with -m"
                )
            if config_name is not None:  # as for `--hydra-help`, which runs nothing
                check_hydra(cfg.hydra, overrides)
            for _ in _settings("", cfg):
                pass  # Hydra follows interpolations before anything else is checked
        restore_keys(cfg)
        return cfg

    sources = SourcesRegistry.instance().types
    source = sources.get("file", file_config_source.FileConfigSource)  # none before the first use
    sources["file"] = FileConfigSource
    # Hydra has no hook between composing a config and acting on it.
    ConfigLoaderImpl.load_configuration = compose_and_check  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        ConfigLoaderImpl.load_configuration = compose  # type: ignore[method-assign]
        sources["file"] = source


def require_few_nodes(path: Path) -> None:
    """Refuse a YAML file of which aliases of aliases would make gigabytes.

    Raises:
        ValueError: It has more than 10,000 entries once its aliases are written out.
    """
    content = path.read_bytes()
    if b"&" not in content or b"*" not in content:
        return
    with contextlib.suppress(yaml.YAMLError):  # which Hydra tells in its own words
        if _size(yaml.compose(content, yaml.SafeLoader), {}) > _LARGEST:
            raise ValueError(
                f"{path} must have at most {_LARGEST} entries, its aliases written out; it has "
                "more: write fewer aliases of aliases"
            )


def _size(node: yaml.Node | None, known: dict[int, float]) -> float:
    """Entries of a node with its aliases written out; infinite if it holds itself."""
    if node is None or isinstance(node, yaml.ScalarNode):
        return 1
    if id(node) not in known:
        known[id(node)] = math.inf
        children = node.value
        if isinstance(node, yaml.MappingNode):
            children = [part for pair in node.value for part in pair]
        known[id(node)] = 1 + sum(_size(child, known) for child in children)
    return known[id(node)]


def check_hydra(hydra: DictConfig, overrides: Sequence[str] = ()) -> None:
    """Check what a composed config has Hydra itself do.

    Args:
        hydra: Hydra's part of it.
        overrides: The settings of the command line, where a person may say where runs go.

    Raises:
        ValueError: It would run what is not trusted, or write outside the run directory.
    """
    _check_run_folders(OmegaConf.to_container(hydra), overrides)
    for part in ("callbacks", "launcher", "sweeper"):
        for setting, value in _settings(f"hydra.{part}", hydra[part]):
            if setting.endswith("._target_") and not _is_hydras(value):
                require_trusted(setting, value, ())
    for part in ("hydra_logging", "job_logging"):
        _check_logging(f"hydra.{part}", OmegaConf.to_container(hydra[part]))
    if hydra.output_subdir is not None:
        raise ValueError(
            "hydra.output_subdir must be null, because nnlab saves a run's settings itself, got "
            f"{hydra.output_subdir}"
        )
    if not re.fullmatch(r"\w+", hydra.job.name):
        raise ValueError(f"hydra.job.name must be a name, not a path, got {hydra.job.name}")
    if hydra.job.env_set:
        raise ValueError(
            "hydra.job.env_set must be empty, because a variable can make anything trusted, got "
            f"{', '.join(map(str, hydra.job.env_set))}; set it in the shell"
        )


def _check_search_path(path: Path, config: Any) -> None:
    """Refuse packages among the folders of configs: Hydra imports them while it composes."""
    given = OmegaConf.select(config, "hydra.searchpath") if OmegaConf.is_dict(config) else None
    for place in given or ():
        if "://" in str(place) and not str(place).startswith("file://"):
            raise ValueError(
                f"hydra.searchpath of {path} must name folders, because a package would be "
                f"imported, got {place}; if you trust it, add 'hydra.searchpath=[{place}]' to the "
                "command"
            )


def _check_run_folders(hydra: Any, overrides: Sequence[str]) -> None:
    """Refuse a place for runs that is neither nnlab's own nor of the command line."""
    given = {o.key_or_group for o in OverridesParser.create().parse_overrides(list(overrides))}
    own = yaml.safe_load((config_folder() / "hydra" / "default.yaml").read_text())
    for part, name in (("run", "dir"), ("sweep", "dir"), ("sweep", "subdir")):
        setting = f"hydra.{part}.{name}"
        folder = hydra[part][name] if isinstance(hydra[part], dict) else hydra[part]
        if folder != own[part][name] and not {f"hydra.{part}", setting} & given:
            raise ValueError(
                f"{setting} must be nnlab's own or be given on the command line, got {folder} "
                "from a config file; set output_dir and name instead"
            )


def _settings(where: str, node: Any) -> Iterator[tuple[str, Any]]:
    """Each setting in a node and its value, but those that make folders."""
    names: Iterable[Any] = ()
    if OmegaConf.is_list(node):
        names = range(len(node))
    elif OmegaConf.is_dict(node):
        names = node
    for name in names:
        setting = f"{where}.{name}" if where else str(name)
        if setting in ("hydra.run", "hydra.sweep"):
            continue
        try:
            value = node[name]
        except OmegaConfBaseException:
            value = "what cannot be worked out"
        yield setting, value
        yield from _settings(setting, value)


def _is_hydras(target: Any) -> bool:
    return target in _TARGETS or _PLUGIN.fullmatch(str(target)) is not None


def _check_logging(where: str, node: Any) -> None:
    if isinstance(node, dict):
        for key, value in node.items():
            here = f"{where}.{key}"
            if key in ("()", "class") and value not in _LOGGING:
                require_trusted(here, value, _LOGGING)
            elif key == ".":  # attributes, such as another file's name
                raise ValueError(f"{here} must not be there, got {value}")
            elif key == "filename":
                _check_log_file(here, str(value))
            else:
                _check_logging(here, value)
    elif isinstance(node, list):
        for value in node:
            _check_logging(where, value)
    elif ("${" in str(node) or str(node).startswith("ext://")) and node not in _STREAMS:
        raise ValueError(f"{where} must be written out, got {node}")


def _check_log_file(where: str, name: str) -> None:
    folder, _, rest = name.partition("/")
    rest = rest.replace("${hydra.job.name}", "")
    if folder != "${hydra.runtime.output_dir}" or ".." in rest or "${" in rest:
        raise ValueError(
            f"{where} must be in the run directory, ${{hydra.runtime.output_dir}}/NAME, got {name}"
        )
