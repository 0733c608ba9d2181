"""Random streams."""

from nnlab.seeding import stream_seed


def test_streams_differ_by_seed_purpose_and_position() -> None:
    places = [("a", 0, 0), ("a", 0, 1), ("a", 1, 0), ("b", 0), ("b", 1), ("c",)]
    seeds = {stream_seed(seed, *place) for seed in range(100) for place in places}
    assert len(seeds) == 100 * len(places)
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_a_stream_is_always_the_same() -> None:
    assert stream_seed(3, "order", 4) == stream_seed(3, "order", 4)
