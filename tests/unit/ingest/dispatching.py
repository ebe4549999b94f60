"""A dispatcher, and what the tests do to it."""

from dataclasses import dataclass, field

from edge_ingest.backoff import Backoff
from edge_ingest.dispatch import Dispatcher

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
