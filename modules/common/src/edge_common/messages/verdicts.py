"""What became of items: receipts, rejects, and questions about them."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from edge_common.messages.wire import Body, ItemId, Ordinal, Wire


class ReceiptStatus(StrEnum):
    """What ``upload`` has done with an item, or with a part of it."""

    PART = "part"
    """The part is on upload's disk; others are missing. Renews the lease."""
    ACCEPTED = "accepted"
    """All of the item is on upload's disk. Frees the window; it need not be sent again."""
    UPLOADED = "uploaded"
    """All that the policy selected of the item is in the store, checked. The file may go."""
    DEFERRED = "deferred"
    """The spool is full. Hold the lease."""
    UNKNOWN = "unknown"
    """Answer to an inquiry: never heard of it. Send again."""


class Receipt(Wire):
    """One verdict.

    Attributes:
        part: The part that it is about; none where it answers an inquiry or tells of an upload.
        model: The digest of the model that the stored predictions are from, where there is one.
        durable: Where an *uploaded* item is durable: in the ``cloud``, or on the ``appliance`` that hands it there.
    """

    id: ItemId
    attempt: Ordinal
    part: int | None = None
    status: ReceiptStatus
    model: str | None = None
    durable: Literal["cloud", "appliance"] | None = None


class ReceiptsMessage(Body):
    """``upload`` → ``ingest`` and ``transform``: what became of items."""

    receipts: Annotated[tuple[Receipt, ...], Field(min_length=1)]


class Reject(Wire):
    """A stage cannot process an item.

    Attributes:
        stage: The module that says so.
        code: For machines, such as ``DECODE_FAILED``.
        message: One sentence for people.
        retryable: Whether sending the item again can help; if not, it is quarantined.
    """

    id: ItemId
    attempt: Ordinal
    stage: str
    code: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]
    message: Annotated[str, Field(max_length=2000)]
    retryable: bool


class RejectsMessage(Body):
    """Any stage → ``ingest``: items that it cannot process."""

    rejects: Annotated[tuple[Reject, ...], Field(min_length=1)]


class Inquiry(Wire):
    """A question about one item that was accepted in that attempt."""

    id: ItemId
    attempt: Ordinal


class InquiriesMessage(Body):
    """``ingest`` → ``upload``: what became of these? And: these are settled, forget them.

    Attributes:
        ask: Answered by a receipt each: accepted, uploaded or unknown.
        settled: Items whose end is in the ledger; upload's index may let them go.
    """

    ask: tuple[Inquiry, ...] = ()
    settled: tuple[ItemId, ...] = ()
