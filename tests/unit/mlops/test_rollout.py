"""Rollouts on fleets in memory: waves, stops, ways back, and what comes between."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from math import ceil, inf
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_inference.errors import BadDesiredError
from edge_mlops.errors import ChangedError, PlanError
from edge_mlops.rollout.events import Event, Report
from edge_mlops.rollout.fleet import Mark, ModuleTwin
from edge_mlops.rollout.plan import Plan, Wish, read_plan
from edge_mlops.rollout.rollout import roll_out
from edge_mlops.rollout.standing import Standing
from edge_mlops.rollout.undoing import roll_back
from support.fleet import SimulatedDevice, SimulatedFleet, takes

OLD = {"schema": 1, "name": "pets", "version": "1", "ref": f"oci:library@sha256:{'1' * 64}", "gate": {"p95Ratio": 3}}
BACK = {**OLD, "allowDowngrade": True}
OTHER = {"schema": 1, "name": "cars", "version": "7", "ref": f"oci:library@sha256:{'7' * 64}"}
REF = f"oci:library@sha256:{'2' * 64}"
RINGS = tuple(f"tags.ring = {ring}" for ring in range(3))
PLAN = Plan(waves=RINGS)
WISH = Wish.make(PLAN, "pets", "2", REF)


def refuses(model: Mapping[str, Any]) -> str | None:
    return "GOLDEN_FAILED" if model["version"] == "2" else None


def device(ring: int, verdict: Callable[[Mapping[str, Any]], str | None] = takes, **more: Any) -> SimulatedDevice:
    return SimulatedDevice({"ring": ring}, verdict, model=OLD, active=OLD, **more)


def fleet_of(*rings: int, **others: SimulatedDevice) -> SimulatedFleet:
    """So many good devices in each ring, and others."""
    members = {f"edge-{ring}-{one}": device(ring) for ring, count in enumerate(rings) for one in range(count)}
    return SimulatedFleet({**members, **others})


def run(fleet: SimulatedFleet, plan: Plan = PLAN, events: list[Event] | None = None) -> Report:
    return roll_out(fleet, plan, WISH, ignore if events is None else events.append, fleet)


def ignore(_: Event) -> None:
    """Nobody listens."""


def asked(fleet: SimulatedFleet, model: Mapping[str, Any] | None) -> int:
    return sum(one.model == model for one in fleet.members.values())


def serving(fleet: SimulatedFleet, version: str) -> int:
    return sum(one.active is not None and one.active["version"] == version for one in fleet.members.values())


def test_ten_thousand_devices_take_a_model_wave_by_wave_in_two_calls_each_and_few_pages() -> None:
    elsewhere = device(9)
    fleet = fleet_of(10, 990, 9000, elsewhere=elsewhere)
    events: list[Event] = []
    report = run(fleet, events=events)
    assert report.ok
    assert [wave.counts for wave in report.waves] == [{Standing.ACTIVE: count} for count in (10, 990, 9000)]
    assert (serving(fleet, "2"), fleet.members["elsewhere"].model, fleet.members["elsewhere"].tag) == (
        10_000,
        OLD,
        None,
    )
    assert (fleet.calls["update"], fleet.calls["twin"], fleet.calls["devices"]) == (10_000, 10_000, 3)
    assert fleet.calls["pages"] <= fleet.now / 3 + 2 * ceil(10_000 / 100)
    told = [event.what for event in events if event.what in {"told", "active", "wave 2", "wave 3"}]
    first, second = told.index("wave 2"), told.index("wave 3")
    assert (told[:first].count("active"), told[:first].count("told")) == (10, 10)
    assert (told[:second].count("active"), told[:second].count("told")) == (1000, 1000)


def test_ten_thousand_devices_never_hear_of_what_the_canaries_refuse() -> None:
    fleet = fleet_of(0, 990, 9000, **{f"canary-{one}": device(0, refuses) for one in range(10)})
    report = run(fleet)
    assert (report.ok, report.reason) == (False, "10 devices of wave 1 failed")
    assert (asked(fleet, OLD), asked(fleet, BACK), serving(fleet, "1")) == (9990, 10, 10_000)
    assert (fleet.calls["update"], fleet.calls["twin"]) == (20, 20)


def test_ten_thousand_devices_return_if_too_many_of_the_last_wave_refuse() -> None:
    bad = {f"bad-{one}": device(2, refuses) for one in range(91)}
    fleet = fleet_of(10, 990, 8909, **bad)
    report = run(fleet, PLAN.model_copy(update={"max_failures": "1%"}))
    assert report.reason == "91 devices of wave 3 failed"
    assert [wave.counts for wave in report.waves] == [{Standing.RETURNED: count} for count in (10, 990, 9000)]
    assert (asked(fleet, BACK), serving(fleet, "1"), fleet.calls["update"]) == (10_000, 10_000, 20_000)


def test_a_large_wave_is_stopped_while_it_is_being_told() -> None:
    bad = {f"bad-{one}": device(1, refuses) for one in range(200)}
    fleet = SimulatedFleet({"edge-0-0": device(0), **bad, **fleet_of(0, 9800, 1).members})
    report = run(fleet, PLAN.model_copy(update={"max_failures": "1%"}))
    assert report.reason.endswith("of wave 2 failed")
    assert 100 < asked(fleet, BACK) < 3000
    assert asked(fleet, BACK) + asked(fleet, OLD) == serving(fleet, "1") == 10_002


def test_as_many_may_fail_as_the_plan_allows() -> None:
    fleet = fleet_of(9, 10, 10, bad=device(0, refuses))
    report = run(fleet, PLAN.model_copy(update={"max_failures": "10%"}))
    assert report.ok
    assert report.waves[0].counts == {Standing.ACTIVE: 9, Standing.FAILED: 1}
    assert fleet.members["bad"].active == OLD


def test_what_is_offline_counts_for_nothing_and_follows_when_it_is_back() -> None:
    fleet = fleet_of(2, 2, 2, far=device(0, online=False))
    report = run(fleet)
    assert report.ok
    assert report.waves[0].counts == {Standing.ACTIVE: 2, Standing.OFFLINE: 1}
    fleet.members["far"].online = True
    assert fleet.twin("far")
    fleet.sleep(60)
    assert run(fleet).waves[0].counts == {Standing.ACTIVE: 3}
    assert fleet.calls["update"] == 7


def test_what_was_offline_does_not_take_on_its_return_what_was_rolled_back() -> None:
    fleet = fleet_of(1, 1, 0, bad=device(2, refuses), far=device(0, online=False))
    report = run(fleet)
    assert report.waves[0].counts == {Standing.RETURNED: 1, Standing.OFFLINE: 1}
    fleet.members["far"].online = True
    assert fleet.twin("far")
    fleet.sleep(60)
    assert roll_back(fleet, WISH.id, ignore, clock=fleet).total(Standing.RETURNED) == 4
    assert (serving(fleet, "1"), fleet.members["far"].model) == (4, BACK)


def test_a_canary_that_returns_and_refuses_while_the_next_wave_is_under_way_stops_it() -> None:
    fleet = fleet_of(1, 0, 1, far=device(0, refuses, online=False), slow=device(1, seconds=600))

    def come_back(told: str) -> None:
        fleet.members["far"].online |= told == "slow"

    fleet.before_update = come_back
    report = run(fleet)
    assert report.reason == "1 device of wave 1 failed"
    assert (asked(fleet, BACK), asked(fleet, OLD)) == (3, 1)


def test_a_wave_that_nobody_takes_in_its_time_proves_nothing() -> None:
    fleet = fleet_of(0, 5, 5, far=device(0, online=False))
    report = run(fleet)
    assert report.reason == "no device of wave 1 has taken it"
    assert (fleet.members["far"].model, asked(fleet, OLD)) == (BACK, 10)
    assert fleet.now >= PLAN.wave_seconds


def test_what_hangs_fails_once_the_time_of_its_wave_is_over() -> None:
    fleet = fleet_of(5, 5, 5, stuck=device(0, seconds=inf))
    assert run(fleet).reason == "1 device of wave 1 failed or did not finish in 3600 s"
    fleet = fleet_of(5, 5, 5, stuck=device(0, seconds=inf))
    report = run(fleet, PLAN.model_copy(update={"max_failures": 1}))
    assert (report.ok, report.waves[0].counts) == (True, {Standing.ACTIVE: 5, Standing.WAITING: 1})


def test_what_goes_silent_once_it_has_heard_of_a_model_is_not_taken_for_offline() -> None:
    crashing = device(0, seconds=10)
    fleet = fleet_of(0, 2, 2, crashing=crashing, next=device(0))

    def crash(told: str) -> None:
        crashing.online &= told != "next"

    fleet.before_update = crash
    assert run(fleet).reason == "1 device of wave 1 failed or did not finish in 3600 s"


def test_a_device_without_the_module_is_passed_over() -> None:
    class Missing(SimulatedFleet):
        def twin(self, device: str) -> ModuleTwin | None:
            return None if device == "bare" else super().twin(device)

    report = run(Missing({**fleet_of(1, 1, 1).members, "bare": device(1)}))
    assert (report.ok, report.waves[1].counts) == (True, {Standing.ACTIVE: 1, Standing.ABSENT: 1})


def test_a_wave_without_devices_is_refused_before_anything_is_changed() -> None:
    fleet = fleet_of(5, 5)
    with pytest.raises(PlanError, match=r"no device meets 'tags\.ring = 2'"):
        run(fleet)
    assert not fleet.calls["update"]


# --- others -----------------------------------------------------------------------------------------------------------


def test_what_somebody_asks_for_while_a_device_is_being_told_is_left_alone() -> None:
    fleet = fleet_of(2, 2, 2)
    events: list[Event] = []

    def interfere(told: str) -> None:
        if told == "edge-1-0" and fleet.members[told].model == OLD:
            fleet.ask(told, OTHER)

    fleet.before_update = interfere
    report = run(fleet, events=events)
    assert (report.ok, report.waves[1].counts) == (True, {Standing.ACTIVE: 1, Standing.OVERRULED: 1})
    assert (fleet.members["edge-1-0"].model, fleet.members["edge-1-0"].tag) == (OTHER, None)
    assert "edge-1-0: overruled: asked for cars 7" in map(str, events)


def test_a_twin_that_was_edited_elsewhere_meanwhile_is_told_all_the_same() -> None:
    fleet = fleet_of(2, 2, 2)
    edits = iter(["edge-0-0"])

    def interfere(told: str) -> None:
        if told == next(edits, None):
            fleet.ask(told, OLD)

    fleet.before_update = interfere
    assert run(fleet).total(Standing.ACTIVE) == 6


def test_what_somebody_has_asked_for_since_is_not_rolled_back() -> None:
    fleet = fleet_of(2, 0, 0, late=device(1, refuses), other=device(2))

    def interfere(told: str) -> None:
        if told == "late" and fleet.members["edge-0-0"].model == WISH.desired:
            fleet.ask("edge-0-0", OTHER)

    fleet.before_update = interfere
    report = run(fleet)
    assert report.waves[0].counts == {Standing.RETURNED: 1, Standing.OVERRULED: 1}
    assert (fleet.members["edge-0-0"].model, fleet.members["edge-0-1"].model) == (OTHER, BACK)


def test_a_device_that_had_no_model_is_asked_for_none_again() -> None:
    fleet = fleet_of(0, 1, 1, new=SimulatedDevice({"ring": 0}, refuses))
    assert run(fleet).waves[0].counts == {Standing.RETURNED: 1}
    assert fleet.members["new"].model is None


# --- interruptions ----------------------------------------------------------------------------------------------------


class KilledError(Exception):
    """Whoever rolls out is killed."""


class Mortal(SimulatedFleet):
    """A fleet whose user is killed at a call, before or after it has had its effect."""

    def __init__(self, fleet: SimulatedFleet, lives: float, *, after: bool) -> None:
        super().__init__(fleet.members)
        self.lives = lives
        self._after = after

    def update(self, twin: ModuleTwin, model: Mapping[str, Any] | None, mark: Mark) -> None:
        self.lives -= 1
        if self.lives == 0 and not self._after:
            raise KilledError
        super().update(twin, model, mark)
        if self.lives == 0:
            raise KilledError


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("lives", range(1, 7))
def test_a_rollout_that_was_killed_goes_on(lives: int, *, after: bool) -> None:
    fleet = Mortal(fleet_of(2, 2, 2), lives, after=after)
    with pytest.raises(KilledError):
        run(fleet)
    fleet.sleep(60)
    assert run(fleet).total(Standing.ACTIVE) == 6
    assert fleet.calls["update"] == 6
    marks = [Mark.read(one.tag) for one in fleet.members.values()]
    assert [mark and (mark.wave, mark.before) for mark in marks] == [(ring, OLD) for ring in (0, 0, 1, 1, 2, 2)]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("lives", range(1, 7))
def test_a_rollout_that_was_killed_can_be_rolled_back(lives: int, *, after: bool) -> None:
    fleet = Mortal(fleet_of(2, 2, 2), lives, after=after)
    with pytest.raises(KilledError):
        run(fleet)
    told = lives - (not after)
    if told:
        assert roll_back(fleet, WISH.id, ignore, clock=fleet).total(Standing.RETURNED) == told
    assert (asked(fleet, BACK), asked(fleet, OLD), serving(fleet, "1")) == (told, 6 - told, 6)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("lives", range(5, 9))
def test_a_way_back_that_was_killed_is_finished_and_stays_one(lives: int, *, after: bool) -> None:
    fleet = Mortal(fleet_of(2, 1, 1, bad=device(1, refuses)), lives, after=after)
    while True:
        try:
            report = run(fleet)
            break
        except KilledError:
            fleet.sleep(60)
    assert not report.ok
    assert (asked(fleet, BACK), asked(fleet, OLD), serving(fleet, "1")) == (4, 1, 5)
    assert run(fleet).reason == "it was rolled back before; another id has it tried again"


def test_another_id_has_it_tried_again() -> None:
    fleet = fleet_of(1, 1, 0, bad=device(2, refuses))
    assert not run(fleet).ok
    fleet.members["bad"].verdict = takes
    again = Wish.make(PLAN, "pets", "2", REF, "pets-again")
    assert roll_out(fleet, PLAN, again, ignore, fleet).ok
    with pytest.raises(PlanError, match="no device bears the mark of rollout"):
        roll_back(fleet, WISH.id, ignore, clock=fleet)


class Late(SimulatedFleet):
    """A fleet whose index is that of the look before."""

    def __init__(self, fleet: SimulatedFleet) -> None:
        super().__init__(fleet.members)
        self._index: list[ModuleTwin] = []

    def told(self, rollout: str) -> Iterator[ModuleTwin]:
        shown, self._index = self._index, [*super().told(rollout)]
        yield from shown


def test_a_hub_whose_index_is_late_is_no_trouble() -> None:
    fleet = Late(fleet_of(3, 3, 3))
    assert run(fleet).total(Standing.ACTIVE) == 9
    fleet = Late(fleet_of(3, 2, 3, bad=device(1, refuses)))
    assert run(fleet).total(Standing.RETURNED) == 6


class Blind(SimulatedFleet):
    """A fleet whose index is hours behind, and whose first answer to an edit is lost."""

    def told(self, rollout: str) -> Iterator[ModuleTwin]:
        del rollout
        return iter(())

    def update(self, twin: ModuleTwin, model: Mapping[str, Any] | None, mark: Mark) -> None:
        super().update(twin, model, mark)
        if self.calls["update"] == 1:
            raise ChangedError("the edit was done, and the one that followed as nobody answered was not")


def test_what_no_query_shows_is_looked_at_once_the_time_of_a_wave_is_over() -> None:
    fleet = Blind(fleet_of(2, 2, 2).members)
    assert run(fleet).total(Standing.ACTIVE) == 6
    assert fleet.calls["update"] == 6
    assert [one.tag and one.tag["before"] for one in fleet.members.values()] == [OLD] * 6


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.booleans(), st.booleans()), max_size=30), st.sampled_from([0, 1, "20%"])
)
def test_whatever_the_fleet_nobody_keeps_what_too_many_refuse(
    kinds: list[tuple[int, bool, bool]], allowed: int | str
) -> None:
    others = {
        f"edge-{number}": device(ring, refuses if bad else takes, online=online)
        for number, (ring, bad, online) in enumerate(kinds)
    }
    fleet = fleet_of(1, 1, 1, **others)
    plan = PLAN.model_copy(update={"max_failures": allowed})
    report = run(fleet, plan)
    outside = [one for one in fleet.members.values() if one.tags["ring"] == 3]
    assert all((one.model, one.tag) == (OLD, None) for one in outside)
    if report.ok:
        failed = [(wave.counts[Standing.FAILED], wave.counts.total()) for wave in report.waves]
        assert all(count <= plan.allowed(total) for count, total in failed)
        assert asked(fleet, WISH.desired) == len(fleet.members) - len(outside)
    else:
        assert not asked(fleet, WISH.desired)
        assert serving(fleet, "1") == len(fleet.members)


# --- two at once, and one after the other -----------------------------------------------------------------------------


def test_a_rollout_that_somebody_rolls_back_meanwhile_ends() -> None:
    fleet = fleet_of(2, 2, 2)
    turns = iter(["edge-1-0"])

    def interfere(told: str) -> None:
        if told == "edge-1-0" and next(turns, None):
            roll_back(fleet, WISH.id, ignore, clock=fleet)

    fleet.before_update = interfere
    report = run(fleet)
    assert (report.ok, report.reason) == (False, "somebody is rolling it back")
    assert (asked(fleet, WISH.desired), serving(fleet, "1")) == (0, 6)


def test_a_rollback_that_no_query_shows_ends_a_rollout_once_the_time_of_its_wave_is_over() -> None:
    class Turning(Blind):
        def sleep(self, seconds: float, /) -> None:
            super().sleep(seconds)
            twin = self.twin("edge-0-0")
            if twin and twin.mark and not twin.mark.undone:
                self.update(twin, BACK, replace(twin.mark, undone=True))

    fleet = Turning(fleet_of(2, 2, 2).members)
    assert run(fleet).reason == "somebody is rolling it back"
    assert (asked(fleet, WISH.desired), serving(fleet, "1")) == (0, 6)


class Behind(SimulatedFleet):
    """A fleet whose index shows one device more in each look."""

    def __init__(self, fleet: SimulatedFleet) -> None:
        super().__init__(fleet.members)
        self.looks = 0

    def told(self, rollout: str) -> Iterator[ModuleTwin]:
        self.looks += 1
        yield from islice(super().told(rollout), self.looks)


def test_what_the_index_shows_late_returns_too() -> None:
    fleet = Behind(fleet_of(2, 2, 2))
    assert run(fleet).ok
    fleet.looks = 0
    assert roll_back(fleet, WISH.id, ignore, clock=fleet).total(Standing.RETURNED) == 6
    assert asked(fleet, BACK) == 6


@pytest.mark.parametrize("refused", ["23", "3"])
def test_a_device_returns_to_the_last_model_that_it_has_taken(refused: str) -> None:
    """Not to one that another rollout has asked for, which never came into service."""
    fleet = Mortal(
        fleet_of(0, 1, 1, bad=device(0, lambda model: "LATENCY" if model["version"] in refused else None)),
        2,
        after=False,
    )
    with pytest.raises(KilledError):
        run(fleet)
    fleet.sleep(60)
    later = Wish.make(PLAN, "pets", "3", f"oci:library@sha256:{'3' * 64}")
    assert roll_out(fleet, PLAN, later, ignore, fleet).waves[0].counts == {Standing.RETURNED: 1}
    before = OLD if "2" in refused else WISH.desired
    assert fleet.members["bad"].model == {**before, "allowDowngrade": True}


# --- plans ------------------------------------------------------------------------------------------------------------


def test_a_plan_is_read_and_says_what_devices_are_told(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    file.write_text(json.dumps({"waves": ["a = 1"], "maxFailures": "2.5%", "model": {"gate": {"bakeSeconds": 60}}}))
    plan = read_plan(file)
    assert (plan.module, plan.wave_seconds, plan.allowed(100), plan.allowed(39)) == ("inference", 3600, 2, 0)
    wish = Wish.make(plan, "pets", "2", REF)
    told = {"schema": 1, "name": "pets", "version": "2", "ref": REF, "gate": {"bakeSeconds": 60}}
    assert wish.desired == {**told, "requestId": wish.id}
    assert wish.id.startswith("pets-2-")
    assert wish.id != Wish.make(PLAN, "pets", "2", REF).id == WISH.id


@pytest.mark.parametrize(
    ("plan", "reason"),
    [
        ({}, "waves"),
        ({"waves": []}, "waves"),
        ({"waves": ["a"], "maxFailures": "many"}, "maxFailures"),
        ({"waves": ["a"], "maxFailures": -1}, "maxFailures"),
        ({"waves": ["a"], "waveSeconds": 0}, "waveSeconds"),
        ({"waves": ["a"], "rings": 1}, "rings"),
        ({"waves": ["a"], "module": "x' OR '1' = '1"}, "module"),
        ({"waves": ["a"], "model": {"ref": "mine"}}, "ref: not the plan's to say"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(tmp_path: Path, plan: Mapping[str, Any], reason: str) -> None:
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(plan))
    with pytest.raises(PlanError, match=reason):
        read_plan(file)


def test_what_a_device_would_refuse_to_read_is_not_asked_for() -> None:
    for ref in ("oci:library", "registry.example/pets:2"):
        with pytest.raises(BadDesiredError, match="ref"):
            Wish.make(PLAN, "pets", "2", ref)
    with pytest.raises(BadDesiredError, match=r"gate\.bakeSeconds"):
        Wish.make(Plan(waves=("a",), model={"gate": {"bakeSeconds": -1}}), "pets", "2", REF)
    with pytest.raises(PlanError, match="names no rollout"):
        Wish.make(PLAN, "pets", "2", REF, "x' OR '1' = '1")
