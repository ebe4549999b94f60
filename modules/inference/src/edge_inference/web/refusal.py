"""What a request is told that is not answered, as the protocol has it: ``{"error": …}``."""

from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from edge_common.errors import EdgeError

BAD_REQUEST: Final = 400
UNAUTHORIZED: Final = 401
NOT_FOUND: Final = 404
TIMED_OUT: Final = 408
TOO_LARGE: Final = 413
UNSUPPORTED: Final = 415
FAILED: Final = 500
UNAVAILABLE: Final = 503

_HEADERS: Final = {UNAVAILABLE: {"Retry-After": "1"}, UNAUTHORIZED: {"WWW-Authenticate": "Bearer"}}


class RefusedError(EdgeError):
    """A request that is not answered.

    Attributes:
        status: HTTP's; 503 comes with ``Retry-After``.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status

    @property
    def response(self) -> Response:
        """What the client gets."""
        return JSONResponse({"error": str(self)}, self.status, _HEADERS.get(self.status))


def no_route(request: Request, error: Exception) -> Response:
    """Starlette's own refusals: a path, or a method of one, that there is not."""
    status = error.status_code if isinstance(error, HTTPException) else FAILED
    return RefusedError(status, f"there is no {request.method} {request.url.path}").response


def failed(_: Request, __: Exception) -> Response:
    """What was not foreseen; uvicorn logs it."""
    return RefusedError(FAILED, "the server has failed, and its log says why").response
