"""Where the time of a run goes.

One stopwatch runs for the whole process, and whoever has done something presses it: all the time
since the last press is put down to that. So every moment counts once, and a press, far shorter than
a microsecond, waits for nothing. On a GPU, which computes while Python goes on, the seconds of a
phase are those in which Python was busy with it or waited for it.
"""

import time
from dataclasses import dataclass

PHASES = (
    "start_up",  # from the start of the command until training begins
    "data",  # reading, preprocessing, gathering batches
    "forward",
    "backward",
    "optimizer",  # clipping and the learning rate's schedule; the whole step of a CUDA graph
    "validation",
    "metrics",  # of the training rows, from the outputs that training kept
    "logging",
    "checkpoints",
    "loop",  # the Trainer's own
    "test",  # of the best checkpoint, on validation and test rows
)
"""What time is spent on."""


@dataclass(frozen=True, kw_only=True)
class Spent:
    """What a run has taken up to some moment, in all processes that it went on in.

    Attributes:
        phases: Seconds of each phase.
        training: Seconds of training, which are among these.
    """

    phases: dict[str, float]
    training: float


class Stopwatch:
    """Adds up what the time between presses was spent on.

    Attributes:
        seconds: Of each phase, since the last reset, and in earlier processes of the run.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin anew, now."""
        self._pressed_at = time.perf_counter()
        self.seconds = dict.fromkeys(PHASES, 0.0)
        self.begin_training(None)

    def begin_training(self, earlier: Spent | None) -> None:
        """Count what follows as training.

        Args:
            earlier: What the run has taken in earlier processes, up to the checkpoint that it goes
                on from; what they did after it was lost, and is not counted.
        """
        self._training_began = time.perf_counter()
        self._trained_before = 0.0
        if earlier:
            self._trained_before = earlier.training
            self.seconds = {name: self.seconds[name] + earlier.phases[name] for name in PHASES}

    def restart_training(self) -> None:
        """Count what follows as training, and nothing of this process before."""
        self._training_began = time.perf_counter()

    def spent(self) -> Spent:
        """What the run has taken until now."""
        training = self._trained_before + time.perf_counter() - self._training_began
        return Spent(phases=dict(self.seconds), training=training)

    def press(self, phase: str) -> None:
        """Put the time since the last press down to a phase, one of `PHASES`."""
        now = time.perf_counter()
        self.seconds[phase] += now - self._pressed_at
        self._pressed_at = now


stopwatch = Stopwatch()
"""The process's own; it runs from the moment this module is loaded."""
