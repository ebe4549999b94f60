"""Which batches live in the tensor store, and what each waits for. Pure: it is told the time."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from edge_common.messages import Part, Receipt, ReceiptStatus

WHOLE_ITEM: Final = frozenset({ReceiptStatus.ACCEPTED, ReceiptStatus.UPLOADED})


class _Key(NamedTuple):
    item: str
    attempt: int
    part: int


@dataclass(frozen=True, slots=True)
class _Resident:
    until: float
    items: frozenset[str]
    missing: set[_Key]


class Residents:
    """The batches. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._residents: dict[str, _Resident] = {}
        self._homes: defaultdict[str, set[str]] = defaultdict(set)
        """By item, the batches that hold parts of it."""

    def add(self, batch: str, parts: Iterable[Part], until: float) -> None:
        """A batch has moved in.

        Args:
            batch: Its name.
            parts: It leaves once there is a receipt for each; with none, only its time ends it.
            until: When it leaves in any case.
        """
        missing = {_Key(part.item.id, part.item.attempt, part.part) for part in parts}
        resident = _Resident(until, frozenset(key.item for key in missing), missing)
        self._residents[batch] = resident
        for item in resident.items:
            self._homes[item].add(batch)

    def count(self, item: str) -> int:
        """How many batches hold parts of an item."""
        return len(self._homes.get(item, ()))

    def settle(self, receipt: Receipt) -> list[str]:
        """The batches that leave on a receipt."""
        return [batch for batch in tuple(self._homes.get(receipt.id, ())) if self._served(batch, receipt)]

    def expire(self, now: float) -> list[str]:
        """The batches that leave because their time has ended."""
        ended = [batch for batch, resident in self._residents.items() if resident.until <= now]
        for batch in ended:
            self._leave(batch)
        return ended

    def _served(self, batch: str, receipt: Receipt) -> bool:
        """Strike out what a receipt covers; the batch leaves if that was all."""
        missing = self._residents[batch].missing
        missing -= {key for key in missing if _covers(receipt, key)}
        if not missing:
            self._leave(batch)
        return not missing

    def _leave(self, batch: str) -> None:
        for item in self._residents.pop(batch).items:
            self._homes[item].remove(batch)
            if not self._homes[item]:
                del self._homes[item]


def _covers(receipt: Receipt, key: _Key) -> bool:
    if (receipt.id, receipt.attempt) != (key.item, key.attempt):
        return False
    return receipt.status in WHOLE_ITEM or (receipt.status is ReceiptStatus.PART and receipt.part == key.part)
