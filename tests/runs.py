"""What tests read of a run directory, and settings of short runs."""

import json
from pathlib import Path

import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

PENGUINS = ["data=penguins", "model.hidden_sizes=[8]", "trainer.max_epochs=2"]
SHORT = ("trainer.max_epochs=2", "model.hidden_sizes=[16]")


def read_events(run_dir: Path) -> EventAccumulator:
    events = EventAccumulator(str(run_dir), size_guidance={"scalars": 0})
    events.Reload()
    return events


def curves(run_dir: Path) -> dict[str, list[tuple[int, float]]]:
    events = read_events(run_dir)
    tags = events.Tags()["scalars"]
    return {tag: [(point.step, point.value) for point in events.Scalars(tag)] for tag in tags}


def only_run(folder: Path) -> Path:
    (run_dir,) = folder.glob("outputs/*/*")
    return run_dir


def weights(run_dir: Path, name: str = "last") -> dict[str, torch.Tensor]:
    path = run_dir / "checkpoints" / f"{name}.ckpt"
    state: dict[str, torch.Tensor] = torch.load(path, weights_only=True)["state_dict"]
    return state


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[k], second[k]) for k in first)


def results(run_dir: Path) -> dict:
    return json.loads((run_dir / "metrics.json").read_text())
