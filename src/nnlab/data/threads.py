"""Work on the pieces of a large table in threads."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import polars as pl
import torch

Piece = TypeVar("Piece")
Result = TypeVar("Result")


def count_threads() -> int:
    """The threads that work at once: two more than there are cores, and at most eight.

    So no core is idle while some wait for Python's lock, or for polars, which has threads of its
    own; but each more holds another piece in memory.
    """
    # Not known when this is imported: asking starts the threads of polars, and a process that is
    # forked after that waits for them in vain.
    return min(pl.thread_pool_size() + 2, 8)


def map_in_threads(
    work: Callable[[Piece], Result], pieces: Iterable[Piece], *, ahead: int | None = None
) -> Iterator[Result]:
    """What `map` gives, worked out in threads.

    What a piece raises, is raised in its turn.

    Args:
        work: Called with a piece; most of its time it must leave Python's lock to others, as
            numpy, polars and torch do.
        pieces: Taken one after the other.
        ahead: How many are taken before their turn. None for as many as keep the threads busy, so
            that memory holds but few pieces and results; more where some take far longer than
            those behind them.
    """
    threads = count_threads()
    before = torch.get_num_threads()
    # A piece gains nothing from threads of torch's own; on a busy machine they would wait for
    # each other many times as long as the work takes.
    with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        running: deque[Future[Result]] = deque()
        taken = iter(pieces)
        error: Exception | None = None
        try:
            while error is None:
                try:
                    piece = next(taken)
                except StopIteration:
                    break
                except Exception as found:  # in its turn: an earlier piece may raise, too
                    error = found
                    break
                running.append(pool.submit(work, piece))
                if len(running) > (threads if ahead is None else ahead):
                    yield running.popleft().result()
            while running:
                yield running.popleft().result()
            if error is not None:
                raise error
        finally:
            for future in running:
                future.cancel()
            torch.set_num_threads(before)  # else each thread that is made later would have one
