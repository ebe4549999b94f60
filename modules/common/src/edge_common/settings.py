"""Settings: what must be known before the hub is reached comes from the environment, the rest from the twin.

Environment variables are the fields' names in upper case. Desired properties are the fields' names in camelCase. A
wrong value is never passed over: every error is named, and the module stops (environment) or keeps its last good
settings and reports (twin).
"""

from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_settings import BaseSettings, SettingsConfigDict

from edge_common.errors import ConfigurationError


class Environment(BaseSettings):
    """What every module takes from its environment; modules add to it.

    Attributes:
        state_dir: The module's own folder, which outlives it: last good settings, and what the module keeps.
        log_level: The least severe level that is logged.
        metrics_address: Where ``/metrics`` is bound.
        metrics_port: 9600 is where IoT Edge's metrics collector looks.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    state_dir: Path
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    metrics_address: str = "0.0.0.0"  # noqa: S104 - a container's own network; set otherwise elsewhere
    metrics_port: Annotated[int, Field(ge=0, le=65535)] = 9600


class TwinSettings(BaseModel):
    """What a module takes from its desired properties; modules say what."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True, validate_by_alias=True
    )


E = TypeVar("E", bound=BaseSettings)


def read_environment(kind: type[E], **given: Any) -> E:
    """The environment's settings.

    Args:
        kind: Which.
        given: Some of them, which then count instead of the environment's.

    Raises:
        ConfigurationError: Some are missing or wrong; all of them are named.
    """
    try:
        return kind(**given)
    except ValidationError as error:
        reasons = [
            f"{'_'.join(map(str, entry['loc'])).upper()}: {entry['msg']}"
            for entry in error.errors(include_url=False, include_input=False)
        ]
        raise ConfigurationError("environment: " + "; ".join(reasons)) from None
