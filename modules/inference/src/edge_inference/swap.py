"""How far a swap has come, as the reported property ``model`` tells it. Pure: each event gives a new value."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from edge_common.messages import ModelIdentity
from edge_inference.errors import ModelError
from edge_inference.model import LoadedModel
from edge_inference.tuning.choice import Tuning

_MOST_DETAIL = 1000


class State(StrEnum):
    """Where the wanted model is."""

    IDLE = "Idle"
    """None is wanted, and none is active."""
    RESOLVING = "Resolving"
    """Is it in the store already?"""
    DOWNLOADING = "Downloading"
    """Its bytes are copied into the store, and checked."""
    VERIFYING = "Verifying"
    """Its files are looked through."""
    LOADING = "Loading"
    """It is loaded beside the serving one, and held against its contract."""
    WARMING = "Warming"
    """It runs zeros."""
    GOLDEN = "Golden"
    """It runs its package's examples."""
    SHADOW = "Shadow"
    """It runs beside the active model on what that one answers."""
    BAKING = "Baking"
    """It serves, on trial; the model before it is ready to return."""
    ACTIVE = "Active"
    """It serves."""
    ROLLING_BACK = "RollingBack"
    """The last good model returns."""
    FAILED = "Failed"
    """It could not be had; the one that was active before stays so."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the last swap ended; ``milliseconds`` are from the edit's arrival to its end."""

    result: str
    at: str
    milliseconds: int
    code: str | None = None
    detail: str | None = None


def succeeded(at: datetime, seconds: float) -> Outcome:
    """A swap has ended well, after so many seconds."""
    return Outcome("succeeded", _stamp(at), round(seconds * 1000))


def failed(error: ModelError, at: datetime, seconds: float) -> Outcome:
    """A swap has ended badly; what was active stays so."""
    return Outcome("failed", _stamp(at), round(seconds * 1000), error.code, str(error)[:_MOST_DETAIL])


def rolled_back(error: ModelError | None, at: datetime, seconds: float) -> Outcome:
    """A model that served was taken back; by an operator where there is no error."""
    if error is None:
        return Outcome("rolledBack", _stamp(at), round(seconds * 1000), detail="an operator asked for it")
    return replace(failed(error, at, seconds), result="rolledBack")


@dataclass(frozen=True, slots=True)
class Rejection:
    """A package that is not tried again.

    Attributes:
        digest: Its.
        request_id: The request that it was tried under; another one lifts the rejection.
        code: What it was rejected for; None where an operator did it.
    """

    digest: str
    request_id: str | None = None
    code: str | None = None


def refused(entry: Rejection, at: datetime) -> Outcome:
    """A package was asked for that is not tried again."""
    return Outcome("failed", _stamp(at), 0, entry.code, "rejected before; another requestId has it tried again")


@dataclass(frozen=True, slots=True)
class Candidate:
    """The package under way, and how much of it is here."""

    digest: str
    percent: int


@dataclass(frozen=True, slots=True)
class Active:
    """The model that serves."""

    identity: ModelIdentity
    stamp: str
    providers: Sequence[str]
    tuning: Tuning | None


@dataclass(frozen=True, slots=True)
class Progress:
    """All that is reported.

    Attributes:
        ack_version: The version of the desired properties that this answers.
        request_id: The operator's, from them.
        state: Where the wanted model is.
        active: The model that serves.
        previous: The one that served before it.
        last: How the last swap ended.
        candidate: The package under way.
        rejected: The packages that are not tried again.
    """

    ack_version: int = 0
    request_id: str | None = None
    state: State = State.IDLE
    active: Active | None = None
    previous: ModelIdentity | None = None
    last: Outcome | None = None
    candidate: Candidate | None = None
    rejected: Sequence[Rejection] = ()

    def asked(self, version: int, request_id: str | None) -> Self:
        """Something new is wanted."""
        return replace(self, ack_version=version, request_id=request_id, state=State.RESOLVING)

    def acknowledged(self, version: int) -> Self:
        """The twin was edited elsewhere."""
        return replace(self, ack_version=version)

    def fetching(self, digest: str, percent: int = 0) -> Self:
        """So much of a package is here."""
        return replace(self, candidate=Candidate(digest, percent))

    def at(self, state: State) -> Self:
        """The swap has come so far."""
        return replace(self, state=state)

    def rejecting(self, rejected: Sequence[Rejection]) -> Self:
        """These packages are not tried again."""
        return replace(self, rejected=tuple(rejected))

    def settled(self) -> Self:
        """Nothing is to be done: what is wanted serves, or nothing is wanted."""
        return replace(self, state=State.ACTIVE if self.active else State.IDLE, candidate=None)

    def serving(self, model: LoadedModel, previous: ModelIdentity | None) -> Self:
        """A model serves now."""
        active = Active(model.identity, model.stamp, tuple(model.session.providers), model.tuning)
        return replace(self, state=State.ACTIVE, active=active, previous=previous)

    def tuned(self, model: LoadedModel) -> Self:
        """It is known how the model that serves runs best."""
        return replace(self, active=self.active and replace(self.active, tuning=model.tuning))

    def bare(self) -> Self:
        """No model serves."""
        return replace(self, active=None)

    def ended(self, outcome: Outcome) -> Self:
        """The swap has ended."""
        return replace(self, last=outcome, candidate=None)

    def reported(self) -> dict[str, Any]:
        """As a patch: what is absent is None, which removes it from the twin."""
        return {
            "ackVersion": self.ack_version,
            "requestId": self.request_id,
            "state": self.state.value,
            "active": self.active and _active(self.active),
            "tuning": self.active and self.active.tuning and self.active.tuning.reported(),
            "previous": self.previous and self.previous.model_dump(by_alias=True),
            "candidate": self.candidate and asdict(self.candidate),
            "last": self.last and asdict(self.last),
            "rejected": [_rejection(entry) for entry in self.rejected] or None,
        }


def _active(active: Active) -> dict[str, Any]:
    return {**active.identity.model_dump(by_alias=True), "stamp": active.stamp, "providers": list(active.providers)}


def _rejection(entry: Rejection) -> dict[str, Any]:
    return {"digest": entry.digest, "requestId": entry.request_id, "code": entry.code}


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")
