"""Hints and quotas on a real spool."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from edge_common.messages import HintsMessage, Mark
from edge_upload.settings import UploadSettings
from support.upload import NOON, Parts, hints, item, predicted, predictions

POLICY: Final[dict[str, Any]] = {"originals": "sampled", "sample_fraction": 0}


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    with closing(Parts(tmp_path)) as opened:
        yield opened


def store(parts: Parts, name: str, *marks: Mark, now: Any = NOON, **settings: Any) -> None:
    part = predicted(item(name)).model_copy(update={"marks": marks})
    parts.store(predictions(part), now=now, **POLICY, **settings)


def follow(parts: Parts, *names: str, mark: Mark = Mark.DISAGREEMENT, **settings: Any) -> None:
    message = HintsMessage.decode(hints(*map(item, names), mark=mark))
    parts.hints.follow(message.hints, NOON, UploadSettings.model_validate({**POLICY, **settings}))


def waiting(parts: Parts) -> list[str]:
    """The items whose originals wait, in the order in which they go."""
    return [original.item.path.removeprefix("in/")[:-4] for original in parts.originals.waiting(100)]


def counted(parts: Parts, name: str, **labels: str) -> float | None:
    return parts.registry.get_sample_value(f"edge_upload_{name}_total", labels)


def test_a_hint_adds_the_original_of_an_accepted_item_once(parts: Parts) -> None:
    store(parts, "a")
    assert waiting(parts) == []
    follow(parts, "a")
    follow(parts, "a")
    follow(parts, "a", mark=Mark.DRIFT)
    assert waiting(parts) == ["a"]
    assert [receipt.status for receipt in parts.settle(parts.cut())] == []
    (receipt,) = parts.originals.settle(parts.originals.waiting(1), NOON)
    assert receipt.id == item("a").id


def test_a_hint_moves_what_was_drawn_by_chance_to_the_front(parts: Parts) -> None:
    for name in ("a", "b"):
        parts.store(predictions(predicted(item(name))), originals="sampled", sample_fraction=1)
    assert waiting(parts) == ["a", "b"]
    follow(parts, "b")
    assert waiting(parts) == ["b", "a"]


def test_a_hint_about_an_item_that_is_being_put_together_is_remembered(parts: Parts) -> None:
    parts.store(predictions(predicted(item("a"), last=False)), **POLICY)
    follow(parts, "a")
    assert waiting(parts) == []
    parts.store(predictions(predicted(item("a"), part=1)), **POLICY)
    assert waiting(parts) == ["a"]


def test_hints_that_are_late_or_not_wanted_change_nothing(parts: Parts) -> None:
    store(parts, "a")
    follow(parts, "a", sampleMarks=["drift"])
    parts.settle(parts.cut())
    follow(parts, "a", "never")
    assert waiting(parts) == []
    assert counted(parts, "late_hints") == 2


def test_marks_sample_at_once_and_quotas_hold_for_marks_and_hints_and_over_a_restart(tmp_path: Path) -> None:
    with closing(Parts(tmp_path)) as parts:
        for name in "abc":
            store(parts, name, Mark.DRIFT, sample_per_hour=2)
        assert waiting(parts) == ["a", "b"]
        assert counted(parts, "over_quota_items") == 1
    with closing(Parts(tmp_path)) as parts:
        store(parts, "d", Mark.DRIFT, sample_per_hour=2)
        follow(parts, "c", samplePerHour=2)
        assert waiting(parts) == ["a", "b"]
        assert counted(parts, "over_quota_items") == 2
        store(parts, "e", Mark.DRIFT, now=NOON + timedelta(hours=1), sample_per_hour=2)
        assert waiting(parts) == ["a", "b", "e"]
        assert counted(parts, "sampled_items", why="drift") == 1
