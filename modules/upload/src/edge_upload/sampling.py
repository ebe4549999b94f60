"""What of an item is worth storing beside its predictions. Pure: no I/O."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from edge_common.messages import ItemId, Mark
from edge_upload.settings import UploadSettings

PERIODS: Final = {"minute": 60, "hour": 3600, "day": 86_400}
"""What quotas are by, in seconds. They begin with the minute, the hour and the day in UTC."""

DRAWS: Final = 1 << 64


class Why(StrEnum):
    """Why an item is sampled."""

    RANDOM = "random"
    """By chance, which its id decides: it is the same on every device, and when the item is sent again."""
    CONFIDENCE = "confidence"
    CLASS = "class"
    DRIFT = Mark.DRIFT.value
    DISAGREEMENT = Mark.DISAGREEMENT.value

    @property
    def is_hard(self) -> bool:
        """Whether it makes the item worth more than one that was drawn."""
        return self is not Why.RANDOM


@dataclass(frozen=True, slots=True)
class Quotas:
    """What has been sampled of late.

    Attributes:
        used: The number of the running period since 1970, and how many items were sampled in it; by the period's name.
    """

    used: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    def count(self, period: str, now: datetime) -> int:
        """How many items were sampled in the period that a moment is in."""
        number, count = self.used.get(period, (None, 0))
        return count if number == _number(period, now) else 0

    def allow(self, settings: UploadSettings, now: datetime) -> bool:
        """Whether one more may be sampled."""
        limits = limits_of(settings)
        return all(limit is None or self.count(period, now) < limit for period, limit in limits.items())

    def with_one_more(self, now: datetime) -> "Quotas":
        """The same, and one item more."""
        return replace(self, used={period: (_number(period, now), self.count(period, now) + 1) for period in PERIODS})


@dataclass(frozen=True, slots=True)
class Decision:
    """What is stored of an item beside its predictions; fixed when it is accepted.

    Attributes:
        why: Why it was sampled; empty if it was not.
        original: Whether its file is stored.
        features: Whether its features are.
        sampled: Whether it takes one of the quotas' places.
        over_quota: Whether it was worth sampling, and a quota forbade it.
    """

    why: frozenset[Why] = frozenset()
    original: bool = False
    features: bool = False
    sampled: bool = False
    over_quota: bool = False

    @property
    def hard(self) -> bool:
        """Whether it goes before what was sampled by chance."""
        return any(why.is_hard for why in self.why)


def reasons(
    item: ItemId, rows: Iterable[Mapping[str, Any]], marks: Iterable[Mark], settings: UploadSettings
) -> frozenset[Why]:
    """Why an item is worth sampling, as far as some of its rows tell.

    Args:
        item: Its id.
        rows: What the model says of them: ``score`` is taken as the confidence, ``label`` as the class; of lists of
            these each entry counts.
        marks: What the inference module says of the item.
        settings: The policy.
    """
    return frozenset(_reasons(item, tuple(rows), marks, settings))


def decide(why: frozenset[Why], quotas: Quotas, now: datetime, settings: UploadSettings) -> Decision:
    """Decide about an item of which all rows are known.

    Args:
        why: Why it is worth sampling.
        quotas: What has been sampled before it.
        now: The moment.
        settings: The policy.
    """
    wanted = bool(why) and "sampled" in {settings.originals, settings.features}
    sampled = wanted and quotas.allow(settings, now)
    return Decision(
        why=why if sampled or "all" in {settings.originals, settings.features} else frozenset(),
        original=_takes(settings.originals, sampled=sampled),
        features=_takes(settings.features, sampled=sampled),
        sampled=sampled,
        over_quota=wanted and not sampled,
    )


def limits_of(settings: UploadSettings) -> dict[str, int | None]:
    """The quota of each period."""
    quotas = settings.sample_per_minute, settings.sample_per_hour, settings.sample_per_day
    return dict(zip(PERIODS, quotas, strict=True))


def _takes(choice: str, *, sampled: bool) -> bool:
    return choice == "all" or (choice == "sampled" and sampled)


def _reasons(
    item: ItemId, rows: tuple[Mapping[str, Any], ...], marks: Iterable[Mark], settings: UploadSettings
) -> Iterator[Why]:
    if int(item[:16], 16) < settings.sample_fraction * DRAWS:
        yield Why.RANDOM
    if settings.sample_confidence:
        low, high = settings.sample_confidence
        if any(low <= score < high for score in _numbers(rows, "score")):
            yield Why.CONFIDENCE
    if settings.sample_classes and not set(settings.sample_classes).isdisjoint(_texts(rows, "label")):
        yield Why.CLASS
    for mark in set(marks).intersection(settings.sample_marks):
        yield Why(mark)


def _numbers(rows: tuple[Mapping[str, Any], ...], name: str) -> Iterator[float]:
    return (value for value in _values(rows, name) if isinstance(value, (int, float)))


def _texts(rows: tuple[Mapping[str, Any], ...], name: str) -> Iterator[str]:
    return (value for value in _values(rows, name) if isinstance(value, str))


def _values(rows: tuple[Mapping[str, Any], ...], name: str) -> Iterator[Any]:
    for row in rows:
        value = row.get(name)
        yield from value if isinstance(value, (list, tuple)) else (value,)


def _number(period: str, now: datetime) -> int:
    return int(now.timestamp()) // PERIODS[period]
