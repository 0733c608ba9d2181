"""Where the time of a run goes.

One stopwatch runs for the whole process, and whoever has done something presses it: all the time
since the last press is put down to that. So every moment counts once, and a press, far shorter than
a microsecond, waits for nothing. On a GPU, which computes while Python goes on, the seconds of a
phase are those in which Python was busy with it or waited for it.
"""

import time

PHASES = (
    "start_up",  # from the start of the command until training begins
    "data",  # reading, preprocessing, gathering batches
    "forward",
    "backward",
    "optimizer",  # clipping and the learning rate's schedule included
    "validation",
    "metrics",  # of the training rows, from the outputs that training kept
    "logging",
    "checkpoints",
    "loop",  # the Trainer's own
    "test",  # of the best checkpoint, on validation and test rows
)
"""What time is spent on."""


class Stopwatch:
    """Adds up what the time between presses was spent on.

    Attributes:
        seconds: Of each phase, since the last reset.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin anew, now."""
        self._pressed_at = time.perf_counter()
        self.seconds = dict.fromkeys(PHASES, 0.0)

    def press(self, phase: str) -> None:
        """Put the time since the last press down to a phase, one of `PHASES`."""
        now = time.perf_counter()
        self.seconds[phase] += now - self._pressed_at
        self._pressed_at = now


stopwatch = Stopwatch()
"""The process's own; it runs from the moment this module is loaded."""
