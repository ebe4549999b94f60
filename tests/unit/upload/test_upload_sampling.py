"""Which items are worth more than their predictions."""

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from edge_common.messages import Mark
from edge_upload.sampling import PERIODS, Quotas, Why, decide, limits_of, reasons
from edge_upload.settings import UploadSettings
from support.upload import NOON, item

NEVER = "f" * 32
"""An item that no fraction but all draws."""

Ids = st.integers(0, (1 << 128) - 1).map(lambda number: f"{number:032x}")
Whys = st.frozensets(st.sampled_from(Why))
Choices = st.sampled_from(["none", "sampled", "all"])
Limits = st.none() | st.integers(0, 5)


def policy(**settings: Any) -> UploadSettings:
    return UploadSettings.model_validate({"sampleFraction": 0, **settings})


def found(row: Mapping[str, Any], *marks: Mark, **settings: Any) -> set[str]:
    return {str(why) for why in reasons(NEVER, [{}, row], marks, policy(**settings))}


@given(Ids, st.floats(0, 1), st.floats(0, 1))
def test_what_a_fraction_draws_a_larger_one_draws_too(one: str, first: float, second: float) -> None:
    small, large = sorted([first, second])
    assert reasons(one, [], [], policy(sampleFraction=small)) <= reasons(one, [], [], policy(sampleFraction=large))


def test_a_fraction_draws_about_as_many() -> None:
    drawn = sum(bool(reasons(item(f"{n}").id, [], [], policy(sampleFraction=0.1))) for n in range(5000))
    assert 400 < drawn < 600
    assert not reasons("0" * 32, [], [], policy())
    assert reasons(NEVER, [], [], policy(sampleFraction=1))


@pytest.mark.parametrize(("score", "within"), [(0.39, False), (0.4, True), (0.59, True), (0.6, False), (1, False)])
def test_a_band_of_confidence(score: float, *, within: bool) -> None:
    assert (found({"score": score}, sampleConfidence=[0.4, 0.6]) == {"confidence"}) is within


@pytest.mark.parametrize("row", [{}, {"score": None}, {"score": "0.5"}, {"score": {}}, {"label": 7}, {"label": ["x"]}])
def test_rows_of_any_form_are_looked_at(row: Mapping[str, Any]) -> None:
    assert found(row, sampleConfidence=[0.4, 0.6], sampleClasses=["cat"]) == set()


def test_classes_and_lists_of_detections() -> None:
    row = {"label": ["dog", "cat"], "score": [0.99, 0.5]}
    assert found(row, sampleClasses=["cat", "cow"]) == {"class"}
    assert found(row, sampleConfidence=[0, 0.6]) == {"confidence"}


def test_marks_count_where_the_policy_wants_them() -> None:
    assert found({}, Mark.DRIFT, Mark.DISAGREEMENT) == {"drift", "disagreement"}
    assert found({}, Mark.DRIFT, Mark.DISAGREEMENT, sampleMarks=["drift"]) == {"drift"}


@given(Whys, Choices, Choices, Limits, Limits, Limits)
def test_decisions_follow_the_choices(
    why: frozenset[Why], originals: Any, features: Any, minute: int | None, hour: int | None, day: int | None
) -> None:
    settings = policy(
        originals=originals, features=features, samplePerMinute=minute, samplePerHour=hour, samplePerDay=day
    )
    decision = decide(why, Quotas(), NOON, settings)
    allowed = 0 not in {minute, hour, day}
    for choice, taken in ((originals, decision.original), (features, decision.features)):
        assert taken is (choice == "all" or (choice == "sampled" and bool(why) and allowed))
    assert decision.sampled is (bool(why) and allowed and "sampled" in {originals, features})
    assert not (decision.sampled and decision.over_quota)
    assert decision.hard <= bool(decision.why - {Why.RANDOM})


@given(st.lists(st.floats(0, 40_000), max_size=60), Limits, Limits, Limits)
def test_no_period_ever_has_more_than_its_quota(
    pauses: list[float], minute: int | None, hour: int | None, day: int | None
) -> None:
    settings = policy(originals="sampled", samplePerMinute=minute, samplePerHour=hour, samplePerDay=day)
    quotas, now = Quotas(), NOON
    taken: Counter[tuple[str, int]] = Counter()
    for pause in pauses:
        now += timedelta(seconds=pause)
        if decide(frozenset({Why.CLASS}), quotas, now, settings).sampled:
            quotas = quotas.with_one_more(now)
            taken.update((period, int(now.timestamp()) // length) for period, length in PERIODS.items())
    limits = limits_of(settings)
    assert all(count <= limit for (period, _), count in taken.items() if (limit := limits[period]) is not None)
    unlimited = minute is hour is day is None
    assert not unlimited or sum(n for (period, _), n in taken.items() if period == "day") == len(pauses)


def test_a_quota_is_there_again_in_the_next_period() -> None:
    settings = policy(originals="sampled", samplePerHour=1)
    moments = [NOON, NOON + timedelta(minutes=59), NOON + timedelta(minutes=60)]
    assert all(earlier < later for earlier, later in pairwise(moments))
    quotas = Quotas().with_one_more(NOON)
    assert [quotas.allow(settings, moment) for moment in moments] == [False, False, True]


@pytest.mark.parametrize(
    "wrong",
    [
        {"sampleConfidence": [0.6, 0.4]},
        {"sampleConfidence": 0.4},
        {"sampleMarks": ["odd"]},
        {"sampleFraction": 1.1},
        {"samplePerDay": -1},
        {"originals": True},
        {"uploadWindows": ["at night"]},
        {"uploadWindows": [None]},
    ],
)
def test_a_policy_that_means_nothing_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        UploadSettings.model_validate(wrong)


def test_what_the_release_before_took_is_still_taken() -> None:
    assert UploadSettings.model_validate({"features": True}).features == "all"
    assert UploadSettings.model_validate({"features": False}).features == "none"
