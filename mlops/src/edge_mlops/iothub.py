"""IoT Hub's registry through its service SDK, which comes with the extra ``hub``."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from azure.iot.hub import IoTHubRegistryManager
from msrest.exceptions import ClientException, HttpOperationError

from edge_mlops.errors import HubError


def registry(connection_string: str) -> IoTHubRegistryManager:
    """Connect to a hub's registry.

    Args:
        connection_string: Of a policy that may write to it.

    Raises:
        HubError: It is none; what it is is not said, since it may be half of a secret.
    """
    try:
        return IoTHubRegistryManager.from_connection_string(connection_string)
    except ValueError:
        raise HubError("that is no connection string of an IoT Hub") from None


@contextmanager
def failures() -> Iterator[None]:
    """Have what goes wrong with a hub told in a sentence.

    Raises:
        HubError: Something does.
    """
    try:
        yield
    except HttpOperationError as error:
        raise HubError(f"IoT Hub answered {error.response.status_code}: {error.response.text}") from None
    except ClientException as error:
        raise HubError(f"IoT Hub cannot be reached: {error}") from None


def items(ask: Callable[[str | None], Any]) -> Iterator[Any]:
    """What is on all pages of an answer.

    Args:
        ask: Gives the page that a token leads to, the first one for None.
    """
    page = ask(None)
    yield from page.items
    while page.continuation_token is not None:
        page = ask(page.continuation_token)
        yield from page.items
