"""What an administrator asks for by direct methods: what is asked, and what is answered."""

import json
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Annotated, Any, Final, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from edge_common.hub import Method
from edge_common.messages import ItemId
from edge_ingest.settings import Glob

A = TypeVar("A", bound="Ask")

MOST_IDS: Final = 1000

Code = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]


class BusyError(Exception):
    """The same kind of work is under way."""


class Ask(BaseModel):
    """A payload. What it does not know is refused: it is a person's mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Nothing(Ask):
    """No payload, or an empty one."""


class Requeue(Ask):
    """Which quarantined items to try anew: those of some ids, or all of some codes.

    Attributes:
        ids: Items' ids.
        codes: Codes that they were quarantined for.
    """

    ids: Annotated[tuple[ItemId, ...], Field(max_length=MOST_IDS)] = ()
    codes: Annotated[tuple[Code, ...], Field(max_length=100)] = ()

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if bool(self.ids) == bool(self.codes):
            raise ValueError("either ids or codes must be given")
        return self


class Reprocess(Ask):
    """Which uploaded files to process once more; with both, those of the day that fit the pattern.

    Attributes:
        day: The day that items are filed under.
        pattern: A glob of paths, as in ``include``.
    """

    day: date | None = None
    pattern: Glob | None = None

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self.day is None and self.pattern is None:
            raise ValueError("a day, a pattern, or both must be given")
        return self


def method(ask: type[A], work: Callable[[A], Awaitable[dict[str, Any]]]) -> Method:
    """A direct method.

    It answers 200 with what the work gives, 400 with ``message`` for a payload that is not what it takes, 409 where
    the same kind of work is under way, and 503 where the share or the module's disk refuses.
    """

    async def answer(payload: Any) -> tuple[int, Any]:
        try:
            asked = ask.model_validate_json(json.dumps({} if payload is None else payload), strict=True)
        except ValidationError as error:
            return 400, {"message": _first_of(error)}
        try:
            return 200, await work(asked)
        except BusyError as error:
            return 409, {"message": str(error)}
        except OSError as error:
            return 503, {"message": f"the share or the disk refuses: {error}"}

    return answer


def _first_of(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(map(str, first["loc"])) or "payload"
    return f"{where}: {first['msg']}"
