"""What happened to items, from the ledger to the store."""

from datetime import date
from typing import Annotated

from pydantic import Field

from edge_common.messages.wire import Body, Count, ItemId, LedgerId, Wire


class Event(Wire):
    """Something that happened to an item.

    Attributes:
        number: Counts the events of one ledger, from 1 and without gaps: no event is missed unnoticed.
        event: ``seen``, or the state that the item has got in the ledger.
        attempt: How often the item had been sent by then.
        at: When, in seconds since 1970.
        code: Of the reject, where there was one; ``stage`` and ``reason`` likewise.
    """

    number: Annotated[int, Field(ge=1)]
    event: Annotated[str, Field(pattern=r"^[a-z]{1,30}$")]
    attempt: Count
    at: Annotated[float, Field(allow_inf_nan=False)]
    code: str | None = None
    stage: str | None = None
    reason: str | None = None


class ItemHistory(Wire):
    """What happened to one item.

    Attributes:
        sha256: Of the item's content; empty where it could not be read.
        events: In their order.
    """

    id: ItemId
    path: str
    sha256: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")]
    size: Annotated[int, Field(ge=0)]
    date: date
    generation: Count
    events: Annotated[tuple[Event, ...], Field(min_length=1)]


class HistoryMessage(Body):
    """``ingest`` → ``upload``: what happened to items, to be stored with the results.

    Attributes:
        ledger: Which ledger: a lost one is followed by one with another name, whose numbers begin anew.
        items: Whom it happened to.
    """

    ledger: LedgerId
    items: Annotated[tuple[ItemHistory, ...], Field(min_length=1)]


class KeptMessage(Body):
    """``upload`` → ``ingest``: the events with these numbers are on upload's disk; the ledger may let them go."""

    ledger: LedgerId
    numbers: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1)]
