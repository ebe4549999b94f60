from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from edge_common.messages import ModelIdentity
from edge_inference.errors import NoSpaceError, NotFoundError
from edge_inference.record import Record, read_record
from edge_inference.swap import Progress, State, failed, succeeded
from edge_inference.tuning.choice import Choice, Tuning
from support.models import contract
from support.sessions import FakeSession, fake_model

NOW = datetime(2026, 1, 1, tzinfo=UTC)
V1 = contract("v1")
MODEL = fake_model(V1, FakeSession(V1, np.asarray))
BEFORE = ModelIdentity(name="teller", version="0", digest="sha256:" + "0" * 64)


def test_at_first_there_is_nothing_to_tell() -> None:
    assert Progress().reported() == {
        "ackVersion": 0,
        "requestId": None,
        "state": "Idle",
        "active": None,
        "tuning": None,
        "previous": None,
        "candidate": None,
        "last": None,
        "rejected": None,
    }


def test_a_swap_that_succeeds() -> None:
    progress = Progress().asked(7, "r1").at(State.LOADING).serving(MODEL, BEFORE).ended(succeeded(NOW, 1.2345))
    assert progress.reported() == {
        "ackVersion": 7,
        "requestId": "r1",
        "state": "Active",
        "active": {
            "name": "teller",
            "version": "1",
            "digest": MODEL.identity.digest,
            "stamp": V1.input.stamp,
            "providers": ["CPUExecutionProvider"],
        },
        "tuning": None,
        "previous": {"name": "teller", "version": "0", "digest": BEFORE.digest},
        "candidate": None,
        "rejected": None,
        "last": {
            "result": "succeeded",
            "at": "2026-01-01T00:00:00.000+00:00",
            "milliseconds": 1234,
            "code": None,
            "detail": None,
        },
    }


def test_how_the_model_runs_best_is_told() -> None:
    tuned = replace(MODEL, tuning=Tuning(Choice(4, 2), 1234.5, "2026-01-01T00:00:00+00:00"))
    assert Progress().serving(MODEL, None).tuned(tuned).reported()["tuning"] == {
        "batch": 4,
        "callers": 2,
        "intraOp": 1,
        "ioBinding": False,
        "samplesPerSecond": 1230.0,
        "at": "2026-01-01T00:00:00+00:00",
    }
    assert Progress().tuned(tuned).reported()["tuning"] is None


def test_a_swap_that_fails_leaves_the_active_model_in_the_report() -> None:
    outcome = failed(NotFoundError("nowhere " * 1000), NOW + timedelta(milliseconds=5), 0.5)
    reported = Progress().serving(MODEL, None).asked(8, None).at(State.FAILED).ended(outcome).reported()
    assert reported["state"] == "Failed"
    assert reported["active"]["digest"] == MODEL.identity.digest
    assert reported["last"]["code"] == "NOT_FOUND"
    assert len(reported["last"]["detail"]) == 1000


def test_what_is_settled_is_active_or_idle() -> None:
    assert Progress(state=State.FAILED).settled().state is State.IDLE
    assert Progress().serving(MODEL, None).at(State.FAILED).settled().state is State.ACTIVE


def test_a_record_comes_back_from_disk(tmp_path: Path) -> None:
    record = Record(active=MODEL.identity, previous=BEFORE, last=succeeded(NOW, 1))
    record.save(tmp_path / "active.json")
    assert read_record(tmp_path / "active.json") == record


@pytest.mark.parametrize("data", [b"", b"{", b'{"schema":9}', b'{"active":{"name":"a"}}'])
def test_a_record_that_cannot_be_read_is_none(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "active.json").write_bytes(data)
    assert read_record(tmp_path / "active.json") == Record()
    assert read_record(tmp_path / "nowhere.json") == Record()


def test_a_record_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(NoSpaceError):
        Record().save(tmp_path / "no folder" / "active.json")
