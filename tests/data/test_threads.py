import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from nnlab.data.threads import count_threads, map_in_threads


def test_results_come_in_the_order_of_the_pieces() -> None:
    second_is_done = threading.Event()

    def work(piece: int) -> int:
        if piece == 0:
            assert second_is_done.wait(10)
        elif piece == 1:
            second_is_done.set()
        return piece * piece

    assert list(map_in_threads(work, range(20))) == [piece * piece for piece in range(20)]


def test_few_pieces_are_taken_ahead() -> None:
    taken: list[int] = []
    pieces = (taken.append(piece) or piece for piece in range(100))
    for piece in map_in_threads(int, pieces):
        assert len(taken) - piece <= count_threads() + 1


def test_more_pieces_are_taken_ahead_where_that_is_said() -> None:
    last_is_done = threading.Event()

    def work(piece: int) -> int:
        if piece == 0:
            assert last_is_done.wait(10)
        elif piece == 99:
            last_is_done.set()
        return piece

    assert list(map_in_threads(work, range(100), ahead=100)) == list(range(100))


def test_what_a_piece_raises_is_raised_in_its_turn() -> None:
    def work(piece: int) -> float:
        return 1 / (piece - 3)

    results = map_in_threads(work, range(10))
    assert [next(results) for _ in range(3)] == [-1 / 3, -1 / 2, -1.0]
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_an_earlier_piece_raises_before_what_comes_after_it() -> None:
    def pieces() -> Iterator[int]:
        yield 0
        raise KeyError("the second cannot be taken")

    with pytest.raises(ZeroDivisionError):
        list(map_in_threads(lambda piece: 1 / piece, pieces()))
    with pytest.raises(KeyError):
        list(map_in_threads(int, pieces()))


def test_threads_that_are_made_later_have_as_many_of_torchs_as_before() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        list(map_in_threads(int, range(3)))
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(torch.get_num_threads).result() == 2
    finally:
        torch.set_num_threads(before)


def test_a_piece_has_one_thread_of_torchs() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        assert set(map_in_threads(lambda _: torch.get_num_threads(), range(20))) == {1}
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
