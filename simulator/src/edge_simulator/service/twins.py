"""Twins of devices and modules."""

from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from edge_simulator.hub import twin_rules
from edge_simulator.hub.twins import DEVICE_TWIN
from edge_simulator.service.documents import twin_document, twin_etag
from edge_simulator.service.edges import Edge, Edges
from edge_simulator.service.errors import bad_request
from edge_simulator.service.requests import check_etag, json_object

_DEVICE: Final = "/twins/{device}"
_MODULE: Final = "/twins/{device}/modules/{module}"
# What IoT Hub adds to desired properties, and so finds in twins that were read, changed and written back.
_ADDED: Final = frozenset({"$metadata", "$version"})


class TwinService:
    """Reads twins, and merges or replaces their tags and desired properties."""

    def __init__(self, edges: Edges) -> None:
        self._edges = edges

    def routes(self) -> list[web.RouteDef]:
        """Return the HTTP routes."""
        return [
            route
            for path in (_DEVICE, _MODULE)
            for route in (web.get(path, self._get), web.patch(path, self._update), web.put(path, self._replace))
        ]

    async def _get(self, request: web.Request) -> web.Response:
        edge, module = self._subject(request)
        return web.json_response(twin_document(edge, module))

    async def _update(self, request: web.Request) -> web.Response:
        edge, module = self._subject(request)
        body = await json_object(request)
        check_etag(request, twin_etag(edge.twin(module)))
        tags, desired = _sections(body)
        if tags is not None:
            edge.hub.twins.tag(module, tags, replacing=False)
        if desired is not None:
            edge.hub.set_desired(module, desired)
        return web.json_response(twin_document(edge, module))

    async def _replace(self, request: web.Request) -> web.Response:
        edge, module = self._subject(request)
        body = await json_object(request)
        check_etag(request, twin_etag(edge.twin(module)))
        tags, desired = _sections(body)
        edge.hub.twins.tag(module, tags or {}, replacing=True)
        edge.hub.replace_desired(module, desired or {})
        return web.json_response(twin_document(edge, module))

    def _subject(self, request: web.Request) -> tuple[Edge, str]:
        edge, module = self._edges.get(request.match_info["device"]), request.match_info.get("module", DEVICE_TWIN)
        edge.twin(module)
        return edge, module


def _sections(body: Mapping[str, Any]) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """Return the tags and the desired properties of a twin in a request, each None if it is not there.

    Raises:
        TwinError: they do not fit in a twin.
        ServiceError: they are not where they should be.
    """
    properties = body.get("properties") or {}
    if not isinstance(properties, Mapping):
        raise bad_request("properties must be a JSON object")
    tags, desired = body.get("tags"), properties.get("desired")
    if isinstance(desired, Mapping):
        desired = {name: value for name, value in desired.items() if name not in _ADDED}
    return _checked(tags), _checked(desired)


def _checked(section: object) -> dict[str, Any] | None:
    return None if section is None else twin_rules.check_patch(section)
