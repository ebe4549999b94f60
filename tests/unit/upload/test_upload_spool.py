"""The spool on a real database."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_common.errors import ConfigurationError
from edge_common.messages import InquiriesMessage, Receipt, Reject
from edge_upload.database import VERSION, Database, SpoolUnavailableError
from edge_upload.index import ABANDON, REMEMBER
from edge_upload.room import Limits
from support.upload import MODEL, NOON, Parts, inquiry, item, predicted, predictions


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    with closing(Parts(tmp_path)) as opened:
        yield opened


def verdicts(answers: Sequence[Receipt | Reject]) -> list[tuple[int, int | None, str]]:
    return [(one.attempt, one.part, one.status) for one in answers if isinstance(one, Receipt)]


def part(name: str, number: int, *, attempt: int = 1, last: bool = False) -> bytes:
    return predictions(predicted(item(name, attempt=attempt), part=number, last=last))


def ask(parts: Parts, *names: str) -> list[str]:
    message = InquiriesMessage.decode(inquiry(ask=[item(name) for name in names]))
    return [receipt.status for receipt in parts.index.answer(message, NOON)]


def settle(parts: Parts, *names: str) -> None:
    parts.index.answer(InquiriesMessage.decode(inquiry(settled=[item(name) for name in names])), NOON)


def held(parts: Parts, query: str = "SELECT COUNT(*) FROM records") -> Any:
    return parts.database.execute(query).fetchone()[0]


def test_the_last_part_to_come_makes_an_item_accepted(parts: Parts) -> None:
    answers = parts.store(part("a", 2, last=True), part("a", 0), part("a", 1))
    assert verdicts(answers) == [(1, 2, "part"), (1, 0, "part"), (1, 1, "accepted")]
    assert [receipt.model for receipt in answers if isinstance(receipt, Receipt)] == [None, None, MODEL.digest]


def test_the_first_attempt_that_is_whole_wins(parts: Parts) -> None:
    assert verdicts(
        parts.store(
            part("a", 0, attempt=1),
            part("a", 0, attempt=2),
            part("a", 1, attempt=2, last=True),
            part("a", 1, attempt=1, last=True),
        )
    ) == [(1, 0, "part"), (2, 0, "part"), (2, 1, "accepted"), (1, 1, "accepted")]
    assert held(parts) == 2
    assert held(parts, "SELECT MIN(attempt) FROM items") == 2
    assert [group.rows for group in parts.shards.groups()] == [2]


def test_a_part_that_comes_again_is_stored_once(parts: Parts) -> None:
    assert verdicts(parts.store(part("a", 0))) == [(1, 0, "part")]
    assert verdicts(parts.store(part("a", 0), part("a", 0))) == [(1, 0, "part")] * 2
    assert verdicts(parts.store(part("a", 1, last=True))) == [(1, 1, "accepted")]
    assert verdicts(parts.store(part("a", 1, last=True))) == [(1, 1, "accepted")]
    assert held(parts) == 2


def test_parts_of_an_incomplete_item_wait(parts: Parts) -> None:
    parts.store(part("a", 0))
    assert parts.shards.groups() == []
    assert ask(parts, "a") == ["unknown"]


def test_a_contradiction_is_ignored(parts: Parts, caplog: pytest.LogCaptureFixture) -> None:
    parts.store(part("a", 1, last=True))
    assert parts.store(part("a", 2)) == []
    assert "contradicts" in caplog.text
    assert verdicts(parts.store(part("a", 0))) == [(1, 0, "accepted")]


def test_predictions_that_are_not_one_a_row_reject_their_item_only(parts: Parts) -> None:
    short = predicted(item("a"), rows=2).model_copy(update={"predictions": ({"label": "x"},)})
    reject, receipt = parts.store(predictions(short, predicted(item("b"))))
    assert isinstance(reject, Reject)
    assert (reject.id, reject.code, reject.retryable) == (item("a").id, "BAD_PREDICTIONS", False)
    assert verdicts([receipt]) == [(1, 0, "accepted")]


def test_a_part_over_the_whole_budget_is_rejected(parts: Parts) -> None:
    parts.limits = Limits(100, 1, lambda: 1 << 40)
    (reject,) = parts.store(part("a", 0, last=True))
    assert isinstance(reject, Reject)
    assert (reject.code, reject.retryable) == ("TOO_LARGE", False)


def test_usage_follows_what_comes_and_goes(parts: Parts) -> None:
    parts.store(part("a", 0, attempt=1), part("a", 0, attempt=2, last=True), part("b", 0, last=True))
    assert parts.index.used() == held(parts, "SELECT SUM(bytes) FROM parts") > 0
    parts.settle(parts.cut())
    assert parts.index.used() == 0


def test_a_shard_takes_the_oldest_rows_that_fit_and_at_least_one_part(parts: Parts) -> None:
    parts.store(*[part(name, 0, last=True) for name in "abc"])
    claim = parts.shards.claim(parts.shards.groups()[0], 1 << 20, 2)
    assert [entry.record.item.id for entry in parts.shards.entries(claim)] == [item("a").id, item("b").id]
    claim = parts.shards.claim(parts.shards.groups()[0], 1, 1)
    assert [entry.record.item.id for entry in parts.shards.entries(claim)] == [item("c").id]
    assert parts.shards.groups() == []


def test_days_and_column_sets_have_shards_of_their_own(parts: Parts) -> None:
    other = predicted(item("b")).model_copy(update={"predictions": ({"label": 7},)})
    tomorrow = item("c", day=date(2026, 1, 2))
    parts.store(predictions(predicted(item("a")), other, predicted(tomorrow), predicted(item("d"))))
    assert sorted((group.date, group.rows) for group in parts.shards.groups()) == [
        ("2026-01-01", 1),
        ("2026-01-01", 2),
        ("2026-01-02", 1),
    ]


def test_an_item_is_uploaded_with_the_last_of_its_shards(parts: Parts) -> None:
    parts.store(part("a", 0), part("a", 1, last=True), part("b", 0, last=True))
    assert list(parts.settle(parts.cut(most_rows=1))) == []
    assert ask(parts, "a", "b") == ["accepted", "accepted"]
    uploaded = parts.settle(parts.cut(most_rows=2))
    assert sorted(receipt.id for receipt in uploaded) == sorted([item("a").id, item("b").id])
    assert ask(parts, "a", "b") == ["uploaded", "uploaded"]


def test_a_shard_that_is_given_up_waits_again(parts: Parts) -> None:
    parts.store(part("a", 0, last=True))
    parts.shards.release(parts.cut().number)
    assert [group.rows for group in parts.shards.groups()] == [1]


def test_settled_items_are_forgotten_after_a_while(parts: Parts) -> None:
    parts.store(part("a", 0, last=True), part("b", 0, last=True))
    parts.settle(parts.cut())
    settle(parts, "a")
    parts.index.tidy(NOON + REMEMBER)
    assert ask(parts, "a", "b") == ["uploaded", "uploaded"]
    parts.index.tidy(NOON + REMEMBER + timedelta(seconds=1))
    assert ask(parts, "a", "b") == ["unknown", "uploaded"]


def test_what_is_settled_elsewhere_takes_its_parts_along(parts: Parts) -> None:
    parts.store(part("a", 0), part("b", 0, last=True))
    settle(parts, "a", "b")
    assert held(parts) == 1
    assert ask(parts, "b") == ["accepted"]


def test_an_attempt_that_is_never_completed_goes_after_a_while(parts: Parts) -> None:
    parts.store(part("a", 0))
    parts.index.tidy(NOON + ABANDON)
    assert held(parts) == 1
    parts.index.tidy(NOON + ABANDON + timedelta(seconds=1))
    assert (held(parts), parts.index.used()) == (0, 0)


def test_a_full_disk_stores_nothing_of_a_group_and_harms_nothing(parts: Parts) -> None:
    parts.store(part("a", 0, last=True))
    pages = held(parts, "PRAGMA page_count")
    parts.database.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(SpoolUnavailableError, match="full"):
        parts.store(*[part(f"b{number}", 0, last=True) for number in range(100)])
    assert ask(parts, "a", "b0") == ["accepted", "unknown"]

    parts.database.execute(f"PRAGMA max_page_count = {pages + 1000}")
    assert len(parts.store(*[part(f"b{number}", 0, last=True) for number in range(100)])) == 100


def test_what_the_spool_no_longer_needs_goes_back_to_the_disk(parts: Parts) -> None:
    said = ({"label": "x" * 10_000},)
    for number in range(100):
        parts.store(predictions(predicted(item(f"a{number}")).model_copy(update={"predictions": said})))
    pages = held(parts, "PRAGMA page_count")
    parts.settle(parts.cut())
    assert held(parts, "PRAGMA page_count") >= pages
    parts.index.tidy(NOON)
    assert held(parts, "PRAGMA page_count") < pages // 2


def test_the_next_release_may_have_written_the_spool_but_not_a_later_one(tmp_path: Path) -> None:
    with closing(Parts(tmp_path)) as parts:
        parts.store(part("a", 0, last=True))
        parts.database.execute(f"PRAGMA user_version = {VERSION + 1}")
    with closing(Parts(tmp_path)) as parts:
        assert ask(parts, "a") == ["accepted"]
        parts.database.execute(f"PRAGMA user_version = {VERSION + 2}")
    with pytest.raises(ConfigurationError, match="more than one ahead"):
        Database(tmp_path / "state" / "spool.db")


Deliveries = st.lists(
    st.tuples(st.sampled_from("ab"), st.integers(1, 2), st.integers(0, 2), st.booleans()), min_size=1, max_size=25
)


@settings(max_examples=30)
@given(Deliveries)
def test_however_parts_come_each_item_is_stored_from_one_attempt_and_whole(
    tmp_path_factory: pytest.TempPathFactory, deliveries: list[tuple[str, int, int, bool]]
) -> None:
    parts = Parts(tmp_path_factory.mktemp("spool"))
    parts.database.execute("PRAGMA synchronous = OFF")
    accepted = set()
    for name, attempt, number, last in deliveries:
        for receipt in parts.store(part(name, number, attempt=attempt, last=last)):
            if isinstance(receipt, Receipt) and receipt.status == "accepted":
                accepted.add(receipt.id)
    stored: dict[str, list[tuple[int, int]]] = {}
    for group in parts.shards.groups():
        claim = parts.shards.claim(group, 1 << 20, 1000)
        for entry in parts.shards.entries(claim):
            stored.setdefault(entry.record.item.id, []).append((entry.record.item.attempt, entry.record.part))
    parts.database.close()
    assert set(stored) == accepted
    for rows in stored.values():
        assert len({attempt for attempt, _ in rows}) == 1
        assert sorted(number for _, number in rows) == list(range(len(rows)))
