"""The subset of IoT Hub's query language that finds twins: `SELECT * FROM devices[.modules] [WHERE …]`."""

from edge_simulator.service.query.errors import QueryError
from edge_simulator.service.query.parser import Query, parse_query, parse_target

__all__ = ["Query", "QueryError", "parse_query", "parse_target"]
