"""What a run has behind it, and what it may go on with."""

from pathlib import Path
from typing import Any

import pytest

from nnlab.checkpoints import write_checkpoint
from nnlab.resuming import SavedState, find_saved_state, require_likeness


@pytest.mark.parametrize(
    ("settings", "is_whole"), [({"seed": 0}, True), (None, True), ("x", False), ([1], False)]
)
def test_a_checkpoint_tells_the_settings_of_its_run_or_nothing(
    tmp_path: Path, settings, is_whole: bool
) -> None:
    content = {
        "epoch": 2,
        "global_step": 9,
        "hyper_parameters": {},
        "state_dict": {},
        "environment": {"threads": 1, "device": "cpu", "versions": {}},
        "settings": settings,
    }
    (tmp_path / "checkpoints").mkdir()
    for name in ("best", "last"):
        write_checkpoint(content, tmp_path / "checkpoints" / f"{name}.ckpt")
    if is_whole:
        saved = find_saved_state(tmp_path)
        assert saved is not None
        assert saved.settings == settings
    else:
        with pytest.raises(ValueError, match="must be a checkpoint of a training run"):
            find_saved_state(tmp_path)


ENVIRONMENT: dict[str, Any] = {
    "threads": 2,
    "device": "cuda:0",
    "processor": "AMD EPYC (AVX2)",
    "gpu": "H100",
    "versions": {"python": "3.11.8", "torch": "2.13", "hydra-core": "1.3.2"},
}


def go_on(before: dict[str, Any], now: dict[str, Any], **more: Any) -> None:
    settings = {"seed": 0}
    saved = SavedState(
        path=Path("run/checkpoints/last.ckpt"),
        epochs=1,
        steps=5,
        environment=before,
        settings=settings,
        spent=None,
    )
    given = {"settings": settings, "typed": (), "anyway": False, **more}
    require_likeness(saved, environment=now, **given)


def changed(**changes: Any) -> dict[str, Any]:
    versions = {**ENVIRONMENT["versions"], **changes.pop("versions", {})}
    return {**ENVIRONMENT, **changes, "versions": versions}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"threads": 1}, "threads 1 for 2"),
        ({"device": "cpu"}, "device cpu for cuda:0"),
        ({"processor": "AMD EPYC (AVX512)"}, "processor AMD EPYC (AVX512) for AMD EPYC (AVX2)"),
        ({"gpu": "H200"}, "gpu H200 for H100"),
        ({"versions": {"torch": "2.14"}}, "torch 2.14 for 2.13"),
        ({"versions": {"python": "3.12.8"}}, "python 3.12.8 for 3.11.8"),
    ],
)
def test_what_would_change_the_result_must_be_asked_for(changes, said: str, caplog) -> None:
    now = changed(**changes)
    with pytest.raises(ValueError, match="run must go on with what it was trained") as caught:
        go_on(ENVIRONMENT, now)
    assert f"got {said}; restore that, or add resume_anyway=true to the command" in str(
        caught.value
    )
    go_on(ENVIRONMENT, now, anyway=True)
    assert said in caplog.text


def test_other_settings_must_be_asked_for() -> None:
    with pytest.raises(ValueError, match=r"got seed=1 for 0; restore that"):
        go_on(ENVIRONMENT, ENVIRONMENT, settings={"seed": 1})
    go_on(ENVIRONMENT, ENVIRONMENT, settings={"seed": 1}, anyway=True)


def test_threads_that_the_command_names_are_asked_for(caplog) -> None:
    go_on(ENVIRONMENT, changed(threads=1), typed=["threads"])
    assert "its result may be another than without a stop: threads 1 for 2" in caplog.text
    with pytest.raises(ValueError, match=r"threads 1 for 2; .*gpu H200"):
        go_on(ENVIRONMENT, changed(threads=1, gpu="H200"), typed=["threads"])


@pytest.mark.parametrize(
    "changes",
    [
        {"device": "cuda:1"},
        {"versions": {"python": "3.11.9"}},
        {"versions": {"hydra-core": "1.3.3"}},
        {},
    ],
)
def test_what_leaves_the_result_as_it_is_does_not_stop_a_run(changes) -> None:
    go_on(ENVIRONMENT, changed(**changes))


def test_a_checkpoint_of_the_first_version_tells_no_processor() -> None:
    old = {name: ENVIRONMENT[name] for name in ("threads", "device", "versions")}
    go_on(old, ENVIRONMENT)
