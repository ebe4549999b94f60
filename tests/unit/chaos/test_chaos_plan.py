"""The plan of a fault run."""

from contextlib import nullcontext
from itertools import pairwise
from random import Random

import pytest

from chaos.fault import Fault
from chaos.faults import OF_ALL, OF_STORES
from chaos.plan import plan

ALL = (*OF_ALL, *OF_STORES["share"], *OF_STORES["container"])


def fault(name: str, subject: str, *, most: int | None = None) -> Fault:
    return Fault(name, subject, lambda _: nullcontext(), (1.0, 2.0), most)


def test_the_seed_decides() -> None:
    assert plan(ALL, 50, 100, Random(1)) == plan(ALL, 50, 100, Random(1))
    assert plan(ALL, 50, 100, Random(1)) != plan(ALL, 50, 100, Random(2))


def test_every_fault_comes_before_any_comes_often() -> None:
    strokes = plan(ALL, 3 * len(ALL), 10_000, Random(1))
    assert {stroke.fault.name for stroke in strokes} == {fault.name for fault in ALL}


def test_no_subject_suffers_two_faults_at_a_time() -> None:
    strokes = plan(ALL, 200, 280, Random(3))
    for subject in {stroke.fault.subject for stroke in strokes}:
        own = [stroke for stroke in strokes if stroke.fault.subject == subject]
        assert all(before.ends < after.at for before, after in pairwise(own))


def test_what_may_come_once_comes_once() -> None:
    strokes = plan([fault("once", "a", most=1), fault("often", "b")], 10, 1000, Random(1))
    assert sum(stroke.fault.name == "once" for stroke in strokes) == 1


def test_too_many_faults_for_the_time_are_refused() -> None:
    with pytest.raises(ValueError, match="fewer faults"):
        plan([fault("only", "a")], 10, 1, Random(1))


def test_names_are_told_apart() -> None:
    names = [fault.name for fault in ALL]
    assert len(names) == len(set(names))
