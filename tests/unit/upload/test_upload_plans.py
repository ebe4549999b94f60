"""What is done for one item looks at that item, and not at all that are there."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from edge_common.messages import InquiriesMessage, Inquiry
from edge_upload.assembly import Attempt
from edge_upload.database import Database
from edge_upload.history.events import Events
from edge_upload.index import Index
from support.upload import item

NOW = datetime(2026, 1, 1, tzinfo=UTC)
WHOLE = Attempt(held=1, highest=0, last=0)


class Noting(Database):
    """A database that notes how it goes about statements."""

    def __init__(self, path: Path) -> None:
        self.plans: list[str] = []
        super().__init__(path)

    def execute(self, statement: str, values: Sequence[Any] = ()) -> Any:
        if statement.startswith(("SELECT", "UPDATE", "DELETE", "INSERT")):
            explained = super().execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()
            self.plans += [step[3] for step in explained]
        return super().execute(statement, values)


@pytest.fixture
def database(tmp_path: Path) -> Noting:
    return Noting(tmp_path / "spool.db")


def test_no_item_s_way_leads_past_all_others(database: Noting) -> None:
    index, one = Index(database, "cloud"), item("a")
    number = index.note(one, WHOLE, None, (), NOW)
    assert [receipt.id for receipt in index.finish([number], NOW)] == [one.id]
    ask = (Inquiry(id=one.id, attempt=1),)
    index.answer(InquiriesMessage(ask=ask, settled=(one.id,)), NOW)
    index.drop_others(one)
    assert database.plans
    assert [plan for plan in database.plans if "items_by_state" in plan or plan.startswith("SCAN items")] == []


def test_how_many_events_wait_is_not_counted_through(database: Noting) -> None:
    events = Events(database)
    database.plans.clear()
    events.take([])
    assert database.plans
    assert [plan for plan in database.plans if plan.startswith("SCAN events")] == []
