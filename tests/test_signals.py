"""What a run does when it is told to end."""

import os
import signal

import pytest

from nnlab.signals import answering_sigterm


def test_the_first_sigterm_is_answered_and_the_second_ends_the_process_at_once() -> None:
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]
    with answering_sigterm():
        with pytest.raises(SystemExit, match="143"):
            os.kill(os.getpid(), signal.SIGTERM)
        assert [signal.getsignal(number) for number in numbers] == [signal.SIG_DFL] * 2
    assert [signal.getsignal(number) for number in numbers] == before


def test_where_lightning_listens_sigterm_is_left_to_it() -> None:
    with answering_sigterm():
        ours, heard = signal.getsignal(signal.SIGTERM), []

        def composed(number: int, frame: object) -> None:  # as Lightning does
            heard.append(number)
            ours(number, frame)

        signal.signal(signal.SIGTERM, composed)
        os.kill(os.getpid(), signal.SIGTERM)
        assert heard == [signal.SIGTERM]
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
