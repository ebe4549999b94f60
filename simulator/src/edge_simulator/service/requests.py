"""What handlers read out of requests."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from edge_simulator.service.errors import ServiceError, bad_request


async def json_object(request: web.Request) -> Mapping[str, Any]:
    """Return the body, a JSON object.

    Raises:
        ServiceError: it is none.
    """
    try:
        body = await request.json()
    except (ValueError, RecursionError) as error:
        raise bad_request(f"the body is no JSON: {error}") from error
    if not isinstance(body, Mapping):
        raise bad_request("the body must be a JSON object")
    return body


def check_etag(request: web.Request, current: str) -> None:
    """Check `If-Match`, where there is one, against the current entity tag.

    Raises:
        ServiceError: the request means another version.
    """
    wanted = request.headers.get("If-Match", "*").removeprefix("W/").strip('"')
    if wanted not in {"*", current}:
        raise ServiceError(412, "PreconditionFailed", f"the entity tag is {current}, not {wanted}")


def count(text: str | None, default: int) -> int:
    """Return a positive number from a header or a query.

    Raises:
        ServiceError: it is none.
    """
    if text is None:
        return default
    if not text.isdecimal() or int(text) == 0:
        raise bad_request(f"{text!r} is not a number of items")
    return int(text)
