"""What the modules say to each other: references and verdicts, never data.

Every body is JSON with a ``schema`` number. Readers take their own schema and the one before, and ignore fields that
they do not know, so that modules can be updated one at a time. Bodies stay under ``MAX_BODY_BYTES``, but for the one
that carries a file that an operator asks about.
"""

from edge_common.messages.history import Event, HistoryMessage, ItemHistory, KeptMessage
from edge_common.messages.items import Frame, Item, ItemsMessage, Part, TensorsMessage
from edge_common.messages.predictions import (
    DriftAlert,
    FeatureDrift,
    Hint,
    HintsMessage,
    Mark,
    ModelIdentity,
    PredictedPart,
    PredictionsMessage,
)
from edge_common.messages.preparing import ContractMessage, LiveShare, OneFile, TrialBatchMessage, TrialMessage
from edge_common.messages.verdicts import (
    InquiriesMessage,
    Inquiry,
    Receipt,
    ReceiptsMessage,
    ReceiptStatus,
    Reject,
    RejectsMessage,
)
from edge_common.messages.wire import MAX_BODY_BYTES, Body, ItemId, SharePath, chunks

__all__ = [
    "MAX_BODY_BYTES",
    "Body",
    "ContractMessage",
    "DriftAlert",
    "Event",
    "FeatureDrift",
    "Frame",
    "Hint",
    "HintsMessage",
    "HistoryMessage",
    "InquiriesMessage",
    "Inquiry",
    "Item",
    "ItemHistory",
    "ItemId",
    "ItemsMessage",
    "KeptMessage",
    "LiveShare",
    "Mark",
    "ModelIdentity",
    "OneFile",
    "Part",
    "PredictedPart",
    "PredictionsMessage",
    "Receipt",
    "ReceiptStatus",
    "ReceiptsMessage",
    "Reject",
    "RejectsMessage",
    "SharePath",
    "TensorsMessage",
    "TrialBatchMessage",
    "TrialMessage",
    "chunks",
]
