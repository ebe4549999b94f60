"""The loop: collect, train, deploy, drift, learn from it, deploy again; and a model that must not come into service."""

import asyncio
import json
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from rich.console import Console

from edge_examples.deployment import collecting
from edge_examples.drops import Drop
from edge_examples.loop import store
from edge_examples.loop.pictures import pictures, truth
from edge_examples.loop.plant import INPUT, NAME, SIGNING, Plant, plant, rollout
from edge_examples.loop.report import Report
from edge_examples.suite import Folders
from edge_inference.package import CONTRACT, GRAPH

Twins = Mapping[str, Mapping[str, Any]]

COLLECT: Final[Twins] = {"transform": {"contract": INPUT}, "upload": {"originals": "all", "shardSeconds": 1}}
PREDICT: Final[Twins] = {
    "inference": {"driftRows": 100, "driftMinRows": 60, "driftPsi": 1.0, "driftKs": 0.6},
    "upload": {"originals": "sampled", "sampleFraction": 0, "shardSeconds": 1},
}
"""The first 60 pictures tell; of the originals, only those come to the store that came while the input drifted."""

WORSE: Final = {"estimator": "linear"}
"""A recipe that cannot tell digits apart, light on dark and dark on light."""
AGREEMENT: Final = 0.8
"""While the input stays as it is, a model that says so often otherwise than the one before is a mistake."""
FORCED: Final = "1000"
"""The version of the model that nobody asked the gate about."""
REFUSED: Final = 3
"""The status of ``edge-mlops watch`` that says so."""


class Loop:
    """The story, told once.

    Args:
        folders: Where it takes place.
        console: Is told how far it is.
    """

    def __init__(self, folders: Folders, console: Console) -> None:
        self._folders, self._console = folders, console
        self._pictures = pictures()
        self._report = Report()

    async def run(self) -> Report:
        """Tell it.

        Raises:
            SuiteError: The suite did not start, or a command failed.
        """
        with self._part("all", "The loop: digits, one device"):
            with self._part("collect", "A device without a model collects pictures"):
                async with plant(self._folders, COLLECT, collecting(self._folders.root / "collecting")) as site:
                    await site.feed(self._pictures.first)
            async with plant(self._folders, PREDICT, dropped=len(self._pictures.first)) as site:
                await self._predict(site)
        return self._report

    async def _predict(self, site: Plant) -> None:
        taught = [*self._pictures.first, *self._pictures.noticed, *self._pictures.hard]
        with self._part("first_model", "Somebody labels them; a first model is made, and rolled out"):
            first = await self._brought_out(site, "first", self._pictures.first)
        with self._part("drift", "The camera inverts colours; the device tells, and sends what it sees from then on"):
            await self._drift(site)
        with self._part("next_model", "Somebody labels that; the next model is made, and rolled out"):
            async with site.traffic("next", self._pictures.traffic):
                second = await self._brought_out(site, "next", taught)
        with self._part("judge", "The held-out pictures come again"):
            await site.feed(_below("after", self._pictures.held_out))
            self._judge(first, second)
        with self._part("refuse", "The recipe is changed, for the worse: the gate refuses the model"):
            run = await self._refused(site)
        with self._part("force", "The same model is forced past the gate: the device takes it back"):
            await self._forced(site, run)

    async def _brought_out(self, site: Plant, name: str, known: Sequence[Drop]) -> str:
        """Label what is in the store, and have the watch bring out a model; gives its version."""
        labels = store.label(self._folders.cloud, site.labels, truth(known))
        before = await site.active()
        outcome = await site.watch()
        self._tell(f"{labels} labels; {', '.join(outcome.get('reasons', ()))}: {outcome['result']}")
        self._report.steps[name] = outcome.get("seconds", {})
        after = await site.active()
        self._report.demand(
            f"the {name} model is {outcome['result']} ({outcome.get('detail')}), and version {after} serves",
            outcome["result"] == "active",
            before != after == outcome.get("version"),
        )
        return after

    async def _drift(self, site: Plant) -> None:
        """What is judged comes first: it is even, and would end the drift that the watch is to see."""
        await site.feed(_below("before", self._pictures.held_out))
        async with site.traffic("noticed", self._pictures.noticed):
            worst = (await site.until_drift())["features"][0]
        self._tell(f"{worst['name']}: PSI {worst['psi']}, KS {worst['ks']}")
        await site.feed(self._pictures.hard)

    def _judge(self, first: str, second: str) -> None:
        """By what the device has stored."""
        rows, held_out = store.records(self._folders.cloud), self._pictures.held_out
        before, after = _below("before", held_out), _below("after", held_out)
        self._report.accuracy_before = store.accuracy(rows, before, first)
        self._report.accuracy_after = store.accuracy(rows, after, second)
        self._report.demand("it is no better", self._report.accuracy_after > self._report.accuracy_before)
        said = {row["path"] for row in rows}
        taught = truth([*self._pictures.first, *self._pictures.noticed, *self._pictures.hard])
        self._report.demand("held-out pictures were lost", {drop.path for drop in [*before, *after]} <= said)
        self._report.demand("held-out pictures were trained on", taught.keys().isdisjoint(truth(held_out)))
        sampled = {reason for row in rows for reason in row["sampled"]}
        self._report.demand(f"originals were sampled for {sampled}, not for drift", sampled == {"drift"})

    async def _refused(self, site: Plant) -> Path:
        """Have the watch make a model by a worse recipe; gives its run."""
        layout, active = (site.layout / "index.json").read_bytes(), await site.active()
        outcome = await site.watch(recipe=WORSE)
        self._tell(outcome.get("detail", ""))
        self._report.steps["refused"] = outcome.get("seconds", {})
        self._report.refused_by_gate = self._report.demand(
            f"the worse model is {outcome['result']}, and version {await site.active()} serves",
            outcome["status"] == REFUSED,
            (site.layout / "index.json").read_bytes() == layout,
            await site.active() == active,
        )
        return Path(outcome["run"])

    async def _forced(self, site: Plant, run: Path) -> None:
        """Pack a run's model, sign it, and roll it out, whatever the gate has said."""
        active = await site.active()
        with TemporaryDirectory() as made:
            for file in (GRAPH, CONTRACT):
                shutil.copy(run / file, made)
            where = ("--name", NAME, "--version", FORCED, "--layout", site.layout)
            reference = (await site.command("edge-model", "pack", made, *where)).lines[-1]
        key, chain = (site.folders.trust / file for file in SIGNING.values())
        await site.command("edge-model", "sign", site.layout, f"{NAME}:{FORCED}", "--key", key, "--chain", chain)
        plan = self._folders.root / "rollout.json"
        plan.write_text(json.dumps(rollout(bakeSeconds=60, minAgreement=AGREEMENT)))
        command = ("edge-mlops", "rollout", f"{NAME}:{FORCED}", reference, plan, "--json")
        async with site.traffic("forced", self._pictures.traffic):
            done = await site.command(*command, statuses=frozenset({0, 1}))
        self._weigh(done.status, [json.loads(line) for line in done.lines], active, await site.active())

    def _weigh(self, status: int, events: Sequence[dict[str, Any]], before: str, after: str) -> None:
        """What a device says that failed is its own doing: the rollout asks it to return only after that."""
        why = next((event["detail"] for event in events if event.get("what") == "failed"), "")
        served = any(row["model_version"] == FORCED for row in store.records(self._folders.cloud))
        self._tell(f"the device: {why}")
        self._report.rolled_back = self._report.demand(
            f"the forced model was not taken back, but version {after} serves ({why})",
            status == 1,
            why.startswith("DISAGREEMENT"),
            served,
            before == after,
        )

    def _tell(self, what: str) -> None:
        self._console.print(f"  {what}", markup=False, highlight=False, soft_wrap=True)

    @contextmanager
    def _part(self, name: str, title: str) -> Iterator[None]:
        self._console.print(f"{title} …", highlight=False)
        began = time.monotonic()
        yield
        self._report.seconds[name] = round(time.monotonic() - began, 1)


def _below(folder: str, drops: Sequence[Drop]) -> list[Drop]:
    """The same files in a folder."""
    return [replace(drop, path=f"{folder}/{drop.path}") for drop in drops]


async def run(folder: Path, timeout_s: float, console: Console) -> bool:
    """Tell the story, and print what came of it.

    Args:
        folder: Where it takes place; emptied first.
        timeout_s: When to give up.
        console: Takes all that is printed.

    Returns:
        Whether all is as it should be.

    Raises:
        SuiteError: The suite did not start, or a command failed.
    """
    shutil.rmtree(folder, ignore_errors=True)
    async with asyncio.timeout(timeout_s):
        report = await Loop(Folders(folder, folder / "models"), console).run()
    report.publish(console)
    return report.ok
