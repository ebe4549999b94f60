"""Looking at the devices that a rollout has told, no more often than the hub answers queries."""

from typing import Final, Protocol

from edge_mlops.rollout.board import Board
from edge_mlops.rollout.events import Event, Tell
from edge_mlops.rollout.fleet import PAGE, Fleet
from edge_mlops.rollout.standing import Seen, Standing, named, stands

PAGE_S: Final = 3.0
"""An S1 hub answers 20 queries a minute, each with a page."""


class Clock(Protocol):
    """The time; the module ``time`` is one."""

    def monotonic(self) -> float:
        """Seconds that never go back."""

    def sleep(self, seconds: float, /) -> None:
        """Wait for that many seconds."""


class Watch:
    """What is known of a rollout's devices.

    Attributes:
        fleet: All devices.
        rollout: The rollout's id.
        tell: Is told of each change.
        clock: The time.
        board: The rollout's devices.
        waves: The number of each device's wave, where that is known; else it is what the device's twin says.
        is_undone: Whether a device was seen that was told of the model before again.
    """

    def __init__(self, fleet: Fleet, rollout: str, tell: Tell, clock: Clock) -> None:
        self.fleet = fleet
        self.rollout = rollout
        self.tell = tell
        self.clock = clock
        self.board = Board()
        self.waves: dict[str, int] = {}
        self.is_undone = False
        self._due = clock.monotonic()

    def note(self, device: str, seen: Seen, wave: int = 0) -> None:
        """Note how a device stands."""
        is_news = self.board.note(device, self.waves.get(device, wave), seen)
        if is_news and seen.standing is not Standing.WAITING:
            self.tell(Event(seen.standing, seen.detail, device))

    def look(self, *, undone: bool = False) -> None:
        """Look at all devices that bear the rollout's mark.

        Args:
            undone: Whether those that are known were told of the model before again. The hub's index is late: where
                the one kind is expected, the other is a twin of some time ago.
        """
        found = [(twin, mark) for twin in self.fleet.told(self.rollout) if (mark := twin.mark)]
        self._due = self.clock.monotonic() + PAGE_S * max(1, -(-len(found) // PAGE))
        for twin, mark in found:
            self.is_undone |= mark.undone
            if mark.undone is undone or twin.device not in self.board:
                self.note(twin.device, stands(twin, mark), mark.wave)

    def look_closely(self) -> None:
        """Look at each device that has not answered, past the hub's index."""
        for device in self.board.those(Standing.WAITING):
            self.note(device, self._seen(device), self.board.wave_of(device))

    @property
    def is_due(self) -> bool:
        """Whether the queries of the last look count no more."""
        return self.clock.monotonic() >= self._due

    def pause(self) -> None:
        """Wait until they do not."""
        self.clock.sleep(max(0.0, self._due - self.clock.monotonic()))

    def _seen(self, device: str) -> Seen:
        twin = self.fleet.twin(device)
        if twin is None:
            return Seen(Standing.ABSENT)
        if twin.mark is None or twin.mark.id != self.rollout:
            return Seen(Standing.OVERRULED, f"asked for {named(twin.model)}")
        self.is_undone |= twin.mark.undone
        return stands(twin, twin.mark)
