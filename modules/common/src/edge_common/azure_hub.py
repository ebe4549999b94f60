"""The hub over azure-iot-device, unmodified, as IoT Edge's environment describes it.

The SDK's own reconnection gives up on errors that pass on an edge (refused credentials while the hub restarts, a TLS
failure), and waits a fixed time without jitter. So it is switched off, and one task here keeps the connection up.
The SDK acknowledges a message before any handler runs, and its handlers run on another thread's event loop; nothing
here relies on either.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from typing import Any, Final, TypeVar

from azure.iot.device import Message, MethodRequest, MethodResponse
from azure.iot.device.aio import IoTHubModuleClient
from azure.iot.device.exceptions import ClientError, OperationCancelled, OperationTimeout, ServiceError
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_random_exponential

from edge_common.errors import ConfigurationError, HubRefusedError, HubStuckError
from edge_common.hub import Handlers, Received
from edge_common.nodelay import send_at_once

log = logging.getLogger(__name__)

T = TypeVar("T")

FAILURES = (ClientError, OperationCancelled, OperationTimeout, ServiceError, OSError)
"""What an operation raises when the connection, or the hub, is away."""

LONGEST_WAIT_S: Final = 15.0
SETTLE_S: Final = 0.05
GIVE_UP_S: Final = 1.0
STUCK_S: Final = 120.0


class AzureHub:
    """A module's connection to edgeHub.

    Args:
        client: An SDK client with ``connection_retry``, ``auto_connect`` and ``ensure_desired_properties`` off.
        stuck_s: Seconds after which an operation without an answer, on a standing connection, means that the SDK hangs.
    """

    def __init__(self, client: Any, stuck_s: float = STUCK_S) -> None:
        self._client = client
        self._stuck_s = stuck_s
        self._up = asyncio.Event()
        self._down = asyncio.Event()
        self._attended = asyncio.Event()
        self._closed = False
        self._keeper: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Future[Any]] = set()

    @classmethod
    def from_edge_environment(cls) -> "AzureHub":
        """The connection that IoT Edge's environment variables describe.

        Raises:
            ConfigurationError: They are not set, or the workload API does not answer.
        """
        try:
            client = IoTHubModuleClient.create_from_edge_environment(
                connection_retry=False, auto_connect=False, ensure_desired_properties=False
            )
        except (OSError, ValueError) as error:
            raise ConfigurationError(
                f"no IoT Edge environment ({error}); start this module by an IoT Edge runtime or edge-simulator"
            ) from error
        return cls(client)

    @property
    def connected(self) -> bool:
        """Whether the connection stands now."""
        return self._up.is_set()

    async def start(self, handlers: Handlers) -> None:
        """Connect, however long it takes, and from then on reconnect by itself."""
        loop = asyncio.get_running_loop()

        def on_message(message: Message) -> None:
            received = Received(message.input_name, bytes(message.data), dict(message.custom_properties))
            loop.call_soon_threadsafe(handlers.message, received)

        def on_patch(_: Mapping[str, Any]) -> None:
            loop.call_soon_threadsafe(self._spawn, self._read_twin(handlers.desired))

        def on_method(request: MethodRequest) -> None:
            loop.call_soon_threadsafe(self._spawn, self._answer(request, handlers.methods))

        async def attend() -> None:
            # The twin is read before its patches are asked for; and at each connection, for those missed.
            await self._read_twin(handlers.desired)
            await self._listen("on_message_received", on_message)
            await self._listen("on_twin_desired_properties_patch_received", on_patch)
            await self._listen("on_method_request_received", on_method)
            self._attended.set()

        self._client.on_connection_state_change = lambda: loop.call_soon_threadsafe(self._state_changed)
        # The handler must be there before connecting: what waits in the session would otherwise be acknowledged and
        # dropped. The subscription that the SDK attempts with it needs a connection, and follows in attend().
        with suppress(*FAILURES):
            self._client.on_message_received = on_message
        self._keeper = asyncio.create_task(self._keep_up(attend), name="hub connection")
        await self._attended.wait()

    async def send(self, output: str, body: bytes, properties: Mapping[str, str] | None = None) -> None:
        """Send a message to an output; returns once the hub has stored it."""
        message = Message(body, content_encoding="utf-8", content_type="application/json")
        message.custom_properties.update(properties or {})
        await self._when_up(lambda: self._client.send_message_to_output(message, output))

    async def report(self, patch: Mapping[str, Any]) -> None:
        """Merge a patch into the reported properties."""
        await self._when_up(lambda: self._client.patch_twin_reported_properties(dict(patch)))

    async def close(self) -> None:
        """Disconnect."""
        if self._closed:
            return
        self._closed = True
        # The SDK first: an operation that it still has would otherwise answer to a task that is gone.
        with suppress(*FAILURES):  # the connection may be gone already
            await self._client.shutdown()
        tasks = [*self._tasks, *([self._keeper] if self._keeper else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep_up(self, attend: Callable[[], Coroutine[Any, Any, None]]) -> None:
        while True:
            await self._connect()
            self._spawn(attend())
            await self._down.wait()
            if self._closed:
                return
            log.warning("the connection to the hub is lost; reconnecting")

    async def _connect(self) -> None:
        """Connect with back-off and full jitter, for ever."""
        async for attempt in AsyncRetrying(
            wait=wait_random_exponential(multiplier=0.5, max=LONGEST_WAIT_S),
            retry=retry_if_exception_type(FAILURES),
            before_sleep=_log_failure,
        ):
            with attempt:
                await self._client.connect()
        self._state_changed()
        log.info("connected to the hub")

    async def _listen(self, handler_name: str, handler: Callable[[Any], None]) -> None:
        """Set a handler and subscribe to what it handles; the SDK's setter blocks until it has."""
        await self._when_up(lambda: asyncio.to_thread(setattr, self._client, handler_name, handler))

    def _state_changed(self) -> None:
        if self._client.connected and not self._closed:
            send_at_once()
            self._down.clear()
            self._up.set()
        else:
            self._up.clear()
            self._down.set()

    async def _when_up(self, operation: Callable[[], Awaitable[T]]) -> T:
        """Run an operation once the connection stands, and again if it breaks meanwhile.

        Raises:
            HubRefusedError: The hub answered, and refused.
        """
        while True:
            await self._up.wait()
            try:
                return await self._while_up(operation)
            except FAILURES as error:
                if isinstance(error, ServiceError) or isinstance(error.__cause__, ServiceError):
                    raise HubRefusedError(f"the hub refused ({error.__cause__ or error})") from error
                log.debug("an operation failed and is tried again: %s", error)
                # The state change that explains the failure may still be on its way from the SDK's thread.
                await asyncio.sleep(SETTLE_S)

    async def _while_up(self, operation: Callable[[], Awaitable[T]]) -> T:
        """Run an operation; give it up if the connection is lost, as the SDK waits for ever for a twin's answer.

        Raises:
            HubStuckError: It takes so long on a standing connection that the SDK must have lost track of it.
        """
        work = asyncio.ensure_future(operation())
        lost = asyncio.create_task(self._down.wait())
        try:
            done, _ = await asyncio.wait({work, lost}, timeout=self._stuck_s, return_when=asyncio.FIRST_COMPLETED)
            if not done:
                raise HubStuckError(
                    f"no answer from the hub in {self._stuck_s:.0f} s, and no end of the connection either"
                )
            if not work.done():
                await asyncio.wait({work}, timeout=GIVE_UP_S)
            if not work.done():
                raise OperationCancelled("the connection was lost before the answer came")
            return work.result()
        finally:
            lost.cancel()
            self._leave(work)

    def _leave(self, work: asyncio.Future[Any]) -> None:
        """Wait for an operation no longer. It is not cancelled: the SDK answers late, and cannot where nobody is."""

        def left(done: asyncio.Future[Any]) -> None:
            self._tasks.discard(done)
            if not done.cancelled():
                done.exception()  # nobody asks for it any more

        self._tasks.add(work)
        work.add_done_callback(left)

    async def _read_twin(self, desired: Callable[[Mapping[str, Any]], None]) -> None:
        async for attempt in AsyncRetrying(
            wait=wait_random_exponential(multiplier=0.5, max=LONGEST_WAIT_S),
            retry=retry_if_exception_type(HubRefusedError),
            before_sleep=_log_failure,
        ):
            with attempt:
                twin = await self._when_up(self._client.get_twin)
        desired(twin["desired"])

    async def _answer(self, request: MethodRequest, methods: Mapping[str, Callable[[Any], Awaitable[Any]]]) -> None:
        method = methods.get(request.name)
        if method is None:
            status, payload = 404, {"message": f"no method {request.name}; there are {', '.join(sorted(methods))}"}
        else:
            status, payload = await method(request.payload)
        response = MethodResponse.create_from_method_request(request, status, json.loads(json.dumps(payload)))
        with suppress(*FAILURES):  # the caller has its own time limit
            await self._client.send_method_response(response)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _log_failure(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    wait = state.next_action.sleep if state.next_action else 0.0
    log.warning("the hub cannot be reached (%s); trying again in %.1f s", _innermost(error), wait)


def _innermost(error: BaseException | None) -> BaseException | None:
    """What the SDK's errors are about: they say no more than that there was one, of TLS for instance."""
    while error and error.__cause__:
        error = error.__cause__
    return error
