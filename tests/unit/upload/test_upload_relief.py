"""What goes when the spool is over its budget, and what never does."""

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from edge_common.messages import Mark, Receipt, Reject
from edge_common.tensors import TensorWriter
from edge_upload.cargo import Cargo
from edge_upload.records import Record
from edge_upload.relief import IDLE
from edge_upload.room import Limits
from support.upload import NOON, Parts, item, predicted, predictions

KIB: Final = 1 << 10
FEATURES: Final = 50 * KIB
"""Bytes of features of each item here; results take about one more KiB."""


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    with closing(Parts(tmp_path)) as opened:
        TensorWriter(tmp_path / "tensors", 1 << 30).write("b", np.ones((1, FEATURES), np.uint8))
        opened.limits = Limits(120 * KIB, 1, lambda: 1 << 40)
        yield opened


def store(parts: Parts, name: str, *marks: Mark, now: datetime = NOON, **settings: Any) -> Sequence[Any]:
    part = predicted(item(name)).model_copy(update={"marks": marks})
    settings = {"features": "all", "spool_full": "dropLowest", **settings}
    answers = parts.store(predictions(part), now=now, **settings)
    return [answer.status for answer in answers if isinstance(answer, Receipt)]


def cargo(parts: Parts, kind: str) -> list[str]:
    query = "SELECT record FROM parts JOIN records USING (number) WHERE cargo = ? ORDER BY number"
    paths = (Record.model_validate_json(text).item.path for (text,) in parts.database.execute(query, [kind]))
    return [path.removeprefix("in/").removesuffix(".png") for path in paths]


def test_by_default_results_wait(parts: Parts) -> None:
    assert [store(parts, name, spool_full="wait") for name in "abc"] == [["accepted"], ["accepted"], ["deferred"]]
    assert cargo(parts, "features") == ["a", "b"]


def test_features_drawn_by_chance_go_first_then_hard_ones_and_results_never(parts: Parts) -> None:
    assert store(parts, "a", Mark.DRIFT) == ["accepted"]
    assert [store(parts, name) for name in "bcd"] == [["accepted"]] * 3
    assert cargo(parts, "features") == ["a", "d"]
    assert [store(parts, name, Mark.DRIFT) for name in "ef"] == [["accepted"]] * 2
    assert cargo(parts, "features") == ["e", "f"]
    assert cargo(parts, "results") == list("abcdef")
    assert parts.metrics.given_up_samples == 4


def test_results_alone_wait_in_the_end(parts: Parts) -> None:
    parts.limits = Limits(2 * KIB, 1, lambda: 1 << 40)
    statuses = [store(parts, f"{number}", features="none") for number in range(20)]
    assert statuses[0] == ["accepted"]
    assert statuses[-1] == ["deferred"]
    assert parts.metrics.given_up_samples == 0


def test_an_item_is_uploaded_when_the_last_of_it_is_given_up(parts: Parts) -> None:
    store(parts, "a")
    store(parts, "b")
    (group,) = [group for group in parts.shards.groups() if group.cargo is Cargo.RESULTS]
    assert list(parts.settle(parts.cut(group=group))) == []
    assert store(parts, "c") == ["accepted", "uploaded"]


def test_originals_that_are_given_up_are_in_the_history(parts: Parts) -> None:
    for name in "ab":
        store(parts, name, features="none", originals="all")
    (first,) = parts.originals.waiting(1)
    parts.limits = Limits(parts.index.used(), 1, lambda: 1 << 40)
    store(parts, "c", features="none", originals="all")
    events = [json.loads(event) for _, event in parts.events.batch("2026-01-01", 100)]
    dropped = [event for event in events if event["event"] == "dropped"]
    assert [event["id"] for event in dropped] == [item(name).id for name in "ab"]
    assert first.item.id == dropped[0]["id"]
    assert [event["number"] for event in events] == [*range(1, len(events) + 1)]


def test_a_full_disk_gives_nothing_up_for_that_would_free_nothing(parts: Parts) -> None:
    store(parts, "a")
    parts.limits = Limits(1 << 30, 1, lambda: 0)
    assert store(parts, "b") == ["deferred"]
    assert cargo(parts, "features") == ["a"]


def test_items_that_came_to_a_halt_make_room(parts: Parts) -> None:
    for name in "ab":
        parts.store(predictions(predicted(item(name), last=False)), features="all")
    assert store(parts, "c", spool_full="wait", now=NOON + IDLE) == ["deferred"]
    assert store(parts, "c", spool_full="wait", now=NOON + IDLE + timedelta(seconds=1)) == ["accepted"]
    assert cargo(parts, "results") == ["c"]


def test_an_item_that_can_never_fit_is_rejected(parts: Parts) -> None:
    for number in range(2):
        parts.store(predictions(predicted(item("a"), part=number, last=False)), features="all")
    (reject,) = parts.store(predictions(predicted(item("a"), part=2)), features="all")
    assert isinstance(reject, Reject)
    assert (reject.code, reject.retryable) == ("TOO_LARGE", False)


def test_features_of_an_item_in_parts_stay_only_if_it_is_sampled(parts: Parts) -> None:
    parts.limits = Limits(1 << 30, 1, lambda: 1 << 40)
    settings: dict[str, Any] = {"features": "sampled", "sample_fraction": 0}
    for name, marks in (("a", (Mark.DRIFT,)), ("b", ())):
        last = predicted(item(name), part=1).model_copy(update={"marks": marks})
        parts.store(predictions(predicted(item(name), last=False)), **settings)
        parts.store(predictions(last), **settings)
    assert cargo(parts, "features") == ["a", "a"]
    assert cargo(parts, "results") == ["a", "a", "b", "b"]
