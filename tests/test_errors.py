"""What a library's error says."""

import pytest
import torch

from nnlab.errors import first_line, out_of_memory, without_allocator


@pytest.mark.parametrize(
    ("message", "expected"),
    [("", "RuntimeError"), ("\nno room\nat all\n", "no room"), ("no room", "no room")],
)
def test_the_first_line_says_something(message: str, expected: str) -> None:
    assert first_line(RuntimeError(message)) == expected


def test_torch_s_bookkeeping_is_left_out() -> None:
    error = RuntimeError("no memory. Tried to allocate 2 GiB. GPU 0 has 1 GiB. See the manual.")
    assert out_of_memory(error) == "no memory. Tried to allocate 2 GiB"


def test_memory_that_is_not_there_is_told_in_its_unit() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(10**15)
    assert without_allocator(caught.value) == "4.0 PB of memory are not there"
    assert without_allocator(RuntimeError("no room")) == "no room"
