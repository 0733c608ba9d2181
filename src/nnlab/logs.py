"""Where a run's messages go: to the person, and into its log."""

import logging
import sys
from typing import TextIO


class Printer(logging.Handler):
    """Prints messages where `sys.stdout` leads at the time, such as above a progress bar."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print a message."""
        print(self.format(record), flush=True)


def print_messages(level: int = logging.INFO) -> None:
    """Print messages as they are, and nothing else with them."""
    logging.basicConfig(level=level, format="%(message)s", handlers=[Printer()], force=True)


class _Failing(logging.Handler):
    """Raises what keeps it from writing; `logging` would print a traceback for each message."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Raise an error of the system's."""
        if isinstance(sys.exc_info()[1], OSError):
            raise
        super().handleError(record)


class Console(_Failing, logging.StreamHandler[TextIO]):
    """Prints a run's messages; `configs/hydra` names it."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print a message, or end a run of which nothing can be read."""
        try:
            super().emit(record)
        except BrokenPipeError:
            raise  # whoever read along has gone
        except OSError as error:
            raise OSError(
                f"standard output must be writable, but is not ({error.strerror}); send it "
                "elsewhere, or to /dev/null"
            ) from error


class LogFile(_Failing, logging.FileHandler):
    """Writes a run's messages down; `configs/hydra` names it."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a message, or end a run whose disk is full, say."""
        try:
            super().emit(record)
        except OSError as error:
            raise OSError(
                f"{self.baseFilename} must be written, but cannot be ({error.strerror}); make "
                "room for it, or let it be written there"
            ) from error
