"""The dispatcher, whatever happens in whatever order."""

from random import Random

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from edge_ingest.backoff import Backoff
from edge_ingest.dispatch import Dispatcher
from edge_ingest.flights import Limits
from unit.ingest.dispatching import LEASE, Bench


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
        for _ in range(400 + len(self.bench.backlog)):  # a window may be of one item
            self.bench.accept(*(item for items in self.bench.send() for item in items))
            self.bench.wait(5)
        assert self.bench.dispatcher.in_flight == 0
        assert self.bench.backlog == []
        assert self.bench.dispatcher.next_event() == float("inf")


Chain.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestChain = Chain.TestCase
