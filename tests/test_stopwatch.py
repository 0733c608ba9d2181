"""Where the time of a run goes: every moment counts once."""

import time

import pytest

from nnlab.stopwatch import Stopwatch


def test_all_the_time_since_the_last_press_is_put_down_to_what_was_done() -> None:
    stopwatch = Stopwatch()
    began = time.perf_counter()
    time.sleep(0.02)
    stopwatch.press("data")
    time.sleep(0.01)
    stopwatch.press("forward")
    stopwatch.press("data")
    took = time.perf_counter() - began
    assert stopwatch.seconds["data"] >= 0.02
    assert stopwatch.seconds["forward"] >= 0.01
    assert sum(stopwatch.seconds.values()) == pytest.approx(took, abs=5e-3)


def test_a_reset_forgets_what_was_before() -> None:
    stopwatch = Stopwatch()
    time.sleep(0.02)
    stopwatch.press("data")
    time.sleep(0.02)
    stopwatch.reset()
    stopwatch.press("forward")
    assert stopwatch.seconds["data"] == 0
    assert stopwatch.seconds["forward"] < 0.02
