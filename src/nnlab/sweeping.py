"""What a person reads at the end of a sweep."""

import json
import logging
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from nnlab.reporting import format_table, relative
from nnlab.rules import METRICS, mode_of

_log = logging.getLogger(__name__)


class SweepTable(Callback):
    """A Hydra callback that prints a table of all jobs of a multirun, best first."""

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Read the jobs' run directories and print the table."""
        sweep_dir = Path(config.hydra.sweep.dir)
        _log.info("\n%s\n\nsweep directory  %s", sweep_table(sweep_dir), relative(sweep_dir))


def sweep_table(sweep_dir: Path) -> str:
    """The runs in a folder, the best first, those without a result last."""
    jobs: list[tuple[str, dict[str, Any]]] = []
    failed: list[str] = []
    for run_dir in (config.parent.parent for config in sweep_dir.glob("*/.hydra/config.yaml")):
        metrics = run_dir / "metrics.json"
        if metrics.is_file():
            jobs.append((run_dir.name, json.loads(metrics.read_text())))
        else:
            failed.append(run_dir.name)
    if not jobs:
        return f"none of the {len(failed)} jobs has a result"
    monitor = jobs[0][1]["monitor"]
    chosen_by = monitor.removeprefix("val/")
    jobs.sort(key=lambda job: job[1]["val"][chosen_by], reverse=mode_of(monitor) == "max")
    shown = next(names[0] for names in METRICS.values() if names[0] in jobs[0][1]["test"])
    header = ["", "job", monitor, *({f"val/{shown}"} - {monitor}), f"test/{shown}", "best epoch"]
    rows = [
        [
            str(place),
            name,
            *(f"{result['val'][metric.removeprefix('val/')]:.4f}" for metric in header[2:-2]),
            f"{result['test'][shown]:.4f}",
            str(result["best_epoch"]),
        ]
        for place, (name, result) in enumerate(jobs, start=1)
    ]
    rows += [["", name, "no result", *[""] * (len(header) - 3)] for name in sorted(failed)]
    return format_table(header, rows)
