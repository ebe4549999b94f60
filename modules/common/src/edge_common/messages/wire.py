"""What all messages are made of."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Final, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import to_json

from edge_common.errors import MalformedMessageError

T = TypeVar("T", bound=BaseModel)

SCHEMA: Final = 1
MAX_BODY_BYTES: Final = 64_000
"""A message costs some 0.6 ms at its two ends, however much it carries; IoT Edge takes 256 KiB."""

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
ItemId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
LedgerId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
Count = Annotated[int, Field(ge=0, le=(1 << 31) - 1)]
"""From 0; fits 32 bits, as the columns and tables do that keep it."""
Ordinal = Annotated[int, Field(ge=1, le=(1 << 31) - 1)]
"""From 1; fits 32 bits as well."""
BatchName = Annotated[str, Field(pattern=r"^[0-9A-Za-z_-]{1,100}$")]


def _relative(path: str) -> str:
    parts = path.split("/")
    if not path or path.startswith("/") or ".." in parts or "\0" in path:
        raise ValueError("must be a relative path without '..'")
    return path


SharePath = Annotated[str, AfterValidator(_relative)]


class Wire(BaseModel):
    """Anything in a body: it does not change, and ignores fields that its class does not name."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=to_camel, validate_by_name=True, validate_by_alias=True
    )


class Body(Wire):
    """A message's body."""

    schema_: Annotated[int, Field(alias="schema", ge=SCHEMA - 1, le=SCHEMA)] = SCHEMA

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """Read a body.

        Raises:
            MalformedMessageError: It is not JSON, or not of this kind, or of a schema that this release cannot read.
        """
        try:
            return cls.model_validate_json(body)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"])) or "body"
            raise MalformedMessageError(f"{cls.__name__}: {where}: {first['msg']}") from None

    def encode(self) -> bytes:
        """The body as JSON, UTF-8."""
        return self.model_dump_json(by_alias=True, exclude_none=True).encode()


def chunks(entries: Iterable[T], most: int, budget: int = MAX_BODY_BYTES - 500) -> Iterator[Sequence[T]]:
    """Cut entries into runs that each fit a message.

    Args:
        entries: What the messages are to carry.
        most: Entries in a run, at most.
        budget: Bytes of JSON in a run, at most; an entry that is larger goes alone.
    """
    run: list[T] = []
    used = 0
    for entry in entries:
        size = len(to_json(entry, by_alias=True, exclude_none=True)) + 1
        if run and (len(run) >= most or used + size > budget):
            yield run
            run, used = [], 0
        run.append(entry)
        used += size
    if run:
        yield run
