"""What a config may say, value by value."""

import functools
import re
from typing import Any

import yaml
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import InterpolationResolutionError

from nnlab.config.building import resolution_message
from nnlab.config.folders import config_folder
from nnlab.config.interpolations import few_interpolations
from nnlab.config.trust import check_places, check_requests, require_trusted
from nnlab.rules import RULES, check, mode_of
from nnlab.suggestions import did_you_mean, setting

# Parts that a run cannot be without.
_PARTS = ("data", "model", "optimizer", "scheduler", "trainer")
# Parts whose options stand beside each other, each by a name that a person may choose.
_NAMED = ("callbacks", "logger")
# Parts that may be a class of anybody's; that of another's `data` or `model` derives from nnlab's.
_MAY_BE_OTHERS = ("optimizer", "scheduler", *_NAMED)


def check_config(cfg: DictConfig) -> None:
    """Check what can be checked of a config without loading torch.

    Raises:
        ValueError: A value is missing, breaks its rule, or cannot be worked out, or a `_target_`
            is not of a trusted package.
    """
    try:
        with few_interpolations():
            plain = OmegaConf.to_container(cfg, resolve=True)
            missing = sorted(OmegaConf.missing_keys(cfg))
    except InterpolationResolutionError as error:
        raise ValueError(
            f"{error.full_key} cannot be worked out: {resolution_message(error)}"
        ) from error
    if missing:
        example = " ".join(f"{key}=VALUE" for key in missing)
        raise ValueError(f"{' and '.join(missing)} must be given: add {example} to the command")
    if isinstance(plain, dict):
        _check_parts(plain)
        _check_node("", plain, has_own_metrics=_is_anothers(plain.get("model")))
        check_requests(OmegaConf.to_container(cfg), plain)
        for group in ("callbacks", "logger", "trainer"):
            check_places(group, plain.get(group))
        _check_fold(plain.get("data"))
        _check_momentum(plain.get("optimizer", {}))
        _check_time(plain.get("trainer", {}).get("max_time"))
        _check_modes(plain)
    _check_names(cfg)


def _check_parts(plain: dict[Any, Any]) -> None:
    """Refuse a part that is a word, as by a file that swaps it in the wrong place."""
    for name in (*_PARTS, *_NAMED):
        part = plain.get(name, {})
        if isinstance(part, dict) or (part is None and name in _NAMED):
            continue
        way_out = ""
        if isinstance(part, str) and re.match(r"[a-z_0-9]+:\S", part):
            way_out = "; in a file a blank must follow the colon behind a setting's name"
        elif isinstance(part, str) and (config_folder() / name / f"{part}.yaml").is_file():
            way_out = (
                f"; in a file it is swapped below 'defaults:' by '- override /{name}: {part}', on "
                f"the command line by {name}={part}"
            )
        elif name in _NAMED:
            way_out = f"; leave one of them out with {name}.NAME=null"
        shown = "null" if part is None else part
        raise ValueError(f"{name} must be a part with its settings, got {name}: {shown}{way_out}")


def _check_fold(data: Any) -> None:
    """Refuse a fold that is not there before the first job of a sweep begins."""
    data = data if isinstance(data, dict) else {}
    fold, folds = data.get("fold"), data.get("folds")
    if isinstance(fold, int) and isinstance(folds, int) and fold >= folds:
        raise ValueError(
            f"data.fold must be a whole number in [0, {folds}), as there are data.folds={folds}, "
            f"got data.fold={fold}"
        )


def _check_momentum(optimizer: dict[Any, Any]) -> None:
    """Refuse Nesterov momentum without momentum; torch does so only when the data is read."""
    if optimizer.get("nesterov") and optimizer.get("momentum") == 0:
        raise ValueError(
            "optimizer.nesterov must be false where optimizer.momentum=0, got "
            "optimizer.nesterov=true; set optimizer.nesterov=false"
        )


def _check_time(max_time: Any) -> None:
    """Refuse a time in no unit."""
    if isinstance(max_time, (int, float)):
        raise ValueError(
            "trainer.max_time must be days, hours, minutes and seconds such as 00:12:00:00, in a "
            f"file with quotes around it, got trainer.max_time={max_time}"
        )


def _check_names(cfg: DictConfig) -> None:
    """Refuse what nothing reads: a misspelt part, or a file whose settings went astray."""
    known = yaml.safe_load((config_folder() / "train.yaml").read_text())
    options = [option for option in known.pop("defaults") if isinstance(option, dict)]
    no_settings = ("experiment", "hydra")  # the one sets others, the other is not of the run
    parts = [name for option in options for name in option if name not in no_settings]
    settings = [*parts, *known]
    written = OmegaConf.to_yaml(cfg)
    for name in map(str, cfg):
        # A value of one's own may stand for several settings.
        if name in settings or re.search(rf"\$\{{{re.escape(name)}[.}}[]", written):
            continue
        if name == "experiment":
            raise ValueError(
                "an experiment's file must begin with the line '# @package _global_', or what it "
                f"sets is not where settings are, got {', '.join(map(str, cfg.experiment))} in it; "
                "see configs/experiment"
            )
        raise ValueError(
            f"{name} must be a setting, or stand for the value of one as ${{{name}}}"
            f"{did_you_mean(name, settings)} ({', '.join(settings)})"
        )


def _check_modes(plain: dict[Any, Any]) -> None:
    """Refuse a `mode` that is missing, or other than is known of the metric."""
    if plain.get("monitor", "") is None:
        raise ValueError(
            "monitor must be a metric such as val/loss, which chooses the best epoch, got "
            "monitor=null; callbacks.early_stopping=null trains all epochs"
        )
    nodes = {"": plain}
    nodes |= {f"callbacks.{name}.": node for name, node in (plain.get("callbacks") or {}).items()}
    for path, node in nodes.items():
        if not node or _is_anothers(node) or node.get("monitor") is None:
            continue
        monitor, mode = node["monitor"], node.get("mode")
        known = mode_of(monitor)
        if known is None and mode is None:
            raise ValueError(
                f"{path}mode must be min or max, as {path}monitor={monitor} is no metric of "
                f"nnlab's, got {path}mode=null; add {path}mode=max if its highest value is the best"
            )
        if known is not None and mode not in (None, known):
            raise ValueError(
                f"{path}mode must be {known} where {path}monitor={monitor}, got {path}mode={mode}; "
                "leave it out"
            )


@functools.cache
def _known_targets() -> frozenset[str]:
    """The classes that the configs of nnlab name."""
    texts = (path.read_text() for path in config_folder().rglob("*.yaml"))
    return frozenset(
        target for text in texts for target in re.findall(r"^ *_target_: (\S+)", text, re.MULTILINE)
    )


def _is_anothers(node: Any) -> bool:
    """Whether what a config describes is no class of nnlab's."""
    target = node.get("_target_", "nnlab.") if isinstance(node, dict) else "nnlab."
    return not str(target).startswith("nnlab.")


def _check_node(path: str, node: Any, *, has_own_metrics: bool, keeps_rules: bool = True) -> None:
    if not isinstance(node, dict):
        return
    if path.partition(".")[0] in _MAY_BE_OTHERS and "_target_" in node:
        # To another's optimizer `eps` may be another thing, also in what is nested in it.
        target = str(node["_target_"])
        keeps_rules = target.startswith("nnlab.") or target in _known_targets()
    # Plain values first: `seed` itself before the settings that take its value.
    for key, value in sorted(node.items(), key=lambda item: isinstance(item[1], dict)):
        where = f"{path}.{key}" if path else str(key)
        if key == "_target_":
            require_trusted(where, value)
            continue
        if path in _NAMED and isinstance(value, dict):  # by a name that is no setting's
            _check_node(where, value, has_own_metrics=has_own_metrics)
            continue
        if path in _NAMED and value is not None:
            raise ValueError(
                f"{where} must be null, to leave it out, or a _target_ with its settings, got "
                f"{where}={value}; write {where}=null"
            )
        if key in ("monitor", "mode") and (_is_anothers(node) or "monitor" not in node):
            continue  # what is another's may watch, and mean by `mode`, what it likes
        if key == "monitor" and has_own_metrics and isinstance(value, str):
            continue
        # But a rate is a rate; some find their own.
        is_rate = where == "optimizer.lr" and value is not None
        if not keeps_rules and not is_rate:
            _check_node(where, value, has_own_metrics=has_own_metrics, keeps_rules=False)
            continue
        try:
            check(**{str(key): value})
        except ValueError as error:
            # The rule knows the setting's name; the person typed the whole path.
            message = str(error).replace(f" {key}=", f" {where}=")
            raise ValueError(message + _as_meant(where, str(key), value)) from None
        if key not in RULES:  # whose values are no settings: a column may have any name
            _check_node(where, value, has_own_metrics=has_own_metrics)


def _as_meant(where: str, key: str, value: Any) -> str:
    """How to write a list of one, or numbers that are meant as text.

    A shell takes quotes away, Hydra needs them.
    """
    if isinstance(value, str | int | float) and RULES[key].allows([value]):
        listed = setting(where, [value]) if isinstance(value, str) else f"'{where}=[{value}]'"
        return f"; write {listed}"
    given = value if isinstance(value, list) else [value]
    texts = [str(item) for item in given]
    meant = texts if isinstance(value, list) else texts[0]
    if any(item is None for item in given) or not RULES[key].allows(meant):
        return ""
    return f"; write {setting(where, meant)}"
