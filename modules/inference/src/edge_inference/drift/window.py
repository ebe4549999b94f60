"""The latest rows, as counts only: memory does not grow with their number. Pure: time is an argument."""

from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np

from edge_inference.session import Array

PANES: Final = 10
"""The window slides in steps of a tenth."""


@dataclass(frozen=True, slots=True)
class Span:
    """How far a window reaches back: over so many rows, or a tenth more, but over no more than so many seconds."""

    rows: int
    seconds: float


@dataclass
class _Pane:
    since: float
    counts: Array
    rows: int = 0


class Window:
    """Sums up what was added lately.

    Args:
        shape: Of the counts.

    Attributes:
        rows: How many it holds.
        counts: Of these rows.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self.rows = 0
        self.counts: Array = np.zeros(shape, np.int64)
        self._panes: deque[_Pane] = deque()

    def add(self, counts: Array, rows: int, now: float, span: Span) -> None:
        """Add the counts of some rows.

        Args:
            counts: Of these rows.
            rows: How many.
            now: Monotonic seconds.
            span: How far the window reaches back.
        """
        pane = self._pane(now, span)
        pane.counts, pane.rows = pane.counts + counts, pane.rows + rows
        self.counts, self.rows = self.counts + counts, self.rows + rows
        self.slide(now, span)

    def slide(self, now: float, span: Span) -> None:
        """Let go of what is too old, or more than is wanted."""
        while self._panes and self._is_over(self._panes[0], now, span):
            gone = self._panes.popleft()
            self.counts, self.rows = self.counts - gone.counts, self.rows - gone.rows

    def _pane(self, now: float, span: Span) -> _Pane:
        latest = self._panes[-1] if self._panes else None
        if latest and latest.rows < span.rows / PANES and now - latest.since < span.seconds / PANES:
            return latest
        self._panes.append(_Pane(now, np.zeros_like(self.counts)))
        return self._panes[-1]

    def _is_over(self, oldest: _Pane, now: float, span: Span) -> bool:
        return now - oldest.since > span.seconds or self.rows - oldest.rows >= span.rows
