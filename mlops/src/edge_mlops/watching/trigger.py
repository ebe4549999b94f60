"""Whether there is reason to make a model. Pure."""

from collections.abc import Iterator
from typing import NamedTuple

from edge_mlops.watching.plan import When


class Seen(NamedTuple):
    """What a look has found.

    Attributes:
        new_items: Items with labels that the last round's dataset has not, or has otherwise.
        drifting_devices: Devices that tell of drift.
        method: Digest of all that trains and judges, data apart.
    """

    new_items: int
    drifting_devices: int
    method: str


def reasons(when: When, seen: Seen, method_before: str | None) -> list[str]:
    """Why a round is due; nothing, if it is not.

    Args:
        when: What is reason enough.
        seen: What the look has found.
        method_before: That of the last round, if there was one.
    """
    return [*_reasons(when, seen, method_before)]


def _reasons(when: When, seen: Seen, method_before: str | None) -> Iterator[str]:
    drift = seen.drifting_devices >= when.drifting_devices
    if seen.new_items >= when.new_items:
        yield f"{seen.new_items} new items"
    elif drift and seen.new_items >= when.new_items_in_drift:
        yield f"{seen.new_items} new items while input drifts (devices: {seen.drifting_devices})"
    if method_before not in {None, seen.method}:
        yield "what trains or judges has changed"
