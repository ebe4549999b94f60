"""What a twin says of a rollout. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple

from edge_mlops.rollout.fleet import JsonObject, Mark, ModuleTwin

_AT_REST: Final = frozenset({"Active", "Idle", "Failed"})


class Standing(StrEnum):
    """How a device stands."""

    WAITING = "waiting"
    """It was told, and is not done; also if its module, having heard of it, has gone silent: it may have crashed."""
    OFFLINE = "offline"
    """It was told, and its module is not connected and has not heard of it: it follows once it has."""
    ACTIVE = "active"
    """The model that it was told of has baked, and serves."""
    FAILED = "failed"
    """It refused the model, or went back to the one before."""
    OVERRULED = "overruled"
    """Somebody else has asked it for another model since: it is left alone."""
    ABSENT = "absent"
    """It has no such module."""
    RETURNED = "returned"
    """It was told of the model before again, and serves that."""
    STUCK = "stuck"
    """It was told of the model before again, and does not serve it."""


class Seen(NamedTuple):
    """How a device stands, and what there is to say of it."""

    standing: Standing
    detail: str = ""


def stands(twin: ModuleTwin, mark: Mark) -> Seen:
    """How a device stands.

    Args:
        twin: Its module's.
        mark: The rollout's, from its tags. What a device reports has the rollout's id as ``requestId`` from when it has
            heard of the model to when it has heard of another one.
    """
    return _back(twin, mark) if mark.undone else _forward(twin, mark)


def asks_for(twin: ModuleTwin, rollout: str) -> bool:
    """Whether what a twin asks for is what a rollout has asked for."""
    return twin.model is not None and twin.model.get("requestId") == rollout


def proven(twin: ModuleTwin) -> JsonObject | None:
    """What a device is to return to: what it is asked for; what it was before, if that has not come into service."""
    mark = twin.mark
    if mark is None or mark.undone or stands(twin, mark).standing in {Standing.ACTIVE, Standing.OVERRULED}:
        return twin.model
    return mark.before


def named(model: JsonObject | None) -> str:
    """Name and version of a desired model."""
    return "no model" if model is None else f"{model.get('name')} {model.get('version')}"


def _forward(twin: ModuleTwin, mark: Mark) -> Seen:
    if twin.model is None or not asks_for(twin, mark.id):
        return Seen(Standing.OVERRULED, f"asked for {named(twin.model)}")
    if twin.reported.get("requestId") != mark.id:
        return _by_connection(twin)
    state = twin.reported.get("state")
    if state not in _AT_REST:
        return Seen(Standing.WAITING)
    if state == "Active" and _active(twin) == _pinned(twin.model):
        return Seen(Standing.ACTIVE)
    return Seen(Standing.FAILED, _why(twin.reported))


def _back(twin: ModuleTwin, mark: Mark) -> Seen:
    if twin.reported.get("requestId") == mark.id or twin.reported.get("state") not in _AT_REST:
        return _by_connection(twin)
    if mark.before is None or _active(twin) == _pinned(mark.before):
        return Seen(Standing.RETURNED, named(mark.before))
    return Seen(Standing.STUCK, _why(twin.reported))


def _by_connection(twin: ModuleTwin) -> Seen:
    return Seen(Standing.WAITING if twin.connected else Standing.OFFLINE)


def _active(twin: ModuleTwin) -> Any:
    return _object(twin.reported.get("active")).get("digest")


def _pinned(model: JsonObject) -> str:
    return str(model.get("ref")).rpartition("@")[2]


def _why(reported: JsonObject) -> str:
    last = _object(reported.get("last"))
    return ": ".join(str(last[key]) for key in ("code", "detail") if last.get(key)) or str(reported.get("state"))


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
