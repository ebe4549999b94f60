"""Shards are cut by size, by rows and by age."""

from edge_upload.cargo import Cargo
from edge_upload.schedule import Schedule
from edge_upload.settings import UploadSettings
from edge_upload.shards import Group

SETTINGS = UploadSettings(shard_bytes=10_000, shard_rows=100, shard_seconds=60)


def group(
    date: str = "2026-01-01", size: int = 10, rows: int = 1, *, cargo: Cargo = Cargo.RESULTS, hard: bool = False
) -> Group:
    return Group(date, 1, cargo, hard, size, rows)


def started() -> Schedule:
    schedule = Schedule()
    schedule.due([], 0, SETTINGS)
    return schedule


def test_what_waits_at_the_start_is_due() -> None:
    assert Schedule().due([group()], 0, SETTINGS) == group()


def test_little_waits_for_more_until_it_is_old() -> None:
    schedule = started()
    assert schedule.due([group()], 10, SETTINGS) is None
    assert schedule.due([group(rows=2)], 69.9, SETTINGS) is None
    assert schedule.due([group(rows=3)], 70, SETTINGS) == group(rows=3)


def test_enough_does_not_wait() -> None:
    assert started().due([group(size=10_000)], 10, SETTINGS) == group(size=10_000)
    assert started().due([group(rows=100)], 10, SETTINGS) == group(rows=100)


def test_the_group_that_has_waited_longest_goes_first() -> None:
    schedule = started()
    schedule.due([group("2026-01-02")], 5, SETTINGS)
    groups = [group("2026-01-01"), group("2026-01-02")]
    schedule.due(groups, 6, SETTINGS)
    assert schedule.due(groups, 100, SETTINGS) == group("2026-01-02")
    assert schedule.due(groups, 100, SETTINGS) == group("2026-01-01")


def test_what_remains_of_a_group_waits_anew() -> None:
    schedule = started()
    assert schedule.due([group(size=12_000)], 10, SETTINGS)
    assert schedule.due([group(size=2_000)], 69, SETTINGS) is None
    assert schedule.due([group(size=2_000)], 70, SETTINGS)


def test_a_group_that_comes_back_is_new() -> None:
    schedule = started()
    schedule.due([group()], 10, SETTINGS)
    schedule.due([], 20, SETTINGS)
    assert schedule.due([group()], 71, SETTINGS) is None


def test_results_go_before_hard_examples_and_these_before_the_rest() -> None:
    schedule = started()
    rest, hard, results = (
        group(cargo=Cargo.FEATURES),
        group(cargo=Cargo.FEATURES, hard=True),
        group("2026-01-02"),
    )
    schedule.due([rest], 1, SETTINGS)
    schedule.due([rest, hard], 2, SETTINGS)
    groups = [rest, hard, results]
    schedule.due(groups, 3, SETTINGS)
    assert [schedule.due(groups, 100, SETTINGS) for _ in range(3)] == [results, hard, rest]
