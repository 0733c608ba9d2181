"""Ctrl-C and SIGTERM: a run ends in order at the first, at once at a second."""

import contextlib
import signal
import threading
from collections.abc import Iterator


def end_at_next_signal(*_: object) -> None:
    """Let a second Ctrl-C or SIGTERM end the process at once; also to be called by the first."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


@contextlib.contextmanager
def answering_sigterm() -> Iterator[None]:
    """Let SIGTERM raise SystemExit(143), but where Lightning listens, end training in its way.

    Lightning does so from a little after `fit` has begun until it ends, and then answers after a
    block of steps. A second signal ends the process at once.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def answer(number: int, _: object) -> None:
        lightning_listens = signal.getsignal(number) is not answer
        end_at_next_signal()
        if not lightning_listens:
            raise SystemExit(128 + number)

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGTERM, answer)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
