"""Part 5: a model over HTTP, against bare onnxruntime and what a user would pick instead."""

import shutil
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from statistics import median
from typing import Final

import numpy as np
import onnxruntime

from bench.findings import Cell, Findings
from bench.goals import Goal
from bench.loads import Load, Running, bare, running
from bench.networks import SIDE, network
from bench.scale import Scale
from bench.servers import OURS, PACKAGES, Material, material, ours, peer_version, peers, scores

CLIENTS: Final = (1, 8)
MOST: Final = CLIENTS[-1]
SECONDS: Final = 4.0
_RATIO: Final = f"ratio, {MOST}"
_P99: Final = f"p99, {MOST}"
QUIET: Final = 0.15
"""CPUs that others may take in a turn that counts."""

NOTE: Final = f"""\
Shufflenet, one sample a request. The server has one core, its clients another; each client asks again as soon as it has
its answer. All take turns; ratios are to bare onnxruntime in the same turn (one thread, one sample a run), and medians
of the turns in which others took less than {QUIET} CPUs, or of the least disturbed one. p50 and p99 are an answer's
milliseconds; CPU is the server's for an answer at {MOST} clients, and `by CPU` that of bare onnxruntime over it, which
bears neighbours better. `null`: could not be installed here. Goal: as fast as the best peer at {MOST} clients, and p99
no worse."""


@dataclass(frozen=True)
class Turn:
    """One turn of a server.

    Attributes:
        bare: onnxruntime alone, just before.
        loads: By clients.
    """

    bare: Load
    loads: Mapping[int, Load]

    @property
    def others(self) -> float:
        """CPUs that others had in the worst of it."""
        return max(load.others for load in (self.bare, *self.loads.values()))

    @property
    def figures(self) -> Mapping[str, float]:
        """By column."""
        by_clients = [
            {
                f"ratio, {clients}": load.rate / self.bare.rate,
                f"a second, {clients}": load.rate,
                f"p50, {clients}": load.p50,
                f"p99, {clients}": load.p99,
            }
            for clients, load in self.loads.items()
        ]
        cpu = {"CPU": self.loads[MOST].cpu_ms, "by CPU": self.bare.cpu_ms / self.loads[MOST].cpu_ms}
        bare = {"bare, a second": self.bare.rate, "bare CPU": self.bare.cpu_ms}
        return {**by_clients[0], **by_clients[1], **cpu, **bare, "others' CPUs": self.others}


async def http(folder: Path, scale: Scale) -> Findings:
    """Measure it."""
    graph, contract = network("shufflenet")
    given = material(folder, graph, contract)
    mine = ours(given, graph, contract)
    async with AsyncExitStack() as stack:
        started = [
            await stack.enter_async_context(running(server, folder / f"{server.name}.log"))
            for server in [mine, *peers(given)]
        ]
        check(given, started)
        turns: dict[str, list[Turn]] = {each.server.name: [] for each in started}
        for _, each in product(range(scale.rounds), started):
            turns[each.server.name].append(await turn(given, each))
    shutil.rmtree(folder)
    return findings(turns, {OURS: mine.version} | {name: peer_version(name) for name in PACKAGES})


async def turn(given: Material, server: Running) -> Turn:
    """One turn of a server."""
    alone = await bare(given.graph, given.sample, SECONDS)
    return Turn(alone, {clients: await server.load(clients, SECONDS) for clients in CLIENTS})


def check(given: Material, started: Sequence[Running]) -> None:
    """See that all do the same work.

    Raises:
        RuntimeError: One gives other scores than bare onnxruntime.
    """
    session = onnxruntime.InferenceSession(given.graph, providers=["CPUExecutionProvider"])
    row = np.fromfile(given.sample, np.float32).reshape(1, 3, SIDE, SIDE)
    (expected,) = session.run(None, {given.taken: row})
    for each in started:
        if not np.allclose(scores(each.answer), expected[0], rtol=1e-3, atol=1e-5):
            raise RuntimeError(f"{each.server.name} gives other scores than onnxruntime")


def findings(turns: Mapping[str, Sequence[Turn]], versions: Mapping[str, str]) -> Findings:
    """What the turns came to.

    Args:
        turns: By server.
        versions: Of all servers that there should be.
    """
    known = {name: row(kept) for name, kept in turns.items()}
    missing: Mapping[str, Cell] = dict.fromkeys(known[OURS], "null")
    rows = [{"server": name, "version": version, **known.get(name, missing)} for name, version in versions.items()]
    ratios = {name: each[_RATIO] for name, each in known.items()}
    mine = ratios.pop(OURS)
    figures = {"http_ratio": round(mine, 3)}
    if not ratios:
        return Findings("A model over HTTP", rows, NOTE, figures)
    best = max(ratios, key=lambda name: ratios[name])
    figures["best_peer_ratio"] = round(mine / ratios[best], 3)
    goals = [
        Goal("`best_peer_ratio`", figures["best_peer_ratio"], 1.0, least=True),
        Goal(f"{_P99} clients, ms, against that peer's", known[OURS][_P99], known[best][_P99]),
    ]
    return Findings("A model over HTTP", rows, NOTE, figures, goals=goals)


def row(turns: Sequence[Turn]) -> Mapping[str, float]:
    """What a server came to."""
    figures = [turn.figures for turn in counting(turns)]
    return {column: median(each[column] for each in figures) for column in figures[0]}


def counting(turns: Sequence[Turn]) -> Sequence[Turn]:
    """Those that nobody disturbed; or the least disturbed one."""
    return [turn for turn in turns if turn.others < QUIET] or [min(turns, key=lambda turn: turn.others)]
