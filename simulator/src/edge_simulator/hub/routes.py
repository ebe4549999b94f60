"""The routes in force, and what `$edgeHub` reports of them (edgeHub's `TwinConfigSource.cs`, `ConfigUpdater.cs`)."""

import logging
from typing import Any, Final

from edge_simulator.routing import DEFAULT_TIME_TO_LIVE_S, RouteError, RouteParseError, RouteTable
from edge_simulator.store.twins import JsonObject, Twin

_SCHEMA_VERSION: Final = "1.0"

_log = logging.getLogger(__name__)


class Routes:
    """Follows the desired properties of `$edgeHub`; `table` is empty until there are any."""

    def __init__(self) -> None:
        self.table = RouteTable([], DEFAULT_TIME_TO_LIVE_S)
        self._report: JsonObject = {}

    def begin(self, twin: Twin) -> None:
        """Route by a twin; where later edits have made its routes useless, by those that its manifest gave it.

        Raises:
            RouteError: these cannot be used either.
        """
        try:
            self._use(twin)
        except RouteError:
            self.table = RouteTable.from_desired(twin.section)
            self.change(twin)

    def change(self, twin: Twin) -> None:
        """Route by a changed twin, or go on as before where that cannot be: the error is logged and reported.

        A condition that does not compile comes to light when edgeHub has already reported success.
        """
        try:
            self._use(twin)
        except RouteError as error:
            _log.error("the routes before stay in force: %s", error)
            self._report = _outcome(twin, error if isinstance(error, RouteParseError) else None)

    def report(self, *, connected: dict[str, bool]) -> JsonObject:
        """Return the reported properties of `$edgeHub`; clients by id."""
        clients = {client: {"status": "Connected" if there else "Disconnected"} for client, there in connected.items()}
        return self._report | {"schemaVersion": _SCHEMA_VERSION, "clients": clients}

    def _use(self, twin: Twin) -> None:
        self.table = RouteTable.from_desired(twin.desired)
        self._report = _outcome(twin, None)


def _outcome(twin: Twin, error: RouteParseError | None) -> dict[str, Any]:
    status = {"code": 200, "description": ""} if error is None else {"code": 400, "description": _describe(error)}
    return {"lastDesiredVersion": twin.desired_version, "lastDesiredStatus": status}


def _describe(error: RouteParseError) -> str:
    place = "" if error.route is None else f"Error parsing route {error.route} - "
    return f"Error while parsing desired properties - {place}{error.reason}"
