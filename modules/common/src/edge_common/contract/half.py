"""What all parts of a contract have."""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Half(BaseModel):
    """A half, or a part of one: it does not change, and has no fields but those that its class names."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True, validate_by_alias=True
    )


def kind_or(default: str) -> Callable[[Any], Any]:
    """What tells a half's kind, be it JSON or read; the first contracts could leave out the one that is the default."""

    def kind(value: Any) -> Any:
        return value.get("kind", default) if isinstance(value, Mapping) else getattr(value, "kind", None)

    return kind
