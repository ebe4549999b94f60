"""Items are put together from the parts of one attempt."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_upload.assembly import Attempt, Verdict, judge


@pytest.mark.parametrize(
    ("attempt", "part", "last", "verdict"),
    [
        (Attempt(), 0, True, Verdict.COMPLETES),
        (Attempt(), 0, False, Verdict.PART),
        (Attempt(), 2, True, Verdict.PART),
        (Attempt(held=1, highest=0), 1, True, Verdict.COMPLETES),
        (Attempt(held=1, highest=2, last=2), 1, False, Verdict.PART),
        (Attempt(held=2, highest=2, last=2), 0, False, Verdict.COMPLETES),
        (Attempt(held=1, highest=2, last=2), 3, False, Verdict.CONTRADICTION),
        (Attempt(held=1, highest=2, last=2), 3, True, Verdict.CONTRADICTION),
        (Attempt(held=1, highest=2, last=2), 1, True, Verdict.CONTRADICTION),
        (Attempt(held=1, highest=2), 1, True, Verdict.CONTRADICTION),
    ],
)
def test_a_new_part(attempt: Attempt, part: int, *, last: bool, verdict: Verdict) -> None:
    assert judge(attempt, part, last=last, known=False, held=False) is verdict


def test_what_is_whole_or_held_is_stored_no_more() -> None:
    assert judge(Attempt(), 0, last=True, known=True, held=False) is Verdict.KNOWN
    assert judge(Attempt(1, 0), 0, last=False, known=False, held=True) is Verdict.HELD


Deliveries = st.lists(st.tuples(st.integers(1, 3), st.integers(0, 3), st.booleans()), max_size=40)


@given(Deliveries)
def test_however_parts_come_one_attempt_wins_and_nothing_is_missing_or_doubled(
    deliveries: list[tuple[int, int, bool]],
) -> None:
    attempts: dict[int, Attempt] = {}
    stored: dict[int, list[int]] = {}
    winner: int | None = None
    for number, part, last in deliveries:
        attempt = attempts.get(number, Attempt())
        held = part in stored.get(number, [])
        verdict = judge(attempt, part, last=last, known=winner is not None, held=held)
        if verdict in {Verdict.PART, Verdict.COMPLETES}:
            assert not held
            assert winner is None
            attempts[number] = attempt.with_part(part, last=last)
            stored.setdefault(number, []).append(part)
        if verdict is Verdict.COMPLETES:
            winner = number
            assert sorted(stored[number]) == list(range(len(stored[number])))


@given(st.integers(1, 5).flatmap(lambda count: st.permutations(range(count))))
def test_an_attempt_whose_parts_all_come_is_whole_with_the_last_to_come(order: list[int]) -> None:
    attempt = Attempt()
    verdicts = []
    for part in order:
        last = part == len(order) - 1
        verdicts.append(judge(attempt, part, last=last, known=False, held=False))
        attempt = attempt.with_part(part, last=last)
    assert verdicts == [Verdict.PART] * (len(order) - 1) + [Verdict.COMPLETES]
