from collections import deque

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge_inference.drift.window import PANES, Span, Window

SPAN = Span(100, 60)
STEPS = st.lists(st.tuples(st.integers(1, 40), st.floats(0, 30)), max_size=200)


def counts(rows: int, column: int = 0) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    made = np.zeros((1, 3), np.int64)
    made[0, column] = rows
    return made


def test_what_was_added_first_goes_once_the_rest_is_enough() -> None:
    window = Window((1, 3))
    for column in (0, 1):
        for _ in range(10):
            window.add(counts(10, column), 10, 0, SPAN)
    assert (window.rows, window.counts.tolist()) == (100, [[0, 100, 0]])


def test_what_is_too_old_goes_though_nothing_comes() -> None:
    window = Window((1, 3))
    window.add(counts(30), 30, 0, SPAN)
    window.add(counts(30, 2), 30, 50, SPAN)
    window.slide(70, SPAN)
    assert (window.rows, window.counts.tolist()) == (30, [[0, 0, 30]])
    window.slide(1000, SPAN)
    assert (window.rows, window.counts.tolist()) == (0, [[0, 0, 0]])


def test_a_smaller_span_takes_effect_at_once() -> None:
    window = Window((1, 3))
    for _ in range(10):
        window.add(counts(10), 10, 0, SPAN)
    window.slide(0, Span(20, 60))
    assert window.rows == 20


@given(STEPS)
def test_memory_is_bounded_and_the_sums_are_right(steps: list[tuple[int, float]]) -> None:
    window, now, all_rows = Window((1, 3)), 0.0, deque[tuple[float, int]]()
    for rows, pause in steps:
        now += pause
        window.add(counts(rows), rows, now, SPAN)
        all_rows.append((now, rows))
        assert window.rows == window.counts.sum() == sum(pane.rows for pane in window._panes)
        assert len(window._panes) <= 2 * PANES + 2
        recent = sum(count for at, count in all_rows if now - at <= SPAN.seconds * (1 - 1 / PANES))
        assert window.rows >= min(SPAN.rows, recent)
        assert window.rows < SPAN.rows + SPAN.rows / PANES + 80
