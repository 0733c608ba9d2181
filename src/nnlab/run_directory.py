"""Opening a run directory: its config, with the few changes that leave it the same run."""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf

from nnlab.command_line import as_hydra_reads
from nnlab.config import check_config
from nnlab.suggestions import did_you_mean


def find_run(argument: str, path: str) -> Path:
    """A run directory that a person named.

    Args:
        argument: The name of the argument, for the message.
        path: What was named; `~` is the home folder.

    Raises:
        FileNotFoundError: It is not a run directory.
    """
    run_dir = Path(path).expanduser()
    if (run_dir / ".hydra" / "config.yaml").is_file():
        return run_dir
    inside = sorted(found.parents[1] for found in run_dir.glob("**/.hydra/config.yaml"))
    hint = f"; the last of {len(inside)} in it is {inside[-1]}" if inside else ""
    raise FileNotFoundError(
        f"{argument} must be a run directory, with its config in .hydra/config.yaml, "
        f"got {argument}={path}{hint}"
    )


def load_config(run_dir: Path) -> DictConfig:
    """The settings of a run, as they were saved.

    Raises:
        ValueError: The file does not hold settings.
    """
    path = run_dir / ".hydra" / "config.yaml"
    text = path.read_text()
    # A few lines of aliases of aliases would make gigabytes; nnlab writes none.
    if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text)):
        raise ValueError(f"{path} must hold a run's settings as nnlab writes them, got an alias")
    parsed = yaml.safe_load(text)
    if parsed is None:
        raise ValueError(
            f"{path} is empty: the run was stopped before it had begun; start it again"
        )
    if not isinstance(parsed, dict):
        raise ValueError(f"{path} must hold a run's settings, got {parsed!r}")
    config = cast(DictConfig, OmegaConf.create(text))
    # A run directory may come from elsewhere: nothing in it configures Hydra.
    for key in ("hydra", "defaults"):
        config.pop(key, None)
    return config


def change_config(
    cfg: DictConfig, changes: Sequence[str], *, allowed: Sequence[str], argument: str
) -> None:
    """Apply `setting=value` words to a run's config, and check it.

    Raises:
        ValueError: A setting may not be changed, or a value breaks its rule.
    """
    refuse_others(changes, allowed=allowed, argument=argument)
    for override in OverridesParser.create().parse_overrides(as_hydra_reads(changes)):
        OmegaConf.update(cfg, override.key_or_group, override.value())
    check_config(cfg)


def refuse_others(words: Sequence[str], *, allowed: Sequence[str], argument: str) -> None:
    """Refuse words that would make another run of it.

    Raises:
        ValueError: A word does not begin with an allowed name and `=`.
    """
    for word in words:
        name = word.partition("=")[0]
        if name not in allowed:
            raise ValueError(
                f"with {argument}=RUN_DIR a run keeps its own settings; only "
                f"{', '.join(allowed)} may be given, got {word}{did_you_mean(name, allowed)}"
            )
