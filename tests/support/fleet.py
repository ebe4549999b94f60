"""A fleet in memory, of as many devices as one likes, whose time is moved by whoever waits."""

import copy
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from edge_mlops.errors import ChangedError, HubError
from edge_mlops.rollout.fleet import Mark, ModuleTwin
from edge_simulator.service.query import QueryError, parse_target

JsonObject = Mapping[str, Any]
Verdict = Callable[[JsonObject], str | None]
"""The code that a device refuses a model with; None where it takes it."""
PAGE = 100
READ_S, UPDATE_S = 0.01, 0.02
"""As fast as an S1 hub takes them."""


def takes(_: JsonObject) -> str | None:
    return None


@dataclass
class SimulatedDevice:
    """A device with an inference module.

    Attributes:
        tags: The device's.
        verdict: What it makes of a model.
        seconds: How long a swap takes it, baking included; infinity for one that hangs.
        online: Whether it is.
        model: The desired property ``model``.
        active: The desired property of the model that serves.
    """

    tags: Mapping[str, Any] = field(default_factory=dict)
    verdict: Verdict = takes
    seconds: float = 30.0
    online: bool = True
    model: JsonObject | None = None
    active: JsonObject | None = None
    tag: JsonObject | None = None
    reported: JsonObject = field(default_factory=dict)
    version: int = 1
    heard: int = 1
    until: float = 0.0

    def live(self, now: float) -> None:
        """Do what is due."""
        if self.online and self.heard != self.version:
            self.heard, self.until = self.version, now + self.seconds
            self.reported = self._report("Resolving")
        if self.online and self.reported.get("state") == "Resolving" and now >= self.until:
            self._settle()

    def _settle(self) -> None:
        code = self._refusal(self.model) if self.model is not None else None
        if code is None:
            self.active = self.model if self.model is not None else self.active
            self.reported = self._report("Active" if self.active else "Idle")
        else:
            self.reported = self._report("Failed", {"result": "failed", "code": code, "detail": "it is no good"})

    def _refusal(self, model: JsonObject) -> str | None:
        if self.active and model["version"] < self.active["version"] and not model.get("allowDowngrade"):
            return "DOWNGRADE"
        return self.verdict(model)

    def _report(self, state: str, last: JsonObject | None = None) -> JsonObject:
        active = {"digest": self.active["ref"].partition("@")[2]} if self.active else None
        request = (self.model or {}).get("requestId")
        return {"ackVersion": self.heard, "requestId": request, "state": state, "active": active, "last": last}


class SimulatedFleet:
    """Many devices; also the clock that they live by.

    Attributes:
        members: The devices, by id.
        calls: How often each method was called; of ``told``, the pages.
        now: Seconds.
        before_update: Called with the device's id when an update has arrived, and is not yet done.
    """

    def __init__(self, members: Mapping[str, SimulatedDevice]) -> None:
        self.members = dict(members)
        self.calls: Counter[str] = Counter()
        self.now = 0.0
        self.before_update: Callable[[str], None] = lambda _: None

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float, /) -> None:
        self.now += seconds

    def devices(self, condition: str) -> list[str]:
        self.calls["devices"] += 1
        try:
            query = parse_target(condition)
        except QueryError as error:
            raise HubError(str(error)) from error
        documents = ({"deviceId": name, "tags": one.tags} for name, one in self.members.items())
        return [str(document["deviceId"]) for document in documents if query.matches(document)]

    def twin(self, device: str) -> ModuleTwin | None:
        self.calls["twin"] += 1
        self.now += READ_S
        return self._twin(device) if device in self.members else None

    def told(self, rollout: str) -> Iterator[ModuleTwin]:
        found = [name for name, one in self.members.items() if one.tag and one.tag["id"] == rollout]
        for first in range(0, max(1, len(found)), PAGE):
            self.calls["pages"] += 1
            yield from map(self._twin, found[first : first + PAGE])

    def update(self, twin: ModuleTwin, model: JsonObject | None, mark: Mark) -> None:
        self.calls["update"] += 1
        self.now += UPDATE_S
        self.before_update(twin.device)
        one = self.members[twin.device]
        if self._etag(one) != twin.etag:
            raise ChangedError(f"{twin.device} has changed")
        one.tag = copy.deepcopy(mark.tag())
        self.ask(twin.device, model)

    def ask(self, device: str, model: JsonObject | None) -> None:
        """Edit a desired property, as somebody else does."""
        one = self.members[device]
        one.live(self.now)
        one.model, one.version = copy.deepcopy(model), one.version + 1
        one.live(self.now)

    def _twin(self, device: str) -> ModuleTwin:
        one = self.members[device]
        one.live(self.now)
        return ModuleTwin(device, self._etag(one), one.online, one.model, one.reported, one.tag)

    @staticmethod
    def _etag(one: SimulatedDevice) -> str:
        return str(one.version)
