"""The verb that exports: the network with its preprocessing as one graph, for other programs."""

import contextlib
import io
import json
import logging
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import torch
from omegaconf import DictConfig
from torch import Tensor, nn

from nnlab import __version__
from nnlab.checkpoints import read_checkpoint
from nnlab.config import plain_arguments, target_class
from nnlab.data.columns import MISSING, OTHER, CategoricalColumn, Column, NumericColumn
from nnlab.data.csv.options import CsvOptions, missing_values
from nnlab.data.kinds import _FALSE, _TRUE
from nnlab.data.rows import ImageReader, TableReader
from nnlab.models import SupervisedModule
from nnlab.predictor import Predictor
from nnlab.process import set_threads
from nnlab.reporting import relative
from nnlab.rules import did_you_mean

_log = logging.getLogger(__name__)

_SUFFIXES = {"onnx": ".onnx", "torch_export": ".pt2"}
# How far the graph may be from PyTorch: of probabilities, or of a number as a share of it.
_TOLERANCE = 1e-5
_CHECKED_ROWS = 64

_HOW_NUMBERS = (
    "A number as it is, NaN where missing; infinite ones are not allowed. A date is its seconds "
    "since 1970-01-01 00:00 UTC, or since midnight where its format has no date; a duration is "
    "its seconds. Formats are those of strftime; %.f is a fraction of a second with its point, or "
    "nothing; a date without a time zone is taken as UTC."
)
_HOW_CODES = (
    "A category becomes its number in 'codes', one that is not there the code of 'other', a "
    "missing cell that of 'missing'. Written as text, the cell must be the same text, capitals "
    "and spaces included; as number, it must be the same number, however it is written: 1, 1.0 "
    "and 01 are one category; as boolean, spaces around it and capitals do not count, and it is "
    "one of 'boolean_spellings'."
)
_HOW_PIXELS = "Brightness from 0 to 255, row by row from the top left, as it was in training."
_HOW_CLASSES = (
    "A probability for each of class_names, in their order; the prediction is the most likely."
)
_HOW_REGRESSION = "The prediction in the target's own unit."

Inputs = dict[str, Tensor]


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
    checkpoint = read_checkpoint(run_dir / "checkpoints" / "best.ckpt")
    predictor = Predictor(checkpoint, target_class(cfg.model, SupervisedModule))
    arguments = plain_arguments(cfg.data)
    written = CsvOptions(null_values=arguments.get("null_values"), decimal=arguments.get("decimal"))
    graph = export_graph(predictor, format)
    difference, checked_by = check_graph(predictor, graph, format)
    _write(path, graph)
    text = json.dumps(describe(predictor, written), indent=2, ensure_ascii=False, allow_nan=False)
    _write(path.with_suffix(".json"), f"{text}\n".encode())
    _report(predictor, path, format, f"{difference:.1g} ({checked_by})")


def export_graph(predictor: Predictor, format: str) -> bytes:
    """A trained network with its preprocessing as the content of a file.

    The graph takes the inputs that `describe` lists, by name, with any number of rows from one on.

    Args:
        predictor: The network.
        format: `onnx` or `torch_export`.

    Raises:
        ValueError: A package is missing that writes ONNX.
    """
    if format == "onnx":
        _require_onnx()
    # With fewer rows than two torch would take their number for a constant.
    inputs = random_inputs(predictor, rows=_CHECKED_ROWS)
    rows = {0: torch.export.Dim("rows", min=0)}
    with _quiet():
        program = torch.export.export(
            _Graph(predictor).eval(),
            (),
            inputs,
            dynamic_shapes=dict.fromkeys(inputs, rows),
        )
        return _to_onnx(program, predictor) if format == "onnx" else _to_pt2(program)


class _Graph(nn.Module):
    """A predictor whose inputs have names; those that would be without columns are left out."""

    def __init__(self, predictor: Predictor) -> None:
        super().__init__()
        self.predictor = predictor

    def forward(
        self,
        numbers: Tensor | None = None,
        codes: Tensor | None = None,
        pixels: Tensor | None = None,
    ) -> Tensor:
        return cast(Tensor, self.predictor(*_arguments(numbers, codes, pixels)))


def _arguments(
    numbers: Tensor | None = None, codes: Tensor | None = None, pixels: Tensor | None = None
) -> tuple[Tensor, ...]:
    """What a predictor takes: of a table both inputs, one of which may be without columns."""
    if codes is None and numbers is not None:
        codes = numbers.new_zeros((numbers.shape[0], 0), dtype=torch.int64)
    elif numbers is None and codes is not None:
        numbers = codes.new_zeros((codes.shape[0], 0), dtype=torch.float64)
    return tuple(tensor for tensor in (numbers, codes, pixels) if tensor is not None)


def _to_onnx(program: torch.export.ExportedProgram, predictor: Predictor) -> bytes:
    inputs = program.graph_signature.user_inputs
    exported = torch.onnx.export(
        program,
        dynamo=True,
        verbose=False,
        output_names=[_output_name(predictor)],
        dynamic_shapes={name: {0: "rows"} for name in inputs},
    )
    graph = cast(Any, exported)
    for node in graph.model.graph:
        # Where in this computer's folders torch was: a third of the file, and nobody's business.
        node.metadata_props.clear()
    return cast(bytes, graph.model_proto.SerializeToString())


def _to_pt2(program: torch.export.ExportedProgram) -> bytes:
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # for the same reason as in ONNX
    file = io.BytesIO()
    torch.export.save(program, file)
    return file.getvalue()


def check_graph(predictor: Predictor, graph: bytes, format: str) -> tuple[float, str]:
    """Compare an exported graph with PyTorch on random rows, and on one.

    Args:
        predictor: What was exported.
        graph: What `export_graph` gave.
        format: The same as there.

    Returns:
        The largest difference, of probabilities or as a share of a predicted number, and what
        ran the graph.

    Raises:
        ValueError: They differ by more than rounding.
    """
    run, name = _open_onnx(graph) if format == "onnx" else _open_pt2(graph)
    largest = 0.0
    for rows in (_CHECKED_ROWS, 1):
        inputs = random_inputs(predictor, rows=rows)
        with torch.inference_mode():
            outputs = predictor.network(predictor.encoder(*_arguments(**inputs)))
            expected = predictor(*_arguments(**inputs))
        difference = _difference(predictor, run(inputs), expected)
        # The larger the raw outputs, the more coarsely float32 rounds them, in PyTorch as well.
        size = max(1.0, float(outputs.abs().max()) / 10)
        if not difference <= _TOLERANCE * size:  # NaN is not, either
            raise ValueError(
                f"the exported graph must give what PyTorch gives, but differs by {difference:.1g} "
                f"on {rows} random rows in {name}; nothing was written. The other format may do: "
                f"format={' or '.join(other for other in _SUFFIXES if other != format)}"
            )
        largest = max(largest, difference)
    return largest, name


def _difference(predictor: Predictor, given: Tensor, expected: Tensor) -> float:
    if given.shape != expected.shape or given.dtype != expected.dtype:
        return float("inf")
    distance = (given - expected).abs()
    if predictor.spec.task == "regression":
        # Of a prediction near 0, the share of what predictions usually are.
        distance = distance / expected.abs().clamp(min=predictor.spec.target_std)
    return float(distance.max())


def random_inputs(predictor: Predictor, *, rows: int) -> Inputs:
    """Raw inputs as they may come: among them missing numbers, and all codes of a category.

    Returns:
        By name `numbers` and `codes` `(rows, columns)`, where there are such columns, or `pixels`
        `(rows, height, width)`.
    """
    source = torch.Generator().manual_seed(0)
    if isinstance(predictor.reader, ImageReader):
        pixels = torch.randint(0, 256, (rows, *predictor.reader.shape), generator=source)
        # From dark to bright: of nothing but bright noise a network is sure, whatever its weights.
        brightness = torch.linspace(0, 1, rows).reshape(-1, 1, 1)
        return {"pixels": (pixels * brightness).to(torch.uint8)}
    numeric, categorical = _by_input(predictor.reader)
    inputs = {}
    if numeric:
        spread = torch.randn(rows, len(numeric), dtype=torch.float64, generator=source) * 2
        center = torch.tensor([column.center for column in numeric], dtype=torch.float64)
        scale = torch.tensor([column.scale or 1.0 for column in numeric], dtype=torch.float64)
        is_missing = torch.rand(spread.shape, generator=source) < 0.1
        inputs["numbers"] = (center + scale * spread).masked_fill(is_missing, float("nan"))
    if categorical:
        codes = [torch.randint(0, c.size, (rows,), generator=source) for c in categorical]
        inputs["codes"] = torch.stack(codes, dim=1)
    return inputs


def describe(predictor: Predictor, written: CsvOptions) -> dict[str, Any]:
    """What a stranger must know to build a graph's inputs and to read its output, as plain data.

    Args:
        predictor: What is exported.
        written: How cells of the training data were written.
    """
    spec, reader = predictor.spec, predictor.reader
    width = [] if spec.task == "regression" else [len(spec.class_names)]
    output = {
        "name": _output_name(predictor),
        "dtype": "float64" if spec.task == "regression" else "float32",
        "shape": ["rows", *width],
        "how": _HOW_REGRESSION if spec.task == "regression" else _HOW_CLASSES,
    }
    return {
        "nnlab_version": __version__,
        "task": spec.task,
        "class_names": spec.class_names,
        # With none, onnxruntime 1.31 ends the process.
        "rows": "at least one, in all inputs the same number",
        "outputs": [output],
        **(
            _describe_pixels(reader)
            if isinstance(reader, ImageReader)
            else _describe_table(reader, written)
        ),
    }


def _describe_table(reader: TableReader, written: CsvOptions) -> dict[str, Any]:
    numeric, categorical = _by_input(reader)
    numbers = [
        {"name": column.name, "kind": "date", "format": column.date_format}
        if column.is_date
        else {"name": column.name, "kind": "numeric"}
        for column in numeric
    ]
    codes = [
        {
            "name": column.name,
            "kind": "boolean" if column.written_as == "boolean" else "categorical",
            "written_as": column.written_as,
            "codes": {name: i + 2 for i, name in enumerate(column.categories)},
        }
        for column in categorical
    ]
    inputs = (
        ("numbers", "float64", _HOW_NUMBERS, numbers),
        ("codes", "int64", _HOW_CODES, codes),
    )
    return {
        "target": reader.target,
        "inputs": [
            {"name": name, "dtype": dtype, "shape": ["rows", len(columns)], "how": how}
            | {"columns": columns}
            for name, dtype, how, columns in inputs
            if columns
        ],
        "codes": {"other": OTHER, "missing": MISSING},
        "boolean_spellings": {"true": _TRUE, "false": _FALSE},
        "missing_cells": missing_values(written),
        "decimal_mark": written.decimal or ".",
    }


def _describe_pixels(reader: ImageReader) -> dict[str, Any]:
    shape = ["rows", *reader.shape]
    pixels = {"name": "pixels", "dtype": "uint8", "shape": shape, "how": _HOW_PIXELS}
    return {"target": None, "inputs": [pixels]}


def _by_input(reader: TableReader) -> tuple[list[NumericColumn], list[CategoricalColumn]]:
    columns: Sequence[Column] = reader.columns
    return (
        [column for column in columns if isinstance(column, NumericColumn)],
        [column for column in columns if isinstance(column, CategoricalColumn)],
    )


def _output_name(predictor: Predictor) -> str:
    return "prediction" if predictor.spec.task == "regression" else "probabilities"


def _place(format: str, output: str, run_dir: Path) -> Path:
    """The file to write, checked before anything is done."""
    if format not in _SUFFIXES:
        raise ValueError(
            f"format must be one of {', '.join(_SUFFIXES)}, got format={format}"
            f"{did_you_mean(format, _SUFFIXES)}"
        )
    suffix = _SUFFIXES[format]
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


def _require_onnx() -> None:
    try:
        import onnx  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise ValueError(
            f"format=onnx needs the package {error.name}: pip install 'nnlab[export]'"
        ) from error


def _open_onnx(graph: bytes) -> tuple[Callable[[Inputs], Tensor], str]:
    """What runs an ONNX graph: onnxruntime, or else the slow reference that comes with onnx."""
    session: Any
    try:
        import onnxruntime
    except ImportError:
        from onnx import load_from_string
        from onnx.reference import ReferenceEvaluator

        session, name = ReferenceEvaluator(load_from_string(graph)), "the reference of onnx"
    else:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3  # errors
        session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        name = f"onnxruntime {onnxruntime.__version__}"

    def run(inputs: Inputs) -> Tensor:
        arrays = {key: tensor.numpy() for key, tensor in inputs.items()}
        return torch.as_tensor(session.run(None, arrays)[0])

    return run, name


def _open_pt2(graph: bytes) -> tuple[Callable[[Inputs], Tensor], str]:
    with _quiet():
        module = torch.export.load(io.BytesIO(graph)).module()

    def run(inputs: Inputs) -> Tensor:
        with torch.inference_mode():
            return cast(Tensor, module(**inputs))

    return run, f"torch {torch.__version__}"


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep to themselves what torch's exporters say of their own doings."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            for message in (
                # torch 2.13's own use of a name that it deprecates.
                "`isinstance.treespec, LeafSpec.` is deprecated",
                # Both inputs have as many rows.
                "# The axis name: rows will not be used",
            ):
                warnings.filterwarnings("ignore", message=message)
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _write(path: Path, content: bytes) -> None:
    """Write a file that appears once it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_bytes(content)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _report(predictor: Predictor, path: Path, format: str, difference: str) -> None:
    """Tell where the graph is and how it is used."""
    names = list(random_inputs(predictor, rows=0))
    output, file = _output_name(predictor), str(relative(path))
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
    _log.info("checked  on random rows: from PyTorch's %s by at most %s", output, difference)
    _log.info("\nTo use it:\n\n    %s", "\n    ".join(lines))
