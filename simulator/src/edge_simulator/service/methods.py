"""Direct methods of devices and modules."""

from aiohttp import web

from edge_simulator.errors import MethodTimeoutError, ModuleOfflineError
from edge_simulator.hub.methods import MethodCall
from edge_simulator.hub.twins import DEVICE_TWIN
from edge_simulator.service.edges import Edges
from edge_simulator.service.errors import ServiceError
from edge_simulator.service.requests import json_object


class MethodService:
    """Calls methods."""

    def __init__(self, edges: Edges) -> None:
        self._edges = edges

    def routes(self) -> list[web.RouteDef]:
        """Return the HTTP routes."""
        return [
            web.post("/twins/{device}/methods", self._invoke),
            web.post("/twins/{device}/modules/{module}/methods", self._invoke),
        ]

    async def _invoke(self, request: web.Request) -> web.Response:
        edge, module = self._edges.get(request.match_info["device"]), request.match_info.get("module", DEVICE_TWIN)
        edge.twin(module)
        call = MethodCall.from_body(await json_object(request))
        try:
            result = await edge.hub.methods.invoke(module, call)
        except ModuleOfflineError as error:
            raise ServiceError(404, "DeviceNotOnline", str(error)) from error
        except MethodTimeoutError as error:
            raise ServiceError(504, "GatewayTimeout", str(error)) from error
        return web.json_response({"status": result.status, "payload": result.payload})
