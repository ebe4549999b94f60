"""Queries for twins."""

from collections.abc import Iterator

from aiohttp import web

from edge_simulator.hub.twins import DEVICE_TWIN
from edge_simulator.service.documents import JsonObject, twin_document
from edge_simulator.service.edges import Edges
from edge_simulator.service.errors import bad_request
from edge_simulator.service.query import Query, QueryError, parse_query
from edge_simulator.service.requests import count, json_object

_PAGE = 100


class QueryService:
    """Answers queries page by page; a continuation token is the number of items before the page."""

    def __init__(self, edges: Edges) -> None:
        self._edges = edges

    def routes(self) -> list[web.RouteDef]:
        """Return the HTTP routes."""
        return [web.post("/devices/query", self._query)]

    async def _query(self, request: web.Request) -> web.Response:
        query = _parse((await json_object(request)).get("query"))
        size = count(request.headers.get("x-ms-max-item-count"), _PAGE)
        start = count(request.headers.get("x-ms-continuation"), 0)
        found = list(find(query, self._edges))
        headers = {"x-ms-item-type": "Twin"}
        if start + size < len(found):
            headers["x-ms-continuation"] = str(start + size)
        return web.json_response(found[start : start + size], headers=headers)


def find(query: Query, edges: Edges) -> Iterator[JsonObject]:
    """Return the twins that a query finds."""
    for edge in edges:
        modules = [DEVICE_TWIN] if query.collection == "devices" else edge.modules
        yield from filter(query.matches, (twin_document(edge, module) for module in modules))


def _parse(text: object) -> Query:
    if not isinstance(text, str):
        raise bad_request("query must be a text")
    try:
        return parse_query(text)
    except QueryError as error:
        raise bad_request(str(error)) from error
