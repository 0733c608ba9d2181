"""Where messages go, and what is said where they cannot."""

import errno
import io
import logging

import pytest

from nnlab.logs import Console


def test_an_output_that_cannot_be_written_is_told_of_in_a_sentence() -> None:
    class Full(io.StringIO):
        def write(self, _: str) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    record = logging.LogRecord("nnlab", logging.INFO, "", 0, "said", None, None)
    with pytest.raises(OSError, match="standard output must be writable, but is not"):
        Console(Full()).handle(record)
