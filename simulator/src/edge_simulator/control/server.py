"""The simulator's end of the control API."""

import json
import os
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from edge_simulator.address import MQTT_TLS_PORT
from edge_simulator.agent.agent import Agent
from edge_simulator.agent.supervisor import ModuleStatus
from edge_simulator.control.faults import FaultApi
from edge_simulator.errors import SimulatorError, UnknownModuleError
from edge_simulator.faults import Faults
from edge_simulator.hub.hub import Hub
from edge_simulator.hub.messages import MAX_MESSAGE_BYTES
from edge_simulator.hub.methods import MethodCall
from edge_simulator.hub.twins import document
from edge_simulator.identity import Device
from edge_simulator.routing import ModuleInput
from edge_simulator.service.access import Access
from edge_simulator.state import State


class ControlApi:
    """Twins, status, credentials, and what goes to the cloud."""

    def __init__(self, device: Device, state: State, hub: Hub, agent: Agent, faults: Faults, access: Access) -> None:
        self._device = device
        self._state = state
        self._hub = hub
        self._agent = agent
        self._access = access
        self._faults = FaultApi(faults, hub, agent)

    def application(self) -> web.Application:
        """Return the HTTP application."""
        application = web.Application(middlewares=[_answer_errors], client_max_size=2 * MAX_MESSAGE_BYTES)
        application.add_routes(
            [
                web.get("/status", self._get_status),
                web.get("/twins/{module}", self._get_twin),
                web.patch("/twins/{module}/desired", self._patch_desired),
                web.get("/modules/{module}/credentials", self._get_credentials),
                web.get("/modules/{module}/connection-string", self._get_connection_string),
                web.post("/modules/{module}/hand-over", self._post_hand_over),
                web.post("/modules/{module}/inputs/{input}", self._post_message),
                web.get("/events", self._get_events),
                web.post("/modules/{module}/methods", self._post_method),
                web.get("/service", self._get_service),
                *self._faults.routes(),
            ]
        )
        return application

    async def _get_status(self, _: web.Request) -> web.Response:
        agent = self._agent.status()
        connected = set(self._hub.connected())
        modules = [
            {"name": name, "connected": name in connected, **_run(agent.get(name))} for name in self._hub.modules
        ]
        queues = [
            {"module": module, "input": name, "messages": count} for (module, name), count in self._hub.queued().items()
        ]
        return web.json_response(
            {
                "pid": os.getpid(),
                "state": str(self._state.root),
                "address": f"{self._device.gateway_host}:{MQTT_TLS_PORT}",
                "hub": self._device.hub_host,
                "service": self._access.host,
                "device": self._device.device_id,
                "modules": modules,
                "queues": queues,
                "faults": self._faults.active(),
            }
        )

    async def _get_twin(self, request: web.Request) -> web.Response:
        return web.json_response(document(self._hub.twins.get(request.match_info["module"])))

    async def _patch_desired(self, request: web.Request) -> web.Response:
        version = self._hub.set_desired(request.match_info["module"], await request.json())
        await self._hub.stored()
        return web.json_response({"version": version})

    async def _get_credentials(self, request: web.Request) -> web.Response:
        return web.json_response(self._agent.credentials(self._module(request)))

    async def _get_connection_string(self, request: web.Request) -> web.Response:
        return web.json_response(self._agent.connection_string(self._module(request)))

    async def _post_hand_over(self, request: web.Request) -> web.Response:
        return web.json_response({"stopped": await self._agent.hand_over(self._module(request))})

    async def _post_message(self, request: web.Request) -> web.Response:
        """Take a message for an input: its body as is, its properties in the query."""
        self._hub.send(
            ModuleInput(self._module(request), request.match_info["input"]), request.query, await request.read()
        )
        return web.json_response({})

    async def _post_method(self, request: web.Request) -> web.Response:
        call = MethodCall.from_body(await request.json())
        result = await self._hub.methods.invoke(self._module(request), call)
        return web.json_response({"status": result.status, "payload": result.payload})

    async def _get_service(self, _: web.Request) -> web.Response:
        return web.json_response(
            {"connectionString": self._access.connection_string, "certificate": str(self._state.certificate)}
        )

    def _module(self, request: web.Request) -> str:
        module = request.match_info["module"]
        if module not in self._hub.modules:
            raise UnknownModuleError(f"there is no module {module!r}: `edge-simulator run --module {module}` adds one")
        return module

    async def _get_events(self, request: web.Request) -> web.StreamResponse:
        """Stream what goes to the cloud, a JSON line each, until the listener or the simulator goes."""
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        with self._hub.monitor.listen() as events:
            await response.prepare(request)
            while (event := await events.get()) is not None:
                await response.write(json.dumps(event).encode() + b"\n")
        return response


def _run(status: ModuleStatus | None) -> dict[str, Any]:
    """Return how a module runs; one that others run has no status of ours."""
    if status is None:
        return {"status": "external"}
    return {
        "status": status.status,
        "pid": status.pid,
        "restarts": status.restarts,
        "exitCode": status.exit_code,
        "reason": status.reason,
    }


@web.middleware
async def _answer_errors(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        return await handler(request)
    except UnknownModuleError as error:
        return web.json_response({"message": str(error)}, status=404)
    except (SimulatorError, ValueError) as error:
        return web.json_response({"message": str(error)}, status=400)
