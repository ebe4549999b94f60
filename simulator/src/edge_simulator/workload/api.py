"""The part of the workload API that modules' SDKs use (Azure/iotedge, `workloadVersion_2020_07_07.yaml`)."""

import base64
import binascii
from collections.abc import Container
from typing import Final

from aiohttp import web

from edge_simulator.identity import Device

API_VERSION: Final = "2020-07-07"


class WorkloadApi:
    """Signs for modules with their keys, and says whom to trust."""

    def __init__(self, device: Device, trust_bundle: str, modules: Container[str]) -> None:
        self._device = device
        self._trust_bundle = trust_bundle
        self._modules = modules

    def application(self) -> web.Application:
        """Return the HTTP application."""
        application = web.Application()
        application.add_routes(
            [
                web.get("/trust-bundle", self._get_trust_bundle),
                web.post("/modules/{module}/genid/{generation}/sign", self._sign),
            ]
        )
        return application

    async def _get_trust_bundle(self, _: web.Request) -> web.Response:
        return web.json_response({"certificate": self._trust_bundle})

    async def _sign(self, request: web.Request) -> web.Response:
        module, generation = request.match_info["module"], request.match_info["generation"]
        if module not in self._modules or generation != self._device.generation_id(module):
            return _error(404, f"no module {module!r} of generation {generation}")
        try:
            body = await request.json()
            data = base64.b64decode(body["data"], validate=True)
        except (ValueError, KeyError, TypeError, binascii.Error) as error:
            return _error(400, f"no data to sign: {error}")
        return web.json_response({"digest": base64.b64encode(self._device.sign(module, data)).decode()})


def _error(status: int, message: str) -> web.Response:
    return web.json_response({"message": message}, status=status)
