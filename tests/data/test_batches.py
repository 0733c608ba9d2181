"""Mini-batches: every row once, an order that depends on seed and epoch alone."""

import pytest
import torch

from nnlab.data.batches import Blocks, OrderedBatches, ShuffledBatches


def shuffled(rows: int, batch_size: int, **changes) -> ShuffledBatches:
    arguments = {"seed": 0, "rank": 0, "world_size": 1, "device": torch.device("cpu"), **changes}
    x = torch.arange(rows, dtype=torch.float32).unsqueeze(1)
    return ShuffledBatches(x=x, targets=torch.arange(rows), batch_size=batch_size, **arguments)


def order(batches: ShuffledBatches) -> list[int]:
    return torch.cat([targets for _, targets in batches]).tolist()


@pytest.mark.parametrize("rows", [1, 2, 5, 8, 9, 64, 65])
@pytest.mark.parametrize("batch_size", [1, 2, 4, 64, 1000])
def test_an_epoch_has_every_row_once_and_as_many_batches_as_it_says(rows, batch_size) -> None:
    batches = shuffled(rows, batch_size)
    seen = list(batches)
    assert len(seen) == len(batches)
    assert sorted(order(batches)) == list(range(rows))
    assert all(torch.equal(x.squeeze(1).long(), targets) for x, targets in seen)
    if rows > 1 and batch_size > 1:
        assert min(len(targets) for _, targets in seen) > 1


def test_the_order_depends_on_seed_and_epoch_alone() -> None:
    batches = shuffled(50, 8)
    first = order(batches)
    batches.set_epoch(1)
    second = order(batches)
    assert second != first
    resumed = shuffled(50, 8)
    resumed.set_epoch(1)
    assert order(resumed) == second
    assert order(shuffled(50, 8, seed=1)) != first


def test_a_large_table_is_shuffled_window_by_window(monkeypatch) -> None:
    for name in ("_WHOLE_BYTES", "_WINDOW_BYTES"):
        monkeypatch.setattr(f"nnlab.data.windows.{name}", 4 * 40)
    monkeypatch.setattr("nnlab.data.windows._CHUNK_BYTES", 4 * 8)
    for rows in (41, 79, 80, 81, 82, 203):
        batches = shuffled(rows, 4)
        seen = [targets.tolist() for _, targets in batches]
        assert len(seen) == len(batches)
        assert sorted(order(batches)) == list(range(rows))
        assert {len(batch) for batch in seen[:-1]} == {4}
        assert len(seen[-1]) > 1
        # The first ten batches are of five chunks of eight neighbours.
        assert len({row // 8 for batch in seen[:10] for row in batch}) <= 6
        assert all(torch.equal(x.squeeze(1).long(), targets) for x, targets in batches)
        for steps in (1, 3, 100):
            blocks = Blocks(batches, steps)
            assert [t.tolist() for block in blocks for _, t in block] == seen
            assert len(blocks) == len(list(blocks))


def test_processes_share_an_epoch_evenly_and_without_overlap() -> None:
    shares = [order(shuffled(11, 3, rank=rank, world_size=3)) for rank in range(3)]
    assert [len(share) for share in shares] == [3, 3, 3]
    assert len({row for share in shares for row in share}) == 9


def test_processes_share_the_windows_of_a_large_table(monkeypatch) -> None:
    for name in ("_WHOLE_BYTES", "_WINDOW_BYTES"):
        monkeypatch.setattr(f"nnlab.data.windows.{name}", 4 * 40)
    monkeypatch.setattr("nnlab.data.windows._CHUNK_BYTES", 4 * 8)
    loaders = [shuffled(203, 2, rank=rank, world_size=2) for rank in range(2)]
    assert [len(list(loader)) for loader in loaders] == [len(loader) for loader in loaders]
    shares = [order(loader) for loader in loaders]
    assert [len(share) for share in shares] == [101, 101]
    assert len({row for share in shares for row in share}) == 202


def test_ordered_batches_are_views_of_the_whole() -> None:
    x = torch.randn(7, 2)
    batches = OrderedBatches(x=x, targets=torch.arange(7), batch_size=3)
    assert [len(targets) for _, targets in batches] == [3, 3, 1]
    assert len(batches) == 3
    assert next(iter(batches))[0].data_ptr() == x.data_ptr()


@pytest.mark.parametrize("steps", [1, 2, 3, 5, 100])
def test_blocks_are_the_batches_in_their_order(steps: int) -> None:
    batches = shuffled(33, 3)
    blocks = Blocks(batches, steps)
    blocks.sampler.set_epoch(2)
    seen = list(blocks)
    assert len(seen) == len(blocks)
    assert max(map(len, seen)) == min(steps, len(batches))
    targets = [targets.tolist() for block in seen for _, targets in block]
    assert targets == [targets.tolist() for _, targets in batches]


def test_batches_come_to_the_device_where_they_are_wanted() -> None:
    batches = shuffled(10, 4, device=torch.device("meta"))  # a device that every machine has
    for steps in (1, 2):
        loader = batches if steps == 1 else [pair for block in Blocks(batches, 2) for pair in block]
        assert {(x.device.type, y.device.type) for x, y in loader} == {("meta", "meta")}
