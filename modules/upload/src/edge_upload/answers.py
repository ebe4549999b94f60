"""What upload answers to a part that has come. Pure: no I/O."""

from typing import Final

from edge_common.errors import ItemError
from edge_common.messages import Receipt, ReceiptStatus, Reject
from edge_upload.records import Arrival, digest_of

STAGE: Final = "upload"

Answer = Receipt | Reject


def receipt(arrival: Arrival, status: ReceiptStatus) -> Receipt:
    """A receipt for a part."""
    record = arrival.record
    model = digest_of(record) if status is ReceiptStatus.ACCEPTED else None
    return Receipt(id=record.item.id, attempt=record.item.attempt, part=record.part, status=status, model=model)


def refusal(arrival: Arrival, error: ItemError) -> Reject:
    """A reject of the item that a part is of."""
    return Reject(
        id=arrival.record.item.id,
        attempt=arrival.record.item.attempt,
        stage=STAGE,
        code=error.code,
        message=str(error),
        retryable=error.can_retry,
    )
