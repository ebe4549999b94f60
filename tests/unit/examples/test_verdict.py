from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from edge_examples.drops import Drop
from edge_examples.verdict import Evidence, judge

GOOD = Drop("a.png", b"a", truth=("1",))
ALSO_GOOD = Drop("b.png", b"b", truth=("2",))
BAD = Drop("c.png", b"c", code="EMPTY")
DROPS = (GOOD, ALSO_GOOD, BAD)
CLOSED = {"a.png": 100.0, "b.png": 100.0}


def record(path: str, label: str = "1", stored_at: float = 100.5, row: int = 0) -> Mapping[str, Any]:
    stored = datetime.fromtimestamp(stored_at, UTC)
    about = {"label": label, "model_version": "1", "stored_at": stored}
    return {"id": path, "path": path, "part": 0, "row": row, **about}


EVIDENCE = Evidence((record("a.png"), record("b.png", "2")), {"c.png": {"path": "c.png", "code": "EMPTY"}}, 2)


def test_a_run_as_it_should_be_is_clean() -> None:
    verdict = judge(DROPS, CLOSED, EVIDENCE)
    assert verdict.clean
    assert (verdict.files, verdict.predicted, verdict.quarantined, verdict.accuracy) == (3, 2, 1, 1.0)
    assert verdict.latency_ms(50) == pytest.approx(500)


def test_a_file_without_a_trace_is_lost() -> None:
    verdict = judge(DROPS, CLOSED, replace(EVIDENCE, records=EVIDENCE.records[:1], settled=1))
    assert (verdict.lost, verdict.clean) == (1, False)


def test_a_file_with_two_records_is_duplicated() -> None:
    verdict = judge(DROPS, CLOSED, replace(EVIDENCE, records=(*EVIDENCE.records, record("a.png"))))
    assert (verdict.duplicated, verdict.clean) == (1, False)


TABLE = Drop("t.csv", b"t", truth=("low", "high"))
ROWS = (record("t.csv", "high", row=1), record("t.csv", "low", 101))


def test_every_sample_of_a_file_counts() -> None:
    verdict = judge([TABLE], {"t.csv": 100.0}, Evidence(ROWS, {}, 1))
    assert verdict.clean
    assert (verdict.predicted, verdict.samples, verdict.accuracy) == (1, 2, 1.0)
    assert verdict.latency_ms(50) == pytest.approx(1000)


@pytest.mark.parametrize("rows", [ROWS[:1], (*ROWS, record("t.csv", row=2))])
def test_a_file_with_samples_too_few_or_too_many_is_named(rows: tuple[Mapping[str, Any], ...]) -> None:
    verdict = judge([TABLE], {"t.csv": 100.0}, Evidence(rows, {}, 1))
    assert verdict.wrong == (f"t.csv: {len(rows)} samples predicted, expected 2",)


def test_a_wrong_label_costs_accuracy_and_is_no_fault_of_the_suite() -> None:
    verdict = judge(DROPS, CLOSED, replace(EVIDENCE, records=(record("a.png", "7"), EVIDENCE.records[1])))
    assert (verdict.accuracy, verdict.clean) == (0.5, True)


@pytest.mark.parametrize(
    ("evidence", "complaint"),
    [
        (replace(EVIDENCE, quarantined={}), "c.png: quarantined as None, expected EMPTY"),
        (replace(EVIDENCE, quarantined={"c.png": {"code": "LOST"}}), "c.png: quarantined as LOST, expected EMPTY"),
        (
            replace(EVIDENCE, quarantined={**EVIDENCE.quarantined, "a.png": {"code": "LOST"}}),
            "a.png: quarantined as LOST",
        ),
        (replace(EVIDENCE, records=(*EVIDENCE.records, record("c.png")), settled=3), "c.png: predicted"),
        (replace(EVIDENCE, records=(*EVIDENCE.records, record("x.png")), settled=3), "x.png: nobody dropped"),
        (replace(EVIDENCE, settled=1), "the ledger has 1 items as uploaded"),
    ],
)
def test_whatever_is_settled_otherwise_is_named(evidence: Evidence, complaint: str) -> None:
    verdict = judge(DROPS, CLOSED, evidence)
    assert not verdict.clean
    assert any(sentence.startswith(complaint) for sentence in verdict.wrong)
