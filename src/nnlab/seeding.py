"""Random streams that depend on nothing but the seed and where a run is."""

import numpy as np


def stream_seed(seed: int, *position: int) -> int:
    """The seed of the random stream at a position of a run.

    Deriving it from `(seed, epoch, ...)` instead of carrying a generator's state along makes the
    randomness of an epoch the same in a resumed run as in one that was never stopped.

    Args:
        seed: The run's seed, >= 0.
        *position: Whole numbers >= 0 that tell the stream apart, such as the epoch.

    Returns:
        A number in [0, 2**63), well mixed by numpy's `SeedSequence`.
    """
    words = np.random.SeedSequence((seed, *position)).generate_state(1, np.uint64)
    return int(words[0] >> np.uint64(1))
