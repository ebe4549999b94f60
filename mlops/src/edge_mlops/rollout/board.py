"""Who takes part in a rollout, and how each stands. Pure."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from edge_mlops.rollout.standing import Seen, Standing

Counts = Counter[Standing]


@dataclass(frozen=True, slots=True)
class Entry:
    """A device: the number of its wave, from 0, and how it stands."""

    wave: int
    seen: Seen


class Board:
    """The devices that a rollout has told, or tried to."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}

    def __contains__(self, device: object) -> bool:
        return device in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter([*self._entries])

    def __len__(self) -> int:
        return len(self._entries)

    def note(self, device: str, wave: int, seen: Seen) -> bool:
        """Note how a device stands; says whether that is news."""
        before = self._entries.get(device)
        self._entries[device] = Entry(wave, seen)
        return before is None or before.seen.standing is not seen.standing

    def counts(self, wave: int) -> Counts:
        """How many devices of a wave stand how."""
        return Counter(entry.seen.standing for entry in self._entries.values() if entry.wave == wave)

    def wave_of(self, device: str) -> int:
        """The wave of a device."""
        return self._entries[device].wave

    def those(self, standing: Standing) -> list[str]:
        """The devices that stand so."""
        return [device for device, entry in self._entries.items() if entry.seen.standing is standing]

    @property
    def waves(self) -> int:
        """How many waves there are, as far as devices were told."""
        return max((entry.wave for entry in self._entries.values()), default=-1) + 1
