"""What a library's error says, as far as a person needs it."""


def first_line(error: BaseException) -> str:
    """The first line of an error's message; of one without a message its kind."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def out_of_memory(error: BaseException) -> str:
    """What torch says of memory that is not there, without its own bookkeeping, which follows."""
    return ". ".join(first_line(error).split(". ")[:2])
