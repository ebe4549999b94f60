"""When what can wait is uploaded: windows of the week, in UTC. Pure: no I/O."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOUR_MINUTES: Final = 60
DAY_MINUTES: Final = 24 * HOUR_MINUTES

_DAY: Final = "(?:" + "|".join(DAYS) + ")"
_SPAN: Final = f"{_DAY}(?:-{_DAY})?"
_FORM: Final = re.compile(rf"(?:({_SPAN}(?:,{_SPAN})*) )?(\d\d):(\d\d)-(\d\d):(\d\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Window:
    """A time of day, on some days.

    Attributes:
        days: Those on which it begins; Monday is 0.
        start: Minutes after midnight.
        end: Likewise, not in it; at or before the start it is on the next day.
    """

    days: frozenset[int]
    start: int
    end: int

    def contains(self, now: datetime) -> bool:
        """Whether a moment is in it."""
        moment = now.astimezone(UTC)
        day, minute = moment.weekday(), moment.hour * HOUR_MINUTES + moment.minute
        if self.start < self.end:
            return day in self.days and self.start <= minute < self.end
        return (day in self.days and minute >= self.start) or ((day - 1) % 7 in self.days and minute < self.end)


def parse(text: str) -> Window:
    """Read a window, such as ``22:00-06:00`` or ``mon-thu,sat 22:00-06:00``.

    Raises:
        ValueError: It is none.
    """
    match = _FORM.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is no window such as 'mon-fri,sun 22:00-06:00'")
    return Window(_days(match[1]), _minutes(match[2], match[3]), _minutes(match[4], match[5]))


def is_open(windows: Iterable[Window], now: datetime) -> bool:
    """Whether a moment is in one of the windows, or there are none."""
    windows = tuple(windows)
    return not windows or any(window.contains(now) for window in windows)


def _days(text: str | None) -> frozenset[int]:
    if text is None:
        return frozenset(range(7))
    return frozenset(day for span in text.split(",") for day in _span(*span.split("-")))


def _span(first: str, last: str | None = None) -> Iterable[int]:
    start = DAYS.index(first)
    length = (DAYS.index(last or first) - start) % 7 + 1
    return ((start + day) % 7 for day in range(length))


def _minutes(hours: str, minutes: str) -> int:
    after_midnight = int(hours) * HOUR_MINUTES + int(minutes)
    if int(minutes) >= HOUR_MINUTES or after_midnight > DAY_MINUTES:
        raise ValueError(f"{hours}:{minutes} is no time of day")
    return after_midnight
