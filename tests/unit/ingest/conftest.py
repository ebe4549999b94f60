"""What the tests of ingest stand on."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from edge_ingest.dispatch import Dispatcher
from edge_ingest.flights import Limits
from edge_ingest.ledger.schema import open_ledger
from unit.ingest.dispatching import LEASE, STEADY, Bench


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "share").mkdir()
    return tmp_path


@pytest.fixture
def bench() -> Bench:
    return Bench(Dispatcher(Limits(window=16, lease_s=LEASE, max_attempts=3), STEADY))


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(open_ledger(tmp_path / "ledger.db")) as db:
        yield db
