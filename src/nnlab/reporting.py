"""What a person reads while and after a run."""

import logging
import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnlab.paths import relative
from nnlab.suggestions import command, few
from nnlab.text_table import format_metric, format_table

if TYPE_CHECKING:  # these load torch, and how a sweep goes on is told without it
    from nnlab.data.module import InMemoryDataModule
    from nnlab.models import SupervisedModule

_log = logging.getLogger(__name__)


def report_start(module: "SupervisedModule", data: "InMemoryDataModule") -> None:
    """Tell what is about to be trained on what."""
    spec, loaded = data.spec, data.loaded
    if loaded.column_table:
        _log.info("%s\n", _format_columns(loaded.column_table))
    for warning in [*loaded.warnings, *_warn_of_model(module, len(loaded.train[0]))]:
        _log.warning("warning: %s\n", warning)
    rows = ", ".join(
        f"{len(split[0]):,} {name}"
        for name, split in (
            ("training", loaded.train),
            ("validation", loaded.val),
            ("test", loaded.test),
        )
    )
    classes = f" of {len(spec.class_names)} classes" if spec.class_names else ""
    inputs = "1 input" if spec.in_features == 1 else f"{spec.in_features:,} inputs"
    _log.info("data   %s rows%s, %s", rows, classes, inputs)
    parameters = sum(weights.numel() for weights in module.parameters())
    sizes = "-".join(map(str, module.layer_sizes))
    _log.info("model  %s units, %s parameters", sizes, f"{parameters:,}")
    if weights := _weights_of_classes(module):
        counted = [f"'{' '.join(name.split())}' {weight:.4g}" for name, weight in weights.items()]
        _log.info("class weights  %s", few(counted))


def _weights_of_classes(module: "SupervisedModule") -> dict[str, float]:
    """What a row of each class counts; nothing where all count the same."""
    weights = module.objective.class_weights
    if weights is None:
        return {}
    # Data of one's own may name no classes.
    return dict(zip(module.spec.class_names, weights.tolist(), strict=False))


# A class that counts so many times as much as it has rows is said to.
_FAR_MORE = 2


def _warn_of_model(module: "SupervisedModule", rows: int) -> Iterator[str]:
    """What a person should know of a network that is about to learn from so many rows."""
    spec, smoothing = module.spec, module.objective.label_smoothing
    if spec.in_features > rows and len(spec.input_shape) == 1:  # pixels are many, but alike
        yield (
            f"there are more inputs ({spec.in_features:,}) than training rows ({rows:,}), from "
            "which a network learns little; leave columns out that say nothing with data.drop, or "
            "give more rows"
        )
    # Data of one's own may not count its classes.
    counts = {name: n for name, n in zip(spec.class_names, spec.class_counts, strict=False) if n}
    if not counts:
        return
    rarest = min(counts, key=lambda name: counts[name])
    share, least = counts[rarest] / sum(counts.values()), smoothing / len(spec.class_names)
    if weights := _weights_of_classes(module):
        raised = max(counts, key=lambda name: weights[name])
        its_share = counts[raised] / sum(counts.values())
        counted = counts[raised] * weights[raised] / sum(n * weights[c] for c, n in counts.items())
        if counted > _FAR_MORE * its_share:
            yield (
                f"class '{raised}' is {its_share:.2g} of the training rows, but "
                f"model.class_weights lets it count as {counted:.2g} of them, and its probability "
                "will be as high; leave the weights out if probabilities matter, not only which "
                "one is the highest"
            )
    if share < least:
        yield (
            f"class '{rarest}' is {share:.2g} of the training rows, but model.label_smoothing="
            f"{smoothing:g} draws its probability up to {least:.2g} and more; set "
            "model.label_smoothing=0 if probabilities matter, not only which one is the highest"
        )


# Of a wide table a person reads the beginning, and what is left out.
_MOST_COLUMNS_SHOWN, _MOST_LEFT_OUT_SHOWN = 80, 40


def _format_columns(column_table: list[list[str]]) -> str:
    shown, rest = column_table[:_MOST_COLUMNS_SHOWN], column_table[_MOST_COLUMNS_SHOWN:]
    # What is left out says why, so that is not left out here.
    left_out = [row for row in rest if row[1] == "left out"][:_MOST_LEFT_OUT_SHOWN]
    shown += [["...", "", "", "", ""], *left_out] if left_out else []
    text = format_table(
        ["column", "kind", "missing", "distinct", "becomes"],
        shown,
        left=("column", "kind", "becomes"),
    )
    kinds = Counter(kind for _, kind, *_ in rest)
    kinds["left out"] -= len(left_out)
    more = ", ".join(f"{count:,} {kind}" for kind, count in kinds.items() if count)
    return f"{text}\nand {kinds.total():,} more: {more}" if more else text


def report_ended(epochs: int) -> None:
    """Tell why a run that goes on trains no further."""
    _log.info(
        "\nno epoch is added: the run ended after %d, as its last ones brought no better value "
        "(callbacks.early_stopping)",
        epochs,
    )


def report_finished_before(epochs: int) -> None:
    """Tell that the results which follow are those of a run that had nothing left to do."""
    _log.info(
        "nothing is trained: the run had finished already, with epoch %d; its results:", epochs
    )


# So near to what chance gives, a metric says nothing.
_NEAR_CHANCE = 0.1


def report_finished(results: dict[str, Any], run_dir: Path) -> None:
    """Tell a run's metrics, its directory and how to look at it."""
    splits = ("val", "test")
    table = format_table(
        ["metric", "validation", "test"],
        [
            [name, *(format_metric(results[s][name]) if name in results[s] else "" for s in splits)]
            for name in results["test"]
        ],
    )
    shown = relative(run_dir)
    _log.info("\n%s\n", table)
    if "f1" in results["test"]:
        means = "precision, recall and f1 are means over the classes"
        _log.info("%s; evaluate shows those of each\n", means)
    is_one_class = results.get("test_classes_predicted") == 1  # not in those of early versions
    if is_one_class and results["test"].get("accuracy", 1) < 1:
        _log.warning(
            "warning: every test row is predicted to be of one class; %s\n",
            _way_out_of_one_class(results["test"]),
        )
    if results["test"].get("r2", 0) < 0:
        _log.warning(
            "warning: r2 of the test rows is below 0, so their mean would predict them better; "
            "train for longer, or try another optimizer.lr\n"
        )
    _log.info("best epoch     %d of %d", results["best_epoch"], results["epochs"])
    if "stopped_early_after" in results:
        _log.info("stopped early  no better epoch in %s", results["stopped_early_after"])
    if "stopped_early_after_validations" in results:
        count = results["stopped_early_after_validations"]
        _log.info("stopped early  no better validation in %s", count)
    if "time_s" in results:  # not in those of the first version
        _log.info("time           %s", _time_line(results["time_s"]))
    _log.info("run directory  %s", shown)
    if any(run_dir.glob("events.out.tfevents.*")):  # with a logger
        _log.info("its curves     tensorboard --logdir %s", shlex.quote(str(shown)))


def _way_out_of_one_class(metrics: dict[str, float]) -> str:
    """What may help a network that predicts one class alone."""
    # Macro recall is then one in so many classes.
    is_frequent = metrics["accuracy"] > metrics.get("recall", 1) + _NEAR_CHANCE
    tells_apart = abs(metrics.get("auroc", 0.5) - 0.5) > _NEAR_CHANCE
    if is_frequent or tells_apart:
        return "if the others matter, try model.class_weights=balanced, or train for longer"
    return (
        "the network has learned nothing: try a lower or higher optimizer.lr, more epochs, fewer "
        "hidden layers, or model.batch_norm=true"
    )


def _time_line(seconds: dict[str, float]) -> str:
    """What a run's time went to, as far as it shows in tenths of a second."""
    spent = [f"{name.replace('_', '-')} {s:.1f}" for name, s in seconds.items() if s >= 0.05]
    return f"{sum(seconds.values()):.1f} s: {', '.join(spent)}"


def report_interrupted(epochs: int, run_dir: Path, other_length: str | None = None) -> None:
    """Tell how to go on with a run that a person has stopped.

    Args:
        epochs: How many are saved.
        run_dir: The run directory.
        other_length: The setting by which it cannot go on; None if it can.
    """
    if epochs == 0:
        of_job = " of this job" if (run_dir.parent / "multirun.yaml").is_file() else ""
        _log.info("\nstopped before the first epoch was over: nothing was saved%s", of_job)
        return
    saved = "1 epoch is" if epochs == 1 else f"{epochs} epochs are"
    _log.info("\nstopped; %s saved", saved)
    if other_length:
        _log.info(
            "with %s the run cannot go on, but its best epoch so far can be used: run=%s",
            other_length,
            shlex.quote(str(relative(run_dir))),
        )
        return
    report_go_on(run_dir)


def report_go_on(run_dir: Path) -> None:
    """Tell how to go on with a run."""
    _log.info("to go on:")
    _log.info(_resuming(run_dir))


def report_interrupted_sweep(sweep_dir: Path, more: Sequence[str]) -> None:
    """Tell how to go on with a sweep that a person has stopped.

    Args:
        sweep_dir: Its folder.
        more: What the command needs beside it.
    """
    _log.info("the sweep goes on, with the jobs that remain, by:")
    _log.info(_resuming(sweep_dir, more))


def _resuming(folder: Path, more: Sequence[str] = ()) -> str:
    return f"{command('train')} {shlex.join([*more, f'resume={relative(folder)}'])}"


def report_unfinished(best_epoch: int, run_dir: Path) -> None:
    """Tell that a run which is tested has not come to its end, and how it does."""
    _log.warning(
        "warning: the run is not finished; its best epoch so far, %d, is tested; to go on:\n%s\n",
        best_epoch,
        _resuming(run_dir),
    )
