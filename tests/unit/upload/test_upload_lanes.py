"""Concurrency that finds what a link can take."""

import pytest

from edge_upload.sinks.blob.lanes import FIRST, MOST, Lanes


def driven(lanes: Lanes, rounds: int, most_useful: int, now: float = 0.0) -> list[int]:
    """The widths over rounds on a link that carries a block a second a lane, up to so many lanes."""
    widths = []
    lanes.begin(now)
    for _ in range(rounds):
        width = lanes.width
        now += max(1.0, width / most_useful)
        for _ in range(width):
            lanes.done(1, now)
        widths.append(width)
    return widths


@pytest.mark.parametrize("most_useful", [1, 3, 6, 12])
def test_it_settles_about_where_more_lanes_bring_nothing(most_useful: int) -> None:
    settled = driven(Lanes(), 60, most_useful)[30:]
    assert max(settled) <= most_useful + 2
    assert min(settled) >= max(most_useful - 2, 1)


def test_it_stops_at_the_most() -> None:
    assert max(driven(Lanes(), 60, 1000)) == MOST


def test_a_failure_halves_it_and_it_comes_back() -> None:
    lanes = Lanes()
    driven(lanes, 20, 12)
    before = lanes.width
    lanes.failed(100.0)
    assert lanes.width == before // 2
    driven(lanes, 20, 12, 100.0)
    assert lanes.width > before // 2


def test_it_never_stops_sending() -> None:
    lanes = Lanes()
    for _ in range(10):
        lanes.failed(0.0)
    assert lanes.width == 1
    driven(lanes, 10, 8)
    assert lanes.width > FIRST
