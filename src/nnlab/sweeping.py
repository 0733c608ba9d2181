"""Sweeps: the configs that are looked at before the first job, and the table after the last."""

import contextlib
import json
import logging
import math
import re
import statistics
from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any, cast

import hydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, ValueType
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf

from nnlab.config import config_folder
from nnlab.config.command_line import is_setting
from nnlab.config.composing import checked_composition
from nnlab.paths import relative
from nnlab.rules import METRICS, mode_of
from nnlab.run_directory import load_config, read_results
from nnlab.text_table import format_metric, format_table

_log = logging.getLogger(__name__)

# It takes a twentieth of a second to compose one.
_MOST_CONFIGS = 40
# What the loss is measured by, and on what any metric is.
_OF_THE_LOSS = ("model.loss", "model.label_smoothing", "model.class_weights")
_OF_THE_DATA = ("data._target_", "data.path", "data.root", "data.target", "data.val_path")
# In the name of a job's folder.
_OF_FOLDS = re.compile(r"(?:^|_)folds?-\d+(?=_|$)")
_OF_SEEDS = re.compile(r"(?:^|_)seed-\d+(?=_|$)")

_Job = tuple[str, dict[str, Any]]  # its folder's name, and its result


def configs_of_sweep(words: Sequence[str], config_dirs: Sequence[Path]) -> Iterator[DictConfig]:
    """Few jobs' configs in which each value of a sweep occurs, as far as the first 40 hold them.

    What only Hydra's sweeper can tell, such as the options that a `glob` finds, is left out.

    Args:
        words: The command line, with names and texts spelled as Hydra's grammar wants them.
        config_dirs: Folders of a person's own configs.

    Raises:
        HydraException: One cannot be composed.
        ValueError: One has Hydra do what is not trusted.
    """
    overrides = OverridesParser.create().parse_overrides(list(filter(is_setting, words)))
    settings = [list(_values(override)) for override in overrides]
    folders = ",".join(f"file://{folder.absolute()}" for folder in config_dirs)
    searched = [f"hydra.searchpath=[{folders}]"] if config_dirs else []
    with (
        hydra.initialize_config_dir(str(config_folder()), version_base="1.3"),
        checked_composition(),
    ):
        for index in range(min(max(map(len, settings), default=0), _MOST_CONFIGS)):
            job = [values[min(index, len(values) - 1)] for values in settings if values]
            yield hydra.compose("train", [*searched, *job])


def _values(override: Override) -> Iterator[str]:
    """A setting once for each of its values."""
    if not override.is_sweep_override():
        yield str(override.input_line)
    elif override.is_discrete_sweep() and override.value_type != ValueType.GLOB_CHOICE_SWEEP:
        for value in override.sweep_string_iterator():
            yield f"{override.get_key_element()}={value}"


class SweepTable(Callback):
    """A Hydra callback that prints a table of all jobs of a multirun, best first."""

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Read the jobs' run directories and print the table."""
        sweep_dir = Path(config.hydra.sweep.dir)
        _log.info("\n%s\n\nsweep directory  %s", sweep_table(sweep_dir), relative(sweep_dir))


def best_job(sweep_dir: Path) -> Path | None:
    """The run directory of the table's first place; None where no job has a result."""
    jobs, _ = _read_jobs(sweep_dir)
    return sweep_dir / _best_first(jobs)[0][0] if jobs else None


def _read_jobs(sweep_dir: Path) -> tuple[list[_Job], list[str]]:
    """The runs in a folder that have a result, and the names of those that have none."""
    jobs: list[_Job] = []
    failed: list[str] = []
    for config in sorted(sweep_dir.glob("*/.hydra/config.yaml")):
        run_dir = config.parents[1]
        if (found := read_results(run_dir)) is not None:
            jobs.append((run_dir.name, found))
        else:
            failed.append(run_dir.name)
    return jobs, failed


def _best_first(jobs: Sequence[_Job]) -> list[_Job]:
    monitor = jobs[0][1]["monitor"]
    mode = mode_of(monitor, jobs[0][1].get("mode"))

    def badness(job: _Job) -> float:
        value = _metric(job[1], monitor)
        if value is None:
            return math.inf
        return -value if mode == "max" else value

    return sorted(jobs, key=badness)


def sweep_table(sweep_dir: Path) -> str:
    """The runs in a folder, the best first, those without a result last."""
    jobs, failed = _read_jobs(sweep_dir)
    if not jobs:
        return f"none of the {len(failed)} jobs has a result"
    monitor = jobs[0][1]["monitor"]
    headlines = dict.fromkeys(names[0] for names in METRICS.values())
    shown = [name for name in headlines if any(name in result["test"] for _, result in jobs)]
    metrics = dict.fromkeys(
        [monitor, *(f"{split}/{name}" for split in ("val", "test") for name in shown)]
    )
    rows = []
    for place, (name, result) in enumerate(_best_first(jobs), start=1):
        values = (_metric(result, metric) for metric in metrics)
        cells = ["" if value is None else format_metric(value) for value in values]
        rows.append([str(place), name, *cells, str(result["best_epoch"])])
    rows += [["", name, "no result", *[""] * len(metrics)] for name in failed]
    configs = _configs(sweep_dir, jobs)
    for name, results in _repetitions(configs, jobs):
        of_folds = ([_metric(result, metric) for result in results] for metric in metrics)
        rows.append(["", name, *map(_mean_and_deviation, of_folds), ""])
    table = format_table(["", "job", *metrics, "best epoch"], rows)
    if _differing(configs, _OF_THE_DATA):
        return f"{table}\n\nthese jobs are of different data, so that their order says little"
    differing = _differing(configs, _OF_THE_LOSS) if monitor == "val/loss" else []
    if not differing:
        return table
    way_out = f"; to go by another add monitor=val/{shown[0]}" if shown else ""
    return (
        f"{table}\n\nval/loss is another measure in jobs of another {' or '.join(differing)}, so "
        f"the order says little{way_out}"
    )


def _configs(sweep_dir: Path, jobs: Sequence[_Job]) -> dict[str, dict[Any, Any]]:
    """The configs of jobs by their names, as they are written; not those from elsewhere."""
    configs = {}
    for name, _ in jobs:
        with contextlib.suppress(ValueError):
            configs[name] = cast(
                dict[Any, Any], OmegaConf.to_container(load_config(sweep_dir / name))
            )
    return configs


def _differing(configs: Mapping[str, dict[Any, Any]], settings: Sequence[str]) -> list[str]:
    """Those of some settings, each of a part, in which configs that have the part differ."""
    differing = []
    for setting in settings:
        group, _, key = setting.partition(".")
        parts = (config.get(group) for config in configs.values())
        if len({str(part.get(key)) for part in parts if isinstance(part, dict)}) > 1:
            differing.append(setting)
    return differing


def _repetitions(
    configs: Mapping[str, dict[Any, Any]], jobs: Sequence[_Job]
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """What to call jobs that differ in nothing but the fold or the seed, and their results.

    Of a cross-validation all folds must have one.
    """
    # By what else a config says, and by the fold or the seed.
    folds: dict[str, dict[str, _Job]] = {}
    seeds: dict[str, dict[str, _Job]] = {}
    for job in jobs:
        if job[0] not in configs:
            continue
        config = deepcopy(configs[job[0]])
        seed = json.dumps(config.pop("seed", None))
        seeds.setdefault(json.dumps(config), {})[seed] = job
        data = config.get("data")
        if isinstance(data, dict) and data.get("folds"):
            fold = json.dumps(data.pop("fold", None))
            folds.setdefault(json.dumps([config, seed]), {})[fold] = job
    of_folds: set[str] = set()
    for others, members in folds.items():
        if len(members) == json.loads(others)[0]["data"]["folds"]:
            of_folds |= {name for name, _ in members.values()}
            yield _mean_of(members.values(), "folds", _OF_FOLDS)
    for members in seeds.values():
        if len(members) > 1 and not of_folds & {name for name, _ in members.values()}:
            yield _mean_of(members.values(), "seeds", _OF_SEEDS)


def _mean_of(
    jobs: Collection[_Job], what: str, in_name: re.Pattern[str]
) -> tuple[str, list[dict[str, Any]]]:
    """What to call some jobs, by what else is in a name of theirs, and their results."""
    names, results = zip(*jobs, strict=True)
    others = in_name.sub("", names[0].partition("_")[2]).strip("_")
    return f"mean of {len(names)} {what}" + f", {others}" * bool(others), [*results]


def _mean_and_deviation(values: Sequence[float | None]) -> str:
    """Of some values, and by how much one differs from another (sample deviation)."""
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return ""
    mean, deviation = statistics.mean(known), statistics.stdev(known)
    shown = format_metric(mean)
    # With as many decimals; of a small mean a few digits.
    return f"{shown} ± {deviation:.4f}" if f"{mean:.4f}" == shown else f"{shown} ± {deviation:.2g}"


def _metric(result: dict[str, Any], name: str) -> float | None:
    split, _, metric = name.partition("/")
    value: float | None = result[split].get(metric)
    return value
