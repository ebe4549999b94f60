"""What is sent when: window, lane, leases, suspects, strikes, stalls."""

from dataclasses import dataclass, field
from random import Random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from edge_ingest.backoff import Backoff
from edge_ingest.dispatch import Dispatcher
from edge_ingest.flights import Limits, Plan

LEASE = 60.0
STEADY = Backoff(first_s=1.0, longest_s=30.0, draw=lambda: 0.5)


@dataclass
class Bench:
    """A dispatcher with a ledger of ids, and a clock that the test moves."""

    dispatcher: Dispatcher
    backlog: list[str] = field(default_factory=list)
    now: float = 0.0
    attempts: dict[str, int] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    kinds: dict[str, str] = field(default_factory=dict)
    names: int = 0

    def arrive(self, count: int) -> list[str]:
        ids = [f"item-{self.names + number}" for number in range(count)]
        self.names += count
        self.backlog += ids
        return ids

    def send(self) -> tuple[list[str], list[str]]:
        """Send what is planned: the items that travel together, and those that travel alone."""
        plan = self.dispatcher.plan(self.now)
        together = [*plan.again, *self._fresh(plan.fresh)]
        alone = [*plan.alone, *self._fresh(plan.probes)]
        for item in [*together, *alone]:
            self.attempts[item] = self.attempts.get(item, 0) + 1
            kind = self.kinds.get(item, "items")
            self.dispatcher.launch(item, self.attempts[item], alone=item in alone, kind=kind)
        self.dispatcher.sent([*together, *alone], self.now)
        return together, alone

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.lost += [loss.id for loss in self.dispatcher.expire(self.now) + self.dispatcher.blame() if loss.given_up]

    def accept(self, *items: str) -> None:
        for item in items:
            if item not in self.attempts:
                self.attempts[item] = 1
                self.dispatcher.launch(item, 1, alone=False, kind=self.kinds.get(item, "items"))
            self.dispatcher.finish(item, self.now)
        self.wait(0)

    def lose(self, item: str, times: int) -> None:
        """Let an item's lease end so often while nobody else is in flight."""
        for _ in range(times):
            self.until_sent(item)
            self.wait(LEASE)

    def until_sent(self, item: str) -> None:
        before = self.attempts.get(item, 0)
        while self.attempts.get(item, 0) == before:
            self.wait(1)
            self.send()

    def _fresh(self, most: int) -> list[str]:
        taken, self.backlog = self.backlog[:most], self.backlog[most:]
        return taken


@pytest.fixture
def bench() -> Bench:
    return Bench(Dispatcher(Limits(window=16, lease_s=LEASE, max_attempts=3), STEADY))


def test_no_more_than_a_window_is_in_flight_until_something_comes_back(bench: Bench) -> None:
    first, *_ = bench.arrive(40)
    together, alone = bench.send()
    assert (len(together), alone) == (16, [])
    assert bench.send() == ([], [])
    bench.accept(first)
    assert bench.send() == (["item-16"], [])


def test_a_lease_that_ends_means_send_again_after_a_while(bench: Bench) -> None:
    [item] = bench.arrive(1)
    bench.send()
    bench.wait(LEASE - 1)
    assert bench.send() == ([], [])
    bench.wait(1)
    assert bench.send() == ([], [])
    bench.wait(0.75)
    # Nothing was heard since, so it goes as a probe.
    assert bench.send() == ([], [item])


def test_an_item_lost_while_others_got_through_goes_with_others_once_more(bench: Bench) -> None:
    item, other = bench.arrive(2)
    bench.send()
    bench.wait(1)
    bench.accept(other)
    bench.wait(LEASE)
    bench.wait(1)
    assert bench.send() == ([item], [])


def test_an_item_lost_twice_travels_alone(bench: Bench) -> None:
    [item] = bench.arrive(1)
    bench.lose(item, 2)
    bench.accept(*bench.arrive(1))
    bench.wait(30)
    bench.arrive(3)
    together, alone = bench.send()
    assert alone == [item]
    assert len(together) == 4


def test_the_lane_is_an_eighth_of_the_window_and_the_rest_flows(bench: Bench) -> None:
    for number in range(10):
        bench.dispatcher.suspect(f"suspect-{number}", 2, 0)
    bench.arrive(100)
    together, alone = bench.send()
    assert len(alone) == 2
    assert len(together) == 14


def test_a_window_of_one_has_a_lane_of_one() -> None:
    assert Limits(window=1).lane == 1


def test_a_suspect_that_was_blamed_has_the_lane_to_itself(bench: Bench) -> None:
    bench.dispatcher.suspect("mild", 2, 0)
    bench.dispatcher.suspect("grave", 3, 0)
    bench.dispatcher.suspect("other", 2, 0)
    assert bench.send()[1] == ["mild"]
    bench.accept("mild")
    assert bench.send()[1] == ["grave"]
    bench.accept("grave")
    assert bench.send()[1] == ["other"]


def test_an_item_that_brings_the_chain_down_is_given_up_once_others_got_through_each_time(bench: Bench) -> None:
    bench.dispatcher.suspect("poison", 2, 0)
    for _ in range(4):
        bench.until_sent("poison")
        bench.wait(LEASE)
        assert bench.lost == []
        # The others come only after its lease, as where a whole window went down with it.
        bench.accept(*bench.arrive(1))
    assert bench.lost == ["poison"]
    assert bench.dispatcher.in_flight == 0


def test_items_of_another_kind_that_get_through_speak_against_nobody(bench: Bench) -> None:
    bench.dispatcher.suspect("table", 2, 0)
    bench.kinds["table"] = "tables"
    for _ in range(10):
        bench.until_sent("table")
        bench.wait(LEASE)
        bench.accept(*bench.arrive(1))
    assert bench.lost == []
    while not bench.lost:
        bench.until_sent("table")
        bench.wait(LEASE)
        [other] = bench.arrive(1)
        bench.kinds[other] = "tables"
        bench.accept(other)
    assert bench.lost == ["table"]


def test_an_outage_however_long_gives_nothing_up(bench: Bench) -> None:
    bench.arrive(100)
    sent_alone = 0
    for _ in range(2000):
        _, alone = bench.send()
        sent_alone += len(alone)
        assert bench.dispatcher.in_flight <= 16
        bench.wait(5)
    assert sent_alone > 100
    assert bench.lost == []
    # And it has not been driven through: what was never sent is still to come.
    assert len(bench.backlog) == 84
    # It recovers at once.
    delivered = 0
    while delivered < 100:
        together, alone = bench.send()
        bench.accept(*together, *alone)
        delivered += len(together) + len(alone)
        bench.wait(1)
    assert bench.lost == []


def test_what_is_deferred_holds_its_lease_and_is_never_given_up(bench: Bench) -> None:
    items = bench.arrive(16)
    for _ in range(400):
        bench.send()
        bench.wait(LEASE / 4)
        for item in items:
            bench.dispatcher.renew(item, bench.attempts[item], bench.now, deferred=True)
    assert bench.attempts == dict.fromkeys(items, 1)
    # No further answer: it is sent again, and counts for nothing.
    for _ in range(10):
        bench.wait(LEASE)
        bench.wait(31)
        bench.send()
        bench.wait(1)
        for item in items:
            bench.dispatcher.renew(item, bench.attempts[item], bench.now, deferred=True)
    assert bench.lost == []
    assert all(attempts > 5 for attempts in bench.attempts.values())


def test_a_part_renews_the_lease_of_its_attempt_only(bench: Bench) -> None:
    [item] = bench.arrive(1)
    bench.send()
    bench.wait(LEASE / 2)
    bench.dispatcher.renew(item, 1, bench.now, deferred=False)
    bench.wait(LEASE - 1)
    assert bench.dispatcher.in_flight == 1
    bench.dispatcher.renew(item, 0, bench.now, deferred=False)
    bench.wait(1)
    assert bench.dispatcher.in_flight == 0


def test_good_news_of_an_older_attempt_is_taken(bench: Bench) -> None:
    [item] = bench.arrive(1)
    bench.lose(item, 1)
    bench.until_sent(item)
    bench.accept(item)
    assert bench.dispatcher.in_flight == 0
    bench.wait(1000)
    assert bench.send() == ([], [])


@pytest.mark.parametrize("answer", ["put_off", "refuse"])
def test_bad_news_of_an_older_attempt_is_ignored(bench: Bench, answer: str) -> None:
    [item] = bench.arrive(1)
    bench.lose(item, 1)
    bench.until_sent(item)
    getattr(bench.dispatcher, answer)(item, 1, bench.now)
    assert bench.dispatcher.in_flight == 1
    getattr(bench.dispatcher, answer)(item, 2, bench.now)
    assert bench.dispatcher.in_flight == 0


def test_a_reject_that_asks_for_another_try_backs_off_and_counts_for_nothing(bench: Bench) -> None:
    [item] = bench.arrive(1)
    gaps = []
    for _ in range(8):
        began = bench.now
        bench.until_sent(item)
        gaps.append(bench.now - began)
        bench.dispatcher.put_off(item, bench.attempts[item], bench.now)
    assert gaps[1:] == sorted(gaps[1:])
    assert max(gaps) <= 30
    assert bench.lost == []


def test_where_everything_is_rejected_only_a_few_are_tried(bench: Bench) -> None:
    bench.arrive(1000)
    sent = 0
    for _ in range(100):
        together, alone = bench.send()
        for item in together + alone:
            bench.dispatcher.put_off(item, bench.attempts[item], bench.now)
        sent += len(together) + len(alone)
        bench.wait(0.01)
    assert sent < 60
    assert len(bench.backlog) > 980


def test_those_that_are_rejected_for_ever_do_not_starve_the_others(bench: Bench) -> None:
    """They come first and fill the window, so that nothing good is heard at the beginning."""
    stuck = bench.arrive(30)
    bench.arrive(200)
    done = 0
    for _ in range(100):
        together, alone = bench.send()
        fine = [item for item in together + alone if item not in stuck]
        bench.wait(0.1)
        bench.accept(*fine)
        for item in {*together, *alone} - set(fine):
            bench.dispatcher.put_off(item, bench.attempts[item], bench.now)
        done += len(fine)
        bench.wait(0.5)
    assert done == 200


def test_a_stalled_chain_wakes_up_for_what_was_never_sent(bench: Bench) -> None:
    bench.arrive(40)
    for item in bench.send()[0]:
        bench.dispatcher.put_off(item, 1, bench.now)
    bench.send()
    assert bench.now < bench.dispatcher.next_event() <= bench.now + 1


def test_what_is_no_longer_to_be_sent_frees_its_place(bench: Bench) -> None:
    items = bench.arrive(16)
    plan = bench.dispatcher.plan(bench.now)
    assert plan == Plan(fresh=16)
    bench.send()
    bench.dispatcher.abandon(items[0])
    assert bench.dispatcher.in_flight == 15


def test_it_says_when_to_come_back(bench: Bench) -> None:
    assert bench.dispatcher.next_event() == float("inf")
    item, other = bench.arrive(2)
    bench.send()
    assert bench.dispatcher.next_event() == LEASE
    bench.dispatcher.put_off(item, 1, 0.5)
    assert 0.5 < bench.dispatcher.next_event() < 2
    bench.accept(other)


def test_it_does_not_come_back_for_what_there_is_no_room_for(bench: Bench) -> None:
    """Else the loop would turn without end."""
    for number in range(5):
        bench.dispatcher.suspect(f"grave-{number}", 3, 0)
    bench.send()
    assert bench.dispatcher.next_event() == LEASE


def test_a_smaller_window_takes_effect_as_answers_come(bench: Bench) -> None:
    items = bench.arrive(40)
    bench.send()
    bench.dispatcher.limits = Limits(window=4, lease_s=LEASE)
    bench.accept(*items[:11])
    assert bench.send() == ([], [])
    bench.accept(*items[11:14])
    assert len(bench.send()[0]) == 2


class Chain(RuleBasedStateMachine):
    """Any order of arrivals, answers, losses and time; some items bring the chain down whenever they are sent."""

    @initialize(window=st.integers(1, 20), draws=st.randoms(use_true_random=False))
    def build(self, window: int, draws: Random) -> None:
        self.bench = Bench(Dispatcher(Limits(window, LEASE), Backoff(draw=draws.random)))
        self.flying: dict[str, int] = {}
        self.alone: set[str] = set()
        self.ended: set[str] = set()

    @rule(count=st.integers(1, 30))
    def arrive(self, count: int) -> None:
        self.bench.arrive(count)

    @rule()
    def send(self) -> None:
        together, alone = self.bench.send()
        assert len(set(together) | set(alone)) == len(together) + len(alone)
        assert not self.ended & {*together, *alone}
        for item in [*together, *alone]:
            self.flying[item] = self.bench.attempts[item]
        self.alone = {item for item in self.alone if item in self.flying} - set(together) | set(alone)

    @rule(seconds=st.sampled_from([0.1, 1.0, 10.0, 29.0, 61.0]))
    def wait(self, seconds: float) -> None:
        self.bench.wait(seconds)

    @precondition(lambda self: self.flying)
    @rule(data=st.data(), answer=st.sampled_from(["accept", "put_off", "refuse", "part", "deferred"]))
    def answer(self, data: st.DataObject, answer: str) -> None:
        item = data.draw(st.sampled_from(sorted(self.flying)))
        attempt = data.draw(st.integers(1, self.flying[item]))
        now = self.bench.now
        match answer:
            case "accept":
                self.bench.accept(item)
                self.ended.add(item)
            case "put_off":
                self.bench.dispatcher.put_off(item, attempt, now)
            case "refuse":
                self.bench.dispatcher.refuse(item, attempt, now)
                if attempt == self.bench.attempts[item]:
                    self.ended.add(item)
            case _:
                self.bench.dispatcher.renew(item, attempt, now, deferred=answer == "deferred")
        if item in self.ended:
            del self.flying[item]

    @invariant()
    def the_window_holds(self) -> None:
        if hasattr(self, "bench"):
            dispatcher = self.bench.dispatcher
            assert 0 <= dispatcher.in_flight <= dispatcher.limits.window
            assert len(dispatcher._lane) <= dispatcher.limits.lane
            assert not dispatcher._boarding

    @invariant()
    def nobody_is_in_two_places(self) -> None:
        if hasattr(self, "bench"):
            dispatcher = self.bench.dispatcher
            places = [*dispatcher._flights, *dispatcher._put_off._live, *dispatcher._suspects._live]
            assert len(places) == len(set(places))
            assert dispatcher._lane <= set(dispatcher._flights)

    def teardown(self) -> None:
        """Whatever happened: with a chain that is well, everything comes to its end."""
        if not hasattr(self, "bench"):
            return
        for _ in range(400):
            self.bench.accept(*(item for items in self.bench.send() for item in items))
            self.bench.wait(5)
        assert self.bench.dispatcher.in_flight == 0
        assert self.bench.backlog == []
        assert self.bench.dispatcher.next_event() == float("inf")


Chain.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestChain = Chain.TestCase
