"""Direct methods: a call goes to a module over its connection, and waits for the answer.

Limits and time limits are those of `DirectMethodRequest.cs` and `InvokeMethodHandler.cs` in Azure/iotedge.
"""

import asyncio
import itertools
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from edge_simulator.errors import MethodCallError, MethodTimeoutError, ModuleOfflineError
from edge_simulator.hub import topics
from edge_simulator.hub.session import ModuleSession
from edge_simulator.hub.topics import Feature

MAX_NAME_CHARACTERS: Final = 100
MAX_PAYLOAD_BYTES: Final = 131_072
DEFAULT_RESPONSE_TIMEOUT_S: Final = 30
_RESPONSE_TIMEOUTS_S: Final = range(5, 301)
_CONNECT_TIMEOUTS_S: Final = range(301)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MethodCall:
    """A method by name, with its JSON payload; times in seconds."""

    name: str
    payload: Any = None
    response_timeout_s: int = DEFAULT_RESPONSE_TIMEOUT_S
    connect_timeout_s: int = 0

    @classmethod
    def from_body(cls, body: object) -> Self:
        """Read a call as IoT Hub's REST API and edgeHub's take it.

        Raises:
            MethodCallError: it is none, or over a limit.
        """
        if not isinstance(body, Mapping):
            raise MethodCallError("a method call is a JSON object")
        return cls(
            _name(body.get("methodName")),
            _payload(body.get("payload")),
            _seconds(body, "responseTimeoutInSeconds", DEFAULT_RESPONSE_TIMEOUT_S, _RESPONSE_TIMEOUTS_S),
            _seconds(body, "connectTimeoutInSeconds", 0, _CONNECT_TIMEOUTS_S),
        )


@dataclass(frozen=True, slots=True)
class MethodResult:
    """A module's answer, as it gave it."""

    status: int
    payload: Any


class Methods:
    """The calls under way to a device's modules."""

    def __init__(self, sessions: Mapping[str, ModuleSession]) -> None:
        self._sessions = sessions
        self._request_ids = itertools.count(1)
        self._waiting: dict[tuple[str, str], asyncio.Future[MethodResult]] = {}

    async def invoke(self, module: str, call: MethodCall) -> MethodResult:
        """Call a module's method, and return its answer.

        Raises:
            ModuleOfflineError: it is not there, or takes no methods, within the time to connect.
            MethodTimeoutError: it has not answered within the time to respond.
        """
        session = await self._ready(module, call.connect_timeout_s)
        rid = str(next(self._request_ids))
        answer: asyncio.Future[MethodResult] = asyncio.get_running_loop().create_future()
        self._waiting[module, rid] = answer
        try:
            session.tell(Feature.METHODS, topics.method(call.name, rid), json.dumps(call.payload).encode())
            async with asyncio.timeout(call.response_timeout_s):
                return await answer
        except TimeoutError as error:
            raise MethodTimeoutError(
                f"{module} has not answered {call.name} within {call.response_timeout_s} s"
            ) from error
        finally:
            del self._waiting[module, rid]

    def answer(self, module: str, topic: str, payload: bytes) -> None:
        """Take a module's answer to a call; one that nobody waits for any more is dropped."""
        rid, status = topics.request_id(topic), topics.method_status(topic)
        waiting = self._waiting.get((module, rid or ""))
        if waiting is None or waiting.done() or status is None:
            _log.warning("%s answered a method call that nobody waits for: dropped", module)
            return
        waiting.set_result(MethodResult(status, _json(payload)))

    async def _ready(self, module: str, timeout_s: int) -> ModuleSession:
        session = self._sessions.get(module)
        try:
            if session is not None and not session.listens_to(Feature.METHODS):
                async with asyncio.timeout(timeout_s):
                    await session.until_listening(Feature.METHODS)
        except TimeoutError:
            session = None
        if session is None:
            raise ModuleOfflineError(f"{module} is not connected, or has not subscribed to methods")
        return session


def _name(name: object) -> str:
    if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME_CHARACTERS:
        raise MethodCallError(f"methodName must be a text of 1 to {MAX_NAME_CHARACTERS} characters")
    return name


def _payload(payload: Any) -> Any:
    size = len(json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode())
    if size > MAX_PAYLOAD_BYTES:
        raise MethodCallError(f"the payload takes {size} bytes; the limit is {MAX_PAYLOAD_BYTES}")
    return payload


def _seconds(body: Mapping[str, Any], name: str, default: int, allowed: range) -> int:
    seconds = default if body.get(name) is None else body[name]
    if isinstance(seconds, bool) or not isinstance(seconds, int) or seconds not in allowed:
        raise MethodCallError(f"{name} must be an integer from {allowed[0]} to {allowed[-1]}")
    return seconds


def _json(payload: bytes) -> Any:
    try:
        return json.loads(payload or b"null")
    except ValueError:
        return payload.decode(errors="replace")
