"""Random streams."""

from nnlab.seeding import stream_seed


def test_streams_differ_by_seed_and_by_position() -> None:
    places = [(), (0,), (1,), (0, 1), (1, 0)]
    seeds = {stream_seed(seed, *place) for seed in range(50) for place in places}
    # A seed alone and its position 0 are the same stream to SeedSequence; all others differ.
    assert len(seeds) >= 50 * (len(places) - 1)
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_a_stream_is_always_the_same() -> None:
    assert stream_seed(3, 4) == stream_seed(3, 4)
