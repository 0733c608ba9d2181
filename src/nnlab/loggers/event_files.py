"""TensorBoard's event files of a run: what of them is kept when the run goes on."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import PyRecordReader_New


def event_files(folder: Path) -> list[Path]:
    """The event files in a folder, in the order in which TensorBoard reads them."""
    return sorted(path for path in folder.glob("events.out.tfevents.*") if path.is_file())


def kept_events(paths: Iterable[Path], is_kept: Callable[[str, int], bool]) -> list[Any]:
    """The points of event files that are to be kept, in the order of their steps.

    Args:
        paths: The files; of one whose process was killed, the whole records count.
        is_kept: Whether a tag's point at a step is kept; once, should it be in two files.

    Returns:
        Events of TensorBoard's, each with the points of one step and moment.
    """
    points = {}
    for path in paths:
        for event in _read(path):
            for value in event.summary.value:
                if is_kept(value.tag, event.step):
                    points[value.tag, event.step, event.wall_time] = value
    moments = defaultdict(list)
    for (_, step, wall_time), value in points.items():
        moments[step, wall_time].append(value)
    return [
        Event(step=step, wall_time=wall_time, summary=Summary(value=moments[step, wall_time]))
        for step, wall_time in sorted(moments)
    ]


def _read(path: Path) -> Iterator[Any]:
    reader = PyRecordReader_New(str(path))
    while True:
        try:
            reader.GetNext()
            event = Event.FromString(reader.record())
        except Exception:  # its end, what a killed process had begun to write, or what is made up
            return
        yield event
