"""The terms that the output half is written in."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field

Name = Annotated[str, Field(min_length=1)]
Labels = Annotated[tuple[Name, ...], Field(min_length=1)]
Number = Annotated[float, Field(allow_inf_nan=False)]


def check_alerts(alerts: Iterable[str], labels: Iterable[str]) -> None:
    """Hold labels that are to be an alert against those that there are.

    Raises:
        ValueError: One is not among them.
    """
    if unknown := {*alerts} - {*labels}:
        raise ValueError(f"alerts must be labels, and {min(unknown)!r} is none")
