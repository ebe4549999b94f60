"""Every error that the suite raises on purpose.

    EdgeError
    ├── ConfigurationError     a setting is missing or wrong; a person must mend it
    ├── HubRefusedError        the hub answered, and refused
    ├── StuckError             something neither answers nor ends; only a new process helps
    │   └── HubStuckError      the connection to the hub
    ├── MalformedMessageError  a message's body is not what its input takes
    ├── TensorStoreError
    │   ├── StoreFullError     the store's budget is used up; wait for receipts
    │   ├── BatchTooLargeError one batch alone is over the budget
    │   ├── BatchGoneError     the batch is no longer there; its item will be sent again
    │   └── BatchTornError     the batch is not whole; its item will be sent again
    └── ItemError              one item cannot be processed; carries the code of its reject

Each says whether trying again can help (``retryable``) and what to do (``hint``, empty where there is nothing to do).
"""

from typing import ClassVar


class EdgeError(Exception):
    """Base of the suite's errors."""

    retryable: ClassVar[bool] = False
    hint: ClassVar[str] = ""

    def __str__(self) -> str:
        message = super().__str__()
        return f"{message}: {self.hint}" if self.hint else message


class ConfigurationError(EdgeError):
    """A setting is missing or wrong."""


class HubRefusedError(EdgeError):
    """The hub answered, and refused: a reported patch over its limits, say."""


class StuckError(EdgeError):
    """Something in this process neither answers nor ends; only a new process helps."""


class HubStuckError(StuckError):
    """The connection neither answers nor ends."""

    hint = "the module ends, to be started again"


class MalformedMessageError(EdgeError):
    """A message's body is not what its input takes."""

    hint = "the sender and this module must be at most one schema apart"


class TensorStoreError(EdgeError):
    """The tensor store cannot take or give a batch."""

    retryable = True


class StoreFullError(TensorStoreError):
    """The tensor store's budget is used up."""


class BatchTooLargeError(TensorStoreError):
    """One batch alone is over the tensor store's budget."""

    retryable = False
    hint = "raise storeBudgetBytes, or let the model's contract ask for smaller input"


class BatchGoneError(TensorStoreError):
    """The batch is no longer in the tensor store."""


class BatchTornError(TensorStoreError):
    """The batch's file is not whole."""


class ItemError(EdgeError):
    """One item cannot be processed; the others go on.

    Attributes:
        code: The reject's code, such as ``DECODE_FAILED``; stable, for machines.
        can_retry: Whether sending the item again can help.
    """

    def __init__(self, code: str, message: str, *, can_retry: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.can_retry = can_retry
