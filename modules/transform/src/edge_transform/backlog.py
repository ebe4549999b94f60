"""Items that wait to be prepared. Pure: it is told the time."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import takewhile
from typing import Final

from edge_common.messages import Frame, Item, Part, chunks

WIDEST: Final = Frame(width=99999, height=99999, box=(-99999.999, -99999.999, 99999.999, 99999.999))
"""As long as one gets in a message."""

MOST_COUNT: Final = (1 << 31) - 1

MOST_ITEMS: Final = 10_000
"""More than any window: what is over it is forgotten, and the ledger sends it again."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """An item in the backlog.

    Attributes:
        item: The item.
        since: When it came.
        until: When its lease ends.
        suspect: Whether it might bring its decoder down.
    """

    item: Item
    since: float
    until: float
    suspect: bool = False

    @property
    def lease(self) -> float:
        """How long an answer may take."""
        return self.until - self.since

    def prepared_until(self, now: float) -> float:
        """How long what was made of it now may wait for room.

        A suspect's own process may outlast its lease, on a slow machine each time: a new one begins once it is ready.
        """
        return now + self.lease if self.suspect else self.until


class Backlog:
    """Items in the order in which they came, at most one attempt of each. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._waiting: dict[str, Waiting] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, waiting: Waiting) -> bool:
        """Let an item wait; it replaces an older attempt of itself.

        Returns:
            False if there is no room for it.
        """
        earlier = self._waiting.get(waiting.item.id)
        if earlier is None and len(self) >= MOST_ITEMS:
            return False
        if earlier is None or earlier.item.attempt < waiting.item.attempt:
            self._waiting.pop(waiting.item.id, None)
            self._waiting[waiting.item.id] = waiting
        return True

    def due_in(self, now: float, batch: int, age: float) -> float | None:
        """Seconds until a batch should be taken: 0 when one is full or old enough, None when nothing waits."""
        if not self._waiting:
            return None
        oldest = next(iter(self._waiting.values()))
        return 0.0 if len(self) >= batch else max(0.0, oldest.since + age - now)

    def drop_expired(self, now: float) -> int:
        """Forget the items whose lease has ended, for they are sent again; says how many."""
        before = len(self)
        self._waiting = {key: waiting for key, waiting in self._waiting.items() if waiting.until > now}
        return before - len(self)

    def take(self, most: int) -> list[Waiting]:
        """Take a batch: the oldest items, as many as one message can name; a suspect alone, for it takes long."""
        first = next(iter(self._waiting.values()), None)
        if first is not None and first.suspect:
            return [self._waiting.pop(first.item.id)]
        others = [waiting.item for waiting in takewhile(lambda one: not one.suspect, self._waiting.values())]
        return [self._waiting.pop(item.id) for item in others[: most_pictures(others, most)]]


def most_pictures(items: Iterable[Item], most: int) -> int:
    """How many pictures, one of each item, a message can name.

    Args:
        items: Whose they are.
        most: No more than so many.
    """
    parts = (Part(item=item, part=MOST_COUNT, first=most, rows=1, frames=(WIDEST,)) for item in items)
    return len(next(chunks(parts, most), ()))
