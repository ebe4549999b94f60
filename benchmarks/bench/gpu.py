"""The module's engine against bare onnxruntime on a GPU, and a swap there; ``make bench-gpu``.

Prints tables; the last line is one JSON object, with null for all of it where there is no GPU.
"""

import json
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import chain
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Final

import numpy as np

from bench.asking import measure
from bench.device import Device, nvidia_smi, watched
from bench.engines import TENSORRT, Bare, Run, open_on, refusal, samples
from bench.findings import Cell, Findings
from bench.gpu_swap import swap
from bench.networks import network
from edge_common.contract import Contract
from edge_inference.model import LoadedModel
from edge_inference.package import GRAPH
from edge_inference.processors import usable
from edge_inference.runtime import CUDA, load_runtime
from edge_inference.tuning.choice import Choice, Situation
from edge_inference.tuning.search import search
from edge_inference.tuning.trying import Stopwatch
from edge_mlops.packaging.reducing import KINDS

FIGURES: Final = ("gpu_ratio", "gpu_utilisation", "vram_growth_mib")
"""What the last line has."""
LARGEST_BATCH: Final = 64
DEVICES: Final = Path("/dev")
_LEAST: Final = {"gpu_ratio": "ratio", "gpu_utilisation": "utilisation, %"}
NOTE: Final = """\
Samples a second of the module's engine, from memory to memory; of onnxruntime with I/O binding, which copies likewise
(`copying`); and of onnxruntime whose samples lie in the device's memory and whose results stay there (`resident`).
All have the batch and the callers that the module's tuning chose on the first provider, and take turns; medians.
`ratio` is to `resident`; the least of the first provider is `gpu_ratio`, goal ≥ 0.90. `elsewhere`: nodes that another
provider runs. Utilisation and memory are those that nvidia-smi tells, while the module's engine runs."""


def main() -> None:
    """Measure, print."""
    if reason := obstacle(DEVICES, load_runtime().get_available_providers()):
        print(f"Nothing is measured: {reason}.\n{json.dumps(dict.fromkeys(FIGURES))}")
        return
    graph, contract = network("resnet50")
    larger = contract.model_copy(update={"input": contract.input.model_copy(update={"batch": LARGEST_BATCH})})
    with tempfile.TemporaryDirectory() as folder:
        found = compare(Path(folder), (graph, larger), Device((CUDA, TENSORRT), nvidia_smi))
    print("\n".join(findings.markdown() for findings in found))
    print(json.dumps(dict.fromkeys(FIGURES) | {key: told for each in found for key, told in each.figures.items()}))


def obstacle(devices: Path, providers: Sequence[str]) -> str | None:
    """Why nothing can be measured, if so."""
    if not any(devices.glob("nvidia*")):
        return f"there is no GPU, for there is no {devices}/nvidia*"
    return None if CUDA in providers else f"this onnxruntime has no {CUDA}; make bench-gpu brings one that has"


def compare(folder: Path, model: tuple[bytes, Contract], device: Device) -> Sequence[Findings]:
    """Everything, of a model in FP32 and FP16.

    Raises:
        ModelError: The first provider is not there.
        RuntimeError: A model runs without a GPU that it requires, or is not let go of.
    """
    graph, contract = model
    folders = [folder / "FP32", folder / "FP16"]
    for each in folders:
        each.mkdir()
    (folders[0] / GRAPH).write_bytes(graph)
    KINDS["fp16"].reduce(folders[0] / GRAPH, folders[1] / GRAPH, np.empty(0, np.float32))
    return [engines(folders, contract, device), swap(folders, contract, device)]


def engines(folders: Sequence[Path], contract: Contract, device: Device) -> Findings:
    """The three, by precision and provider."""
    with ProcessPoolExecutor(1, get_context("spawn")) as apart:
        code = apart.submit(refusal, folders[0], contract).result()
    if code is None:
        raise RuntimeError("a model runs though it requires a GPU and none can be seen")
    rows = [row for folder in folders for row in rows_of(folder, contract, device)]
    first = [row for row in rows if row["provider"] == device.providers[0]]
    figures = {key: min(float(row[column]) for row in first) for key, column in _LEAST.items()}
    return Findings("Engines on a GPU", rows, f"{NOTE} With no GPU to be seen, the model is refused: {code}.", figures)


def rows_of(folder: Path, contract: Contract, device: Device) -> Iterator[Mapping[str, Cell]]:
    """A row for each provider that is there."""
    choice: Choice | None = None
    for provider in device.providers:
        model = open_on(folder, contract, provider)
        if model.session.providers[0] != provider:
            print(f"{provider} is not there, and not measured")
            continue
        choice = choice or best(model, device.tuning)
        model = replace(model, session=model.session.anew(choice.way))
        yield {"precision": folder.name, "provider": provider, **row(model, folder / GRAPH, choice, device)}


def best(model: LoadedModel, seconds: float) -> Choice:
    """How the module would run it, had it so long to find out."""
    grid = Situation(usable(), model.on_gpu, model.contract.input.batch).grid
    found = search(grid, Stopwatch(model, lambda: False).rate, seconds, time.monotonic)
    return found[0] if found else grid[0]


def row(model: LoadedModel, graph: Path, choice: Choice, device: Device) -> Mapping[str, Cell]:
    """The engines take turns."""
    rows, crew = samples(model.contract, choice.batch), range(choice.callers)
    engine: Sequence[Run] = [partial(model.run, rows) for _ in crew]
    busy, used = watched(engine, device)
    bare = Bare(graph, model.session.providers[0])
    sides = {"engine": engine, "copying": [bare.copying(rows) for _ in crew]}
    sides["resident"] = [bare.resident(rows) for _ in crew]
    for first in chain.from_iterable(sides.values()):
        first()  # what is allocated on first use is there now
    turns = [
        {name: rate(runs, choice.batch, device.seconds) for name, runs in sides.items()} for _ in range(device.rounds)
    ]
    told = {name: median(turn[name] for turn in turns) for name in sides}
    return {
        "batch": choice.batch,
        "callers": choice.callers,
        "bound": str(choice.way.bound),
        **told,
        "ratio": told["engine"] / told["resident"],
        "elsewhere": bare.elsewhere,
        "utilisation, %": busy,
        "MiB": used,
    }


def rate(runs: Sequence[Run], batch: int, seconds: float) -> float:
    """Samples a second."""
    told = measure(runs, seconds)
    return told["answers"] * batch / told["seconds"]


if __name__ == "__main__":
    main()
