"""Part 1: pictures through the whole suite, against the same work in one process on the same cores."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from statistics import median
from typing import Final

from bench.findings import Cell, Findings
from bench.goals import Goal
from bench.limit import Alone, alone, best_threads
from bench.networks import FULL, network
from bench.pictures import photographs
from bench.scale import Scale
from bench.stage import SIMULATOR, Pushed, Stage, stage

NETWORKS: Final = ("shufflenet", "squeezenet")
SIZES: Final = ((640, 480), (1280, 720))
GOAL: Final = 0.95
DISTINCT: Final = 100
"""Pictures that differ; a round has each of them many times."""
CALIBRATION: Final = 400
QUIET: Final = 0.15
"""CPUs that others may take in a round that counts."""

NOTE: Final = f"""\
Pictures a second from all files being on the share to the last result being in upload's spool, ledger and receipts
included, against one process that decodes, prepares, runs and stores with the threads that suit it best (callers ×
threads in a run). The two take turns; `ratio` is the median of the rounds in which others took less than {QUIET} CPUs,
or of the least disturbed one where there are none. CPU is in milliseconds a picture, until it is in the cloud share;
the simulator stands for edgeHub. `by CPU` compares these; it says less, and bears neighbours better. Goal: {GOAL} for
{NETWORKS[0]} at 640×480."""


@dataclass(frozen=True)
class Round:
    """One turn of each."""

    alone: Alone
    suite: Pushed

    @property
    def ratio(self) -> float:
        """The suite's rate over that of one process."""
        return self.suite.rate / self.alone.rate

    @property
    def others(self) -> float:
        """CPUs that others had in the worse of both."""
        return max(self.alone.others, self.suite.others)


async def pipeline(folder: Path, scale: Scale) -> Findings:
    """Measure every model with every size of picture."""
    rows = []
    async with stage(folder) as on:
        for name, size in product(NETWORKS, SIZES):
            await on.serve(name, network(name, batch=FULL))
            rows.append(await _case(on, name, size, scale))
    ratio = float(rows[0]["ratio"])
    goals = [Goal("`pipeline_ratio`", ratio, GOAL, least=True)]
    return Findings("Pictures through the whole suite", rows, NOTE, {"pipeline_ratio": ratio}, goals=goals)


async def _case(on: Stage, name: str, size: tuple[int, int], scale: Scale) -> Mapping[str, Cell]:
    model, contents = on.model_folder(name), photographs(*size, DISTINCT)
    results = model / "results.jsonl"
    threads = await best_threads(model, on.lay_out(contents, min(CALIBRATION, scale.pictures)), results)
    rounds = []
    for _ in range(scale.rounds):
        files = on.lay_out(contents, scale.pictures)
        rounds.append(Round(await alone(model, files, threads, results), await on.push(files)))
    return row(name, size, threads, rounds)


def row(name: str, size: tuple[int, int], threads: tuple[int, int], rounds: Sequence[Round]) -> Mapping[str, Cell]:
    """What a case came to."""
    kept = counting(rounds)
    cpu = {each: median(one.suite.cpu_ms[each] for one in kept) for each in kept[0].suite.cpu_ms}
    return {
        "model": name,
        "picture": f"{size[0]}×{size[1]}",
        "one process, a second": median(each.alone.rate for each in kept),
        "its threads": f"{threads[0]}×{threads[1]}",
        "suite, a second": median(each.suite.rate for each in kept),
        "ratio": round(median(each.ratio for each in kept), 3),
        "by CPU": median(each.alone.cpu_ms / sum(each.suite.cpu_ms.values()) for each in kept),
        "rounds": f"{len(kept)} of {len(rounds)}",
        "others' CPUs": max(each.others for each in kept),
        "CPU of one process": median(each.alone.cpu_ms for each in kept),
        **{f"CPU of {each}": cpu[each] for each in ("ingest", "transform", "inference", "upload", SIMULATOR)},
    }


def counting(rounds: Sequence[Round]) -> Sequence[Round]:
    """Those that nobody disturbed; or the least disturbed one."""
    return [each for each in rounds if each.others < QUIET] or [min(rounds, key=lambda each: each.others)]
