"""Identities of devices and modules."""

from typing import Final

from aiohttp import web

from edge_simulator.service.documents import device_document, module_document
from edge_simulator.service.edges import Edges
from edge_simulator.service.requests import count

# IoT Hub's own limit.
_MOST_DEVICES: Final = 1000


class Registry:
    """Shows identities; the deployment alone makes and removes them."""

    def __init__(self, edges: Edges) -> None:
        self._edges = edges

    def routes(self) -> list[web.RouteDef]:
        """Return the HTTP routes."""
        return [
            web.get("/devices", self._list_devices),
            web.get("/devices/{device}", self._get_device),
            web.get("/devices/{device}/modules", self._list_modules),
            web.get("/devices/{device}/modules/{module}", self._get_module),
        ]

    async def _list_devices(self, request: web.Request) -> web.Response:
        top = count(request.query.get("top"), _MOST_DEVICES)
        return web.json_response([device_document(edge) for edge in self._edges][:top])

    async def _get_device(self, request: web.Request) -> web.Response:
        return web.json_response(device_document(self._edges.get(request.match_info["device"])))

    async def _list_modules(self, request: web.Request) -> web.Response:
        edge = self._edges.get(request.match_info["device"])
        return web.json_response([module_document(edge, module) for module in edge.modules])

    async def _get_module(self, request: web.Request) -> web.Response:
        edge, module = self._edges.get(request.match_info["device"]), request.match_info["module"]
        edge.twin(module)
        return web.json_response(module_document(edge, module))
