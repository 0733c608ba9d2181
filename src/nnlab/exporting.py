"""The verb that exports: the network with its preprocessing as one graph, for other programs."""

import json
import logging
from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig

from nnlab.atomic import replacing
from nnlab.checkpoints import best_checkpoint, read_checkpoint
from nnlab.config import plain_arguments, target_class
from nnlab.data.csv.options import CsvOptions
from nnlab.data.table_rows import TableReader
from nnlab.graph_description import describe, output_name
from nnlab.graphs import SUFFIXES, check_graph, export_graph, random_inputs
from nnlab.models import SupervisedModule
from nnlab.paths import relative
from nnlab.predictor import Predictor
from nnlab.process import set_threads
from nnlab.suggestions import did_you_mean

_log = logging.getLogger(__name__)


def export(
    cfg: DictConfig, run_dir: Path, *, changed: Sequence[str], format: str, output: str
) -> None:
    """Write a run's network as a graph, and beside it a JSON file that tells how to feed it.

    Args:
        cfg: The run's config.
        run_dir: The run directory.
        changed: The settings that are not the run's own.
        format: `onnx`, or `torch_export` for a file that `torch.export.load` opens.
        output: The file to write; empty for `model.onnx` or `model.pt2` in the run directory.

    Raises:
        FileNotFoundError: There is no checkpoint yet.
        ValueError: An argument is none of these, a package is missing, or the graph does not give
            what PyTorch gives; then nothing is written.
        OSError: The output cannot be written.
    """
    path = _place(format, output, run_dir)
    set_threads(cfg.threads)
    checkpoint = read_checkpoint(best_checkpoint(run_dir))
    predictor = Predictor(checkpoint, target_class(cfg.model, SupervisedModule))
    is_table = isinstance(predictor.reader, TableReader)
    written = CsvOptions.of(plain_arguments(cfg.data)) if is_table else CsvOptions()
    graph = export_graph(predictor, format)
    difference, checked_by = check_graph(predictor, graph, format)
    text = json.dumps(describe(predictor, written), indent=2, ensure_ascii=False, allow_nan=False)
    for file, content in ((path, graph), (path.with_suffix(".json"), f"{text}\n".encode())):
        file.parent.mkdir(parents=True, exist_ok=True)
        with replacing(file) as opened:
            opened.write(content)
    _report(predictor, path, format, f"{difference:.1g}", checked_by)


def _place(format: str, output: str, run_dir: Path) -> Path:
    """The file to write, checked before anything is done."""
    if format not in SUFFIXES:
        raise ValueError(
            f"format must be one of {', '.join(SUFFIXES)}, got format={format}"
            f"{did_you_mean(format, SUFFIXES)}"
        )
    suffix = SUFFIXES[format]
    path = Path(output).expanduser() if output else run_dir / f"model{suffix}"
    if path.suffix != suffix:
        raise ValueError(f"output must end in {suffix} with format={format}, got output={output}")
    beside = path.with_suffix(".json")
    if beside.is_file() and b'"nnlab_version"' not in beside.read_bytes():
        raise ValueError(
            f"output must leave {beside} as it is, which is not from an export, but would be "
            f"written over; take another name than output={output}"
        )
    return path


def _report(
    predictor: Predictor, path: Path, format: str, difference: str, checked_by: str
) -> None:
    """Tell where the graph is and how it is used."""
    names = list(random_inputs(predictor, rows=0))
    output, file = output_name(predictor), str(relative(path))
    if format == "onnx":
        given = ", ".join(f'"{name}": {name}' for name in names)
        lines = [
            "import onnxruntime",
            f"session = onnxruntime.InferenceSession({file!r})",
            f"({output},) = session.run(None, {{{given}}})",
        ]
    else:
        given = ", ".join(f"{name}={name}" for name in names)
        lines = [
            "import torch",
            f"graph = torch.export.load({file!r}).module()",
            f"{output} = graph({given})",
        ]
    _log.info("graph    %s", file)
    _log.info("inputs   %s tells how to build them", relative(path.with_suffix(".json")))
    of_what = " of it" if predictor.spec.task == "regression" else ""
    checked = f"from PyTorch's {output} by at most {difference}{of_what} ({checked_by})"
    _log.info("checked  on random rows: %s", checked)
    _log.info("\nTo use it:\n\n    %s", "\n    ".join(lines))
