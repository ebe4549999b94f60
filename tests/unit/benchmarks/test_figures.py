"""What becomes of what was measured."""

from datetime import date
from pathlib import Path

import pytest
from bench import page
from bench.findings import Findings
from bench.goals import Goal
from bench.growth import Curve, Point, draw
from bench.limit import Alone
from bench.pipeline import QUIET, Round, counting, row
from bench.processor import Busy
from bench.scale import Scale
from bench.stage import Pushed

SCALE = Scale(pictures=1, rounds=1, files=1, seconds=1, growth=1)
PROCESSES = ("ingest", "transform", "inference", "upload", "simulator")


def a_round(suite_seconds: float, others: float = 0.0) -> Round:
    """100 files, of which one process makes 100 a second."""
    cpu = dict.fromkeys(PROCESSES, 2.0)
    return Round(Alone(100, 1, 1, others), Pushed(100, suite_seconds, cpu, cpu, others))


def test_rounds_that_neighbours_disturbed_do_not_count() -> None:
    quiet, loud = a_round(1.25), a_round(2, others=QUIET)
    assert counting([loud, quiet, loud]) == [quiet]


def test_where_all_are_disturbed_the_least_disturbed_counts() -> None:
    loud, louder = a_round(1, others=0.5), a_round(2, others=0.8)
    assert counting([louder, loud]) == [loud]


def test_a_case_tells_the_medians() -> None:
    told = row("shufflenet", (640, 480), (2, 1), [a_round(1), a_round(1.25), a_round(5), a_round(9, others=1)])
    assert told["ratio"] == pytest.approx(0.8)
    assert told["suite, a second"] == pytest.approx(80)
    assert told["rounds"] == "3 of 4"
    assert told["by CPU"] == pytest.approx(1)
    assert told["CPU of ingest"] == 2


def test_the_simulator_is_no_module() -> None:
    assert a_round(1).suite.modules_cpu_ms == 8


def test_others_had_what_is_left_of_the_machine() -> None:
    now = Busy.now()
    assert Busy(now.at - 10, now.seconds - 8).others([3, 2]) == pytest.approx(0.3, abs=0.2)
    assert Busy(now.at - 10, now.seconds).others([1e6]) == 0


def test_the_last_line_has_null_for_what_was_not_measured() -> None:
    figures = page.figures([Findings("a", [], "", {"overhead_ms_per_item": 0.7})])
    assert figures == {
        "pipeline_ratio": None,
        "best_peer_ratio": None,
        "overhead_ms_per_item": 0.7,
        "http_ratio": None,
        "gpu_ratio": None,
    }


def test_a_page_has_a_table_and_its_picture_beside_it(tmp_path: Path) -> None:
    png = tmp_path / "growth.png"
    points = [Point(1, 2, {"ingest": 3}), Point(2, 2, {"ingest": 3})]
    draw([Curve("files", points), Curve("models", points)], png)
    found = Findings("Growth", [{"what": "files", "size": 1000.0, "ms": 1.2345}], "A note.", picture=png)
    written = page.write(tmp_path / "results", date(2026, 1, 2), page.setting(SCALE), [found])
    text = written.read_text()
    assert written.name == "2026-01-02.md"
    assert "## Growth\n\n| what | size | ms |\n| --- | ---: | ---: |\n| files | 1,000 | 1.23 |\n\nA note." in text
    assert "![Growth](2026-01-02-growth.png)" in text
    assert (tmp_path / "results/2026-01-02-growth.png").read_bytes().startswith(b"\x89PNG")


def test_a_page_says_which_goals_are_met_and_which_are_missed(tmp_path: Path) -> None:
    goals = [Goal("ratio", 0.95, 0.95, least=True), Goal("rate", 1499.6, 1500, least=True), Goal("ms", 0.81, 0.8)]
    found = [Findings("One", [{"a": 1}], "A note.", goals=goals[:1]), Findings("Two", [{"a": 1}], "", goals=goals[1:])]
    text = page.write(tmp_path, date(2026, 1, 2), "here", found).read_text()
    told = text.partition("## Goals")[2].partition("## One")[0]
    assert "| ratio | ≥ 0.95 | 0.95 | met |" in told
    assert "| rate | ≥ 1500 | 1500 | **missed** |" in told
    assert "| ms | ≤ 0.8 | 0.81 | **missed** |" in told
