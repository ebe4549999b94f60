"""Faults over the control API."""

from typing import Any

from aiohttp import web

from edge_simulator.agent.agent import Agent
from edge_simulator.errors import UnknownModuleError
from edge_simulator.faults import Faults
from edge_simulator.hub.hub import Hub

_DEVICE = "upstream"


class FaultApi:
    """Begins faults, and ends them before their time."""

    def __init__(self, faults: Faults, hub: Hub, agent: Agent) -> None:
        self._faults = faults
        self._hub = hub
        self._agent = agent

    def routes(self) -> list[web.RouteDef]:
        """Return the HTTP routes."""
        return [
            web.put("/faults/upstream", self._put),
            web.delete("/faults/upstream", self._delete),
            web.put("/faults/{area}/{module}", self._put),
            web.delete("/faults/{area}/{module}", self._delete),
            web.post("/modules/{module}/kill", self._kill),
            web.post("/modules/{module}/restart", self._restart),
        ]

    def active(self) -> list[dict[str, Any]]:
        """Return the faults of the moment."""
        return [
            {
                "area": fault.area,
                "module": fault.target or None,
                "effect": fault.effect,
                "delaySeconds": fault.delay_s or None,
                "secondsLeft": round(left_s, 3),
            }
            for fault, left_s in self._faults.active()
        ]

    async def _put(self, request: web.Request) -> web.Response:
        """Begin a fault: `effect`, `seconds`, and `delaySeconds` where it is a delay."""
        area, module = self._target(request)
        body = await request.json()
        self._faults.inject(area, module, str(body["effect"]), float(body["seconds"]), float(body["delaySeconds"]))
        return web.json_response({})

    async def _delete(self, request: web.Request) -> web.Response:
        self._faults.lift(*self._target(request))
        return web.json_response({})

    async def _kill(self, request: web.Request) -> web.Response:
        self._agent.kill(request.match_info["module"])
        return web.json_response({})

    async def _restart(self, request: web.Request) -> web.Response:
        await self._agent.restart(request.match_info["module"])
        return web.json_response({})

    def _target(self, request: web.Request) -> tuple[str, str]:
        """Return the area and the module that a path names; the device's own area stands without a module."""
        area, module = request.match_info.get("area", _DEVICE), request.match_info.get("module", "")
        if area == "module":
            self._agent.require(module)
        elif area != _DEVICE and module not in self._hub.modules:
            raise UnknownModuleError(f"there is no module {module!r}; known are {', '.join(sorted(self._hub.modules))}")
        return area, module
