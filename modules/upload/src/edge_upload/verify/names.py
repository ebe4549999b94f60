"""The layout of names in the store. Pure: no I/O."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

LEDGER: Final = "_ledger"
RECORDS: Final = "records"
FEATURES: Final = "features"
ORIGINALS: Final = "raw"

_NAME: Final = re.compile(
    r"(?P<kind>_ledger|records|features|raw)/device=(?P<device>[^/]+)/date=(?P<date>\d{4}-\d\d-\d\d)/"
    r"((?P<shard>[0-9a-f]{64})\.parquet|(?P<item>[0-9a-f]{32})(\.[^/]+)?)"
)
_DEVICE: Final = re.compile(r"[^/]+/device=([^/]+)/")


@dataclass(frozen=True, slots=True)
class Place:
    """What a name says.

    Attributes:
        kind: ``_ledger``, ``records``, ``features`` or ``raw``.
        device: The device's name.
        date: The items' day, ISO.
        stem: The hash of a shard, the item of an original.
    """

    kind: str
    device: str
    date: str
    stem: str


def parse(name: str) -> Place | None:
    """What a name says; None if it is none that the suite gives."""
    match = _NAME.fullmatch(name)
    if match is None or (match["kind"] == ORIGINALS) != (match["item"] is not None):
        return None
    return Place(match["kind"], unquote(match["device"]), match["date"], match["shard"] or match["item"])


def device_of(name: str) -> str | None:
    """Whose folder a name is in, whatever else it says."""
    match = _DEVICE.match(name)
    return match and unquote(match[1])
