"""Deployments by hand: a manifest's content for one device."""

from collections.abc import Mapping

from aiohttp import web

from edge_simulator.hub.twins import DEVICE_TWIN
from edge_simulator.service.edges import Edges
from edge_simulator.service.errors import bad_request
from edge_simulator.service.requests import json_object


class DeploymentService:
    """Applies content to devices."""

    def __init__(self, edges: Edges) -> None:
        self._edges = edges

    def routes(self) -> list[web.RouteDef]:
        """Return the HTTP routes."""
        return [web.post("/devices/{device}/applyConfigurationContent", self._apply)]

    async def _apply(self, request: web.Request) -> web.Response:
        edge = self._edges.get(request.match_info["device"])
        content = await json_object(request)
        sections = content.get("modulesContent") or {}
        if not isinstance(sections, Mapping):
            raise bad_request("modulesContent must be a JSON object")
        of_device = {DEVICE_TWIN: content["deviceContent"]} if content.get("deviceContent") else {}
        edge.deployer.apply({**of_device, **sections})
        return web.Response(status=204)
