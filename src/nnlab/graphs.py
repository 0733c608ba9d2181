"""A trained network with its preprocessing as a graph, and whether that gives the same."""

import contextlib
import io
import logging
import warnings
from collections.abc import Callable, Iterator
from typing import Any, cast

import torch
from torch import Tensor, nn

from nnlab.data.image_rows import ImageReader
from nnlab.graph_description import output_name
from nnlab.predictor import Predictor

SUFFIXES = {"onnx": ".onnx", "torch_export": ".pt2"}
"""The formats, and how their files' names end."""
# How far the graph may be from PyTorch: of probabilities, or of a number as a share of it.
_TOLERANCE = 1e-5
_CHECKED_ROWS = 64

Inputs = dict[str, Tensor]


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
        output_names=[output_name(predictor)],
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
                f"format={' or '.join(other for other in SUFFIXES if other != format)}"
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
    numeric, categorical = predictor.reader.numeric, predictor.reader.categorical
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


def _require_onnx() -> None:
    try:
        # Only whether they are there.
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
