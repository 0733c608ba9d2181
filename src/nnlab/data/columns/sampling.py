"""Some rows of a large table that stand for all."""

import numpy as np
from numpy.typing import NDArray


def spread_sample(rows: int, most: int) -> NDArray[np.int64]:
    """Rows from all over a table, always the same, in their order.

    One from each stretch of it, at a place left to chance: every n-th would be those of one sensor
    where n of them take turns.

    Args:
        rows: How many there are.
        most: How many to take; fewer rows are taken all.
    """
    stretch = max(1, -(-rows // most))
    starts = np.arange(0, rows, stretch)
    places = np.random.default_rng(0).integers(stretch, size=len(starts))
    return np.asarray(np.minimum(starts + places, rows - 1))
