"""What a person reads of a network that is tested: its metrics, and where it errs."""

import logging
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch import Tensor

from nnlab.environment import differences
from nnlab.models.metrics import predicted_classes
from nnlab.paths import relative
from nnlab.run_directory import read_results
from nnlab.spec import DataSpec
from nnlab.text_table import format_metric, format_table

_log = logging.getLogger(__name__)


def report_evaluation(
    test: dict[str, float], rows: int, run_dir: Path, now: dict[str, Any]
) -> None:
    """Tell test metrics, and whether they are those that the training run wrote down.

    Args:
        test: The metrics.
        rows: How many rows they are of.
        run_dir: The run directory.
        now: The `environment` (`nnlab.environment`) that they were computed in.
    """
    then, path = read_results(run_dir), run_dir / "metrics.json"
    is_other = then is not None and then["test"] != test
    # All digits where they differ, which may be in the last one.
    _report_metrics("test", test, repr if is_other else format_metric)
    if then is None:
        return
    place = f"\nthe {rows:,} test rows of the data"
    if not is_other:
        _log.info("%s; exactly as in %s", place, relative(path))
        return
    reason = (
        "versions, threads and processor are those of training, so data, best.ckpt or that file "
        "changed"
    )
    # Metrics are computed on the CPU, whatever device has trained.
    if others := differences(then, {**now, "device": then["device"]}):
        reason = f"this was computed with {', '.join(others.values())}"
    _log.warning("%s\nwarning: NOT as in %s; %s", place, relative(path), reason)


def report_other_evaluation(metrics: dict[str, float], rows: int, path: Path) -> None:
    """Tell the metrics of another file than the run's own."""
    _report_metrics("value", metrics, format_metric)
    _log.info("\nthe %s rows that have a target; written to %s", f"{rows:,}", relative(path))


def _report_metrics(what: str, metrics: dict[str, float], written: Callable[[float], str]) -> None:
    rows = [[name, written(value)] for name, value in metrics.items()]
    _log.info("%s", format_table(["metric", what], rows))


def report_undefined(spec: DataSpec, metrics: dict[str, float], targets: Tensor) -> None:
    """Tell which metrics these rows do not define, and why."""
    if spec.task == "regression":
        if "r2" not in metrics:
            rows = "1 row" if len(targets) == 1 else f"{len(targets):,} rows of the same target"
            _log.info("r2 is left out: it needs targets that differ, got %s", rows)
    elif "auroc" not in metrics:
        name = " ".join(spec.class_names[int(targets[0])].split())
        rows = "the only row is" if len(targets) == 1 else f"all {len(targets):,} rows are"
        _log.info("auroc is left out: it needs rows of two classes, but %s '%s'", rows, name)


# More classes make a matrix that no one can read.
_MOST_CLASSES_SHOWN = 15


def report_errors(spec: DataSpec, outputs: Tensor, targets: Tensor) -> None:
    """Tell where a network errs: which classes it confuses, or how its residuals are spread.

    Args:
        spec: What was learned.
        outputs: Raw outputs, `(rows, out_features)`.
        targets: `(rows,)`.
    """
    if spec.task == "regression":
        _report_residuals((outputs.squeeze(1).double() - targets.double()) * spec.target_std)
        return
    guessed = predicted_classes(spec, outputs)
    names = spec.class_names
    pairs = Counter(zip(targets.tolist(), guessed.tolist(), strict=True))
    if len(names) <= _MOST_CLASSES_SHOWN:
        rows = [
            [name, *(str(pairs[i, j]) for j in range(len(names))), *_shares_right(pairs, i)]
            for i, name in enumerate(names)
        ]
        _log.info(
            "\nrows of each class (down) by what was predicted (across); precision, recall and f1 "
            "above are means over the classes"
        )
        _log.info("%s", format_table(["", *names, "precision", "recall"], rows))
        return
    wrong = [(pair, count) for pair, count in pairs.most_common() if pair[0] != pair[1]]
    rows = [[names[i], names[j], str(count)] for (i, j), count in wrong[:_MOST_CLASSES_SHOWN]]
    _log.info("\nthe most frequent confusions")
    _log.info("%s", format_table(["class", "predicted", "rows"], rows, left=("class", "predicted")))


def _shares_right(pairs: Counter[tuple[int, int]], index: int) -> list[str]:
    """Precision and recall of a class; empty where they mean nothing."""
    predicted = sum(count for (_, guess), count in pairs.items() if guess == index)
    actual = sum(count for (label, _), count in pairs.items() if label == index)
    return [f"{pairs[index, index] / of:.4f}" if of else "" for of in (predicted, actual)]


def _report_residuals(residuals: Tensor) -> None:
    shares = (0, 0.05, 0.25, 0.5, 0.75, 0.95, 1)
    ordered = residuals.sort().values
    at = [ordered[round(share * (len(ordered) - 1))].item() for share in shares]
    names = ["lowest", "5%", "25%", "median", "75%", "95%", "highest", "mean"]
    values = [f"{value:.6g}" for value in [*at, residuals.mean().item()]]
    _log.info("\nresiduals, predicted less true")
    _log.info("%s", format_table(names, [values]))
