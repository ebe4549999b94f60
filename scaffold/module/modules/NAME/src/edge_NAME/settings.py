"""The NAME module's settings. What it takes from its environment is ``edge_common.settings.Environment``."""

from typing import Annotated

from pydantic import Field

from edge_common.settings import TwinSettings


class Settings(TwinSettings):
    """What the module takes from its desired properties.

    Attributes:
        seconds: Time between two messages.
    """

    seconds: Annotated[float, Field(gt=0)] = 60.0
