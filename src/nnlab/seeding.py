"""Random streams that depend on nothing but the seed, their purpose and where a run is."""

import zlib

import numpy as np


def stream_seed(seed: int, purpose: str, *position: int) -> int:
    """The seed of one of a run's random streams.

    Deriving it from `(seed, purpose, epoch, ...)` instead of carrying a generator's state along
    makes the randomness of an epoch the same in a resumed run as in one that was never stopped.

    Args:
        seed: The run's seed, >= 0.
        purpose: Tells streams apart that are used side by side, such as `"dropout"`.
        *position: Whole numbers >= 0, always as many for one purpose, such as the epoch.

    Returns:
        A number in [0, 2**63), well mixed by numpy's `SeedSequence`.
    """
    entropy = (seed, zlib.crc32(purpose.encode()), *position)
    words = np.random.SeedSequence(entropy).generate_state(1, np.uint64)
    return int(words[0] >> np.uint64(1))
