"""What the SDK raises, as errors of the sink; without its texts, which quote signatures.

Codes: https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes
"""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Final

from aiohttp import ClientError
from azure.core.exceptions import AzureError, HttpResponseError
from azure.storage.blob import StorageErrorCode

from edge_upload.sinks import SinkConflictError, SinkDeniedError, SinkError, SinkMissingError, SinkUnavailableError

DENIED: Final = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
OCCUPIED: Final = {"BlobAlreadyExists", "ConditionNotMet", "TargetConditionNotMet"}
IN_THE_WAY: Final = {
    "InvalidBlobOrBlock",
    "InvalidBlobType",
    "BlobImmutableDueToPolicy",
    "LeaseIdMissing",
    "BlobArchived",
}


class BlobOccupiedError(SinkConflictError):
    """A blob of this name was there already; whether it is the same is still to be seen."""


@contextmanager
def trouble_with(what: str) -> Iterator[None]:
    """What goes wrong within becomes a SinkError.

    Args:
        what: Says what was asked of the store, such as ``read records/a``.
    """
    try:
        yield
    except HttpResponseError as error:
        raise translated(what, error) from None
    except TimeoutError:
        raise SinkUnavailableError(f"cannot {what}: the store does not answer in time") from None
    except (AzureError, ClientError) as error:
        raise SinkUnavailableError(f"cannot {what}: {_cause(error)}") from None


def translated(what: str, error: HttpResponseError) -> SinkError:
    """The sink's error for what the store has answered."""
    if error.response is None:
        return SinkDeniedError(f"cannot {what}: no identity can be had ({type(error).__name__})")
    code = _code(error)
    message = f"cannot {what}: the store answers {error.status_code} ({code})"
    if error.status_code in DENIED:
        return SinkDeniedError(message)
    if code in OCCUPIED:
        return BlobOccupiedError(message)
    if code in IN_THE_WAY:
        return SinkConflictError(message)
    if error.status_code == HTTPStatus.NOT_FOUND and code != "ContainerNotFound":
        return SinkMissingError(message)
    return SinkUnavailableError(message)


def _code(error: HttpResponseError) -> str:
    """The store's own word; those that the SDK knows are members of an enumeration, whose ``str`` is another."""
    code = getattr(error, "error_code", None)
    return code.value if isinstance(code, StorageErrorCode) else str(code or error.reason or "no code")


def _cause(error: Exception) -> str:
    """The innermost reason that the system gave; request lines are not quoted."""
    cause = error.__cause__ or error
    return getattr(cause, "strerror", None) or type(cause).__name__
