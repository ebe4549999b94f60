"""edgeHub's HTTPS: direct methods from module to module (its `TwinsController.cs`)."""

import time
from collections.abc import Callable
from typing import Final

from aiohttp import web

from edge_simulator.errors import MethodCallError, MethodTimeoutError, ModuleOfflineError
from edge_simulator.hub.authentication import check_token
from edge_simulator.hub.methods import MethodCall, Methods
from edge_simulator.identity import Device
from edge_simulator.mqtt.connection import RefusedError

_CALLER: Final = "x-ms-edge-moduleId"


class MethodApi:
    """Calls methods for modules that prove who they are."""

    def __init__(self, device: Device, methods: Methods, now: Callable[[], float] = time.time) -> None:
        self._device = device
        self._methods = methods
        self._now = now

    def application(self) -> web.Application:
        """Return the HTTP application."""
        application = web.Application()
        application.add_routes(
            [
                web.post("/twins/{device}/methods", self._invoke),
                web.post("/twins/{device}/modules/{module}/methods", self._invoke),
            ]
        )
        return application

    async def _invoke(self, request: web.Request) -> web.Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        try:
            call = MethodCall.from_body(await request.json())
            result = await self._methods.invoke(request.match_info.get("module", ""), call)
        except (MethodCallError, ValueError) as error:
            return _error(400, str(error))
        except ModuleOfflineError as error:
            return _error(404, str(error))
        except MethodTimeoutError as error:
            return _error(504, str(error))
        return web.json_response({"status": result.status, "payload": result.payload})

    def _refusal(self, request: web.Request) -> web.Response | None:
        """Return the answer to a caller that is no module of this device, and None to one that is."""
        device, _, module = request.headers.get(_CALLER, "").partition("/")
        if not module:
            return _error(400, f"the header {_CALLER} must be DEVICE/MODULE")
        if device != self._device.device_id or request.match_info["device"] != device:
            return _error(401, "a module may call methods on its own device alone")
        try:
            check_token(request.headers.get("Authorization", ""), module, self._device, self._now())
        except RefusedError as refusal:
            return _error(401, str(refusal))
        return None


def _error(status: int, message: str) -> web.Response:
    return web.json_response({"message": message}, status=status)
