"""The verb that tests a checkpoint, at the end of training or later."""

import json
from collections.abc import Iterable, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from nnlab.atomic import replacing
from nnlab.checkpoints import best_checkpoint, read_checkpoint
from nnlab.config import build, target_class
from nnlab.data import ImageDataModule, TabularDataModule
from nnlab.data.module import InMemoryDataModule, Split, in_order
from nnlab.environment import environment
from nnlab.evaluation_report import (
    report_errors,
    report_evaluation,
    report_other_evaluation,
    report_undefined,
)
from nnlab.models import SupervisedModule
from nnlab.process import fast_arithmetic, set_threads
from nnlab.reporting import report_unfinished
from nnlab.run_directory import finished_results
from nnlab.scoring import run_network
from nnlab.suggestions import setting


def evaluate(cfg: DictConfig, run_dir: Path, *, changed: Sequence[str]) -> None:
    """Test a run's best checkpoint again and print the metrics.

    Args:
        cfg: The run's config, with changes.
        run_dir: The run directory.
        changed: The settings that are not the run's own. With `data.path`, or `data.root` of
            images, other data may be meant, all rows of which are tested, or the run's own in
            another place.

    Raises:
        FileNotFoundError: The run has no best checkpoint yet, or its data is gone.
        ValueError: The checkpoint is not one, or does not fit the config.
    """
    set_threads(1)
    checkpoint = read_checkpoint(best_checkpoint(run_dir))
    if "data.root" in changed and "sha256" in cfg.data:  # other files may be meant
        cfg.data.sha256, cfg.data.mirrors = None, []
    data = build(cfg.data, InMemoryDataModule)
    if finished_results(cfg, run_dir) is None:
        report_unfinished(checkpoint["epoch"] + 1, run_dir)
    kind = type(data).__name__
    if kind not in checkpoint:
        raise ValueError(f"{run_dir} must have been trained on {kind}, but its checkpoint was not")
    module = target_class(cfg.model, SupervisedModule).from_checkpoint(checkpoint)
    other = _other_file(data, checkpoint[kind]["preprocessing"], changed)
    if other:
        batches: Iterable[Split] = in_order(other[1])
    else:
        data.load_state_dict(checkpoint[kind])
        batches = data.test_dataloader()
    with fast_arithmetic(cfg.threads, module.multiplications * data.batch_size):  # as in training
        outputs, targets = run_network(module, batches)
        metrics = module.compute_metrics(outputs, targets)
        now = environment("cpu")
    if other:
        path = _save(metrics, len(targets), other[0], run_dir)
        report_other_evaluation(metrics, len(targets), path)
    else:
        report_evaluation(metrics, len(targets), run_dir, now)
    report_undefined(module.spec, metrics, targets)
    report_errors(module.spec, outputs, targets)


def _other_file(
    data: InMemoryDataModule, preprocessing: dict[str, Any], changed: Sequence[str]
) -> tuple[Path, Split] | None:
    """What is named in place of the run's own data, and all its rows; None if it is that."""
    if isinstance(data, ImageDataModule):
        known = preprocessing.get("digest")  # those of the first version have none
        if "data.root" not in changed and known is not None and data.digest() != known:
            raise _changed(data.root, "data.root", "images")
        is_another = "data.root" in changed and not data.is_own(preprocessing)
        return (data.root, data.read_labelled(preprocessing)) if is_another else None
    if not isinstance(data, TabularDataModule):
        return None
    files = {"path": data.path, "val_path": data.val_path, "test_path": data.test_path}
    for name, path in files.items():
        if path and not Path(path).expanduser().is_file() and f"data.{name}" not in changed:
            raise FileNotFoundError(
                f"the run's data must be there, but there is no file {path}; if it has moved, "
                f"name it with data.{name}=FILE"
            )
    if data.digest() != preprocessing["digest"]:
        if "data.path" not in changed:
            raise _changed(data.path)
        return data.path, data.read_labelled(data.path, preprocessing)
    if data.test_path is not None:
        path = Path(data.test_path).expanduser()
        known = preprocessing.get("held_out_digests", {}).get("test")
        is_another = data.held_out_digests()["test"] != known
        if is_another and "data.test_path" in changed:
            return path, data.read_labelled(path, preprocessing)
        if is_another and known is not None:
            raise _changed(path)
    return None


def _changed(path: Path, name: str = "data.path", what: str = "rows") -> ValueError:
    return ValueError(
        f"{path.name} must be as it was in training, but has changed since; with "
        f"{setting(name, str(path))} its {what} are tested as those of another"
    )


def _save(metrics: dict[str, float], rows: int, source: Path, run_dir: Path) -> Path:
    """Write the metrics of another file down beside the run's own."""
    path = _metrics_path(run_dir / "evaluations", source)
    content = {"path": str(source.resolve()), "rows": rows, "test": metrics}
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        file.write(json.dumps(content, indent=2, allow_nan=False).encode() + b"\n")
    return path


def _metrics_path(folder: Path, source: Path) -> Path:
    """Where the metrics of a file go: what is there of another file of its name stays."""
    place = source.resolve()
    # `..` has no name of its own, nor has `/`.
    name = source.name if source.name.strip(".") else place.name or "root"
    paths = (folder / f"{name}{f'_{n}' * (n > 1)}" / "metrics.json" for n in count(1))
    return next(p for p in paths if not p.is_file() or _source_of(p) == str(place))


def _source_of(path: Path) -> str | None:
    """The file that metrics are of; None where they are damaged."""
    try:
        return str(json.loads(path.read_bytes())["path"])
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
