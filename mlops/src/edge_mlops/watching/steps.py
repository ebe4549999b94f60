"""The steps of a round. Each finds what it has made before, so a round that was cut short is taken up where it was."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from edge_common.clock import Clock
from edge_inference.cli.common import repository_at
from edge_inference.signing.signer import Signer
from edge_inference.versions import is_older
from edge_mlops.dataset.freezing import freeze
from edge_mlops.evaluation import verdict as verdicts
from edge_mlops.evaluation.evaluating import evaluate
from edge_mlops.evaluation.verdict import Evaluation
from edge_mlops.packaging import publishing
from edge_mlops.packaging.lineage import packed
from edge_mlops.packaging.numbering import latest, versions_of
from edge_mlops.packaging.packaging import package
from edge_mlops.training.training import train
from edge_mlops.watching.fleet import Fleet, Package
from edge_mlops.watching.memory import Memory, Outcome
from edge_mlops.watching.plan import Plan
from edge_mlops.wishes import read_wish


class Round:
    """One round of a plan.

    Args:
        plan: What is to be done.
        fleet: The devices; without them, a model is published and no more.
        clock: Measures what steps take.
        memory: Of the rounds before.
    """

    def __init__(self, plan: Plan, fleet: Fleet | None, clock: Clock, memory: Memory) -> None:
        self._plan, self._fleet, self._clock, self._memory = plan, fleet, clock, memory
        self._seconds: dict[str, float] = {}

    async def carry_out(self, now: datetime, reasons: list[str]) -> Outcome:
        """Take the steps, as far as they lead.

        Raises:
            StepError: A step cannot be done.
            SinkError: The store does not answer.
            ModelError: A package cannot be made, read or pushed.
            OSError: The disk refuses.
        """
        plan = self._plan
        wish = read_wish(plan.input)
        with self._timed("dataset"):
            version = await freeze(plan.store, plan.datasets, plan.name, plan.labels, wish.input, now)
        with self._timed("train"):
            run = await train(version, wish, plan.runs, plan.recipe, plan.store)
        with self._timed("evaluate"):
            verdict = await self._judged(run)
        ended: dict[str, Any]
        if verdict.refusals:
            ended = {"result": "refused", "detail": "; ".join(verdict.refusals)}
        elif self._memory.brought_out == run.name:
            ended = {"result": "unchanged"}
        else:
            ended = await self._brought_out(run, now)
        return Outcome(at=now, reasons=reasons, dataset=version, run=run, seconds=self._seconds, **ended)

    async def _judged(self, run: Path) -> Evaluation:
        """The verdict on a run; one by the same measure stands."""
        plan = self._plan
        there = versions_of(plan.name, plan.layout)
        own = packed(run, plan.layout, there.values())  # where a round was cut short: it is held against others
        before = self._memory.active or latest(version for version, entry in there.items() if entry != own)
        active = (plan.layout, f"{plan.name}:{before}") if before else None
        if (run / verdicts.EVALUATION).exists():
            verdict = verdicts.read(run)
            if (verdict.gate, verdict.reference) == (plan.gate, active and active[1]):
                return verdict
        return await evaluate(run, plan.gate, active, plan.store)

    async def _brought_out(self, run: Path, now: datetime) -> dict[str, str]:
        """Package, publish, roll out; how that ended."""
        plan = self._plan
        with self._timed("package"):
            reference = await package(run, plan.name, plan.layout, plan.store)
        digest = reference.partition("@")[2]
        there = versions_of(plan.name, plan.layout)
        version = next(version for version, entry in there.items() if entry.digest == digest)
        with self._timed("publish"):
            reference = self._published(version, now)
        ended = {"result": "published", "version": version, "reference": reference}
        if not self._fleet:
            return ended
        with self._timed("rollout"):
            is_return = self._memory.active is not None and is_older(version, self._memory.active)
            why = self._fleet.roll_out(Package(plan.name, version, reference, is_return))
        return ended | ({"result": "rolledBack", "detail": why} if why else {"result": "active"})

    def _published(self, version: str, now: datetime) -> str:
        plan = self._plan
        tag = f"{plan.name}:{version}"
        reference = publishing.sign(plan.layout, tag, Signer.read(plan.signing.key, plan.signing.chain), now)
        if not plan.registry:
            return reference
        options = plan.registry.model_dump(exclude={"repository"})
        with repository_at(f"{plan.registry.repository}:{version}", **options) as (name, repository):
            return publishing.push(plan.layout, tag, name, repository)

    @contextmanager
    def _timed(self, step: str) -> Iterator[None]:
        began = self._clock.monotonic()
        yield
        self._seconds[step] = round(self._clock.monotonic() - began, 2)
