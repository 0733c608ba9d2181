"""What a library's error says, as far as a person needs it."""

import re

from rich import filesize


def first_line(error: BaseException) -> str:
    """The first line of an error's message; of one without a message its kind."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def without_allocator(error: BaseException) -> str:
    """The first line of an error; of one for want of memory without the place in torch's source."""
    line = first_line(error)
    found = re.search(r"can't allocate memory: you tried to allocate (\d+) bytes", line)
    return f"{filesize.decimal(int(found[1]))} of memory are not there" if found else line


def out_of_memory(error: BaseException) -> str:
    """What torch says of memory that is not there, without its own bookkeeping, which follows."""
    return ". ".join(first_line(error).split(". ")[:2])
