"""The configurations of the service API."""

import datetime as dt
from typing import Final

from aiohttp import web

from edge_simulator.service.configurations.model import Configuration
from edge_simulator.service.configurations.rollout import Rollout
from edge_simulator.service.configurations.store import ConfigurationStore
from edge_simulator.service.errors import ServiceError
from edge_simulator.service.query import QueryError, parse_target
from edge_simulator.service.requests import check_etag, count, json_object

_PATH: Final = "/configurations/{configuration}"
# IoT Hub's own limit.
_MOST: Final = 100


class ConfigurationService:
    """Creates, shows, changes and deletes configurations; each change is rolled out at once."""

    def __init__(self, store: ConfigurationStore, rollout: Rollout) -> None:
        self._store = store
        self._rollout = rollout

    def routes(self) -> list[web.RouteDef]:
        """Return the HTTP routes."""
        return [
            web.get("/configurations", self._list),
            web.post("/configurations/testQueries", self._test),
            web.get(_PATH, self._get),
            web.put(_PATH, self._put),
            web.delete(_PATH, self._delete),
        ]

    async def _list(self, request: web.Request) -> web.Response:
        top = count(request.query.get("top"), _MOST)
        return web.json_response([self._document(one) for one in list(self._store.all.values())[:top]])

    async def _get(self, request: web.Request) -> web.Response:
        return web.json_response(self._document(self._find(request)))

    async def _put(self, request: web.Request) -> web.Response:
        name, now = request.match_info["configuration"], dt.datetime.now(dt.UTC).isoformat()
        configuration = Configuration.read(name, await json_object(request), now)
        if "If-Match" in request.headers:
            known = self._find(request)
            check_etag(request, known.etag)
            configuration = known.changed(configuration)
        elif name in self._store.all:
            raise ServiceError(409, "ConfigurationAlreadyExists", f"there is a configuration {name!r} already")
        self._store.all[name] = configuration
        self._follow()
        return web.json_response(self._document(configuration))

    async def _delete(self, request: web.Request) -> web.Response:
        known = self._find(request)
        check_etag(request, known.etag)
        del self._store.all[known.id]
        self._follow()
        return web.Response(status=204)

    async def _test(self, request: web.Request) -> web.Response:
        """Say what is wrong with a target condition."""
        try:
            parse_target(str((await json_object(request)).get("targetCondition")))
        except QueryError as error:
            return web.json_response({"targetConditionError": str(error), "customMetricQueryErrors": {}})
        return web.json_response({"targetConditionError": None, "customMetricQueryErrors": {}})

    def _follow(self) -> None:
        self._store.save()
        self._rollout.run()

    def _find(self, request: web.Request) -> Configuration:
        name = request.match_info["configuration"]
        if name not in self._store.all:
            raise ServiceError(404, "ConfigurationNotFound", f"there is no configuration {name!r}")
        return self._store.all[name]

    def _document(self, configuration: Configuration) -> dict[str, object]:
        return configuration.document(self._rollout.results(configuration))
