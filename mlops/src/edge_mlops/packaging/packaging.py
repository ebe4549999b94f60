"""Makes the next version of a model from a run that passed."""

import shutil
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
from pydantic import BaseModel, ConfigDict

from edge_common.contract import Contract
from edge_inference import layout as layouts
from edge_inference.drift.making import make_reference
from edge_inference.drift.reference import BINS
from edge_inference.golden import Example, GoldenExamples
from edge_inference.layout import Entry
from edge_inference.model import LoadedModel, verify
from edge_inference.package import CONTRACT, DRIFT, GOLDEN, GRAPH, digest_of
from edge_mlops.dataset import versions
from edge_mlops.errors import RunError
from edge_mlops.evaluation import verdict as verdicts
from edge_mlops.evaluation.verdict import Evaluation
from edge_mlops.labelled import Labelled, load
from edge_mlops.originals import Samples
from edge_mlops.packages import loaded, reference_of
from edge_mlops.packaging.card import card
from edge_mlops.packaging.numbering import next_version, versions_of
from edge_mlops.training import runs
from edge_upload.sinks.choice import named

LINEAGE: Final = "lineage.json"
CARD: Final = "card.md"
GOLDEN_INPUT: Final = "golden-input.npy"
GOLDEN_OUTPUT: Final = "golden-output.npy"

TOLERANCE: Final = 1e-3
"""How far a probability may be from the trained estimator's."""


class Lineage(BaseModel):
    """``lineage.json``: where a model is from.

    Attributes:
        run: The run that it was made in.
        ingredients: What went into it.
        against: The active model that it was held against.
    """

    model_config = ConfigDict(frozen=True)

    run: str
    ingredients: runs.Ingredients
    against: str | None


async def package(run: Path, name: str, layout: Path, store: str | None, version: Path | None = None) -> str:
    """Pack a run's model as the next version; one that is in the layout already is not packed again.

    Args:
        run: Its folder; it has been evaluated, and passed.
        name: The model's.
        layout: The OCI image layout to add to.
        store: Where the dataset's files are now, unless where it was frozen from.
        version: The folder of the dataset's version now, unless where it was when the run was made.

    Returns:
        The reference that a twin takes.

    Raises:
        StepError: It did not pass, or the graph does not say what was trained.
        ModelError: A device would refuse it.
        SinkError: The store does not answer.
    """
    about, verdict = runs.read(run), verdicts.read(run)
    there = versions_of(name, layout)
    _check(verdict, [*there])
    if packed := _packed(run, layout, there.values()):
        return reference_of(layout, packed)
    lineage = Lineage(run=about.ingredients.digest, ingredients=about.ingredients, against=verdict.reference)
    tests, others = await _held_out(version or about.version, verify(run), store)
    number = next_version(there)
    with TemporaryDirectory() as made:
        folder = Path(made)
        _write(folder, run, tests, others)
        (folder / LINEAGE).write_text(runs.as_json(lineage))
        (folder / CARD).write_text(card(name, number, verify(folder), about, verdict))
        return layouts.pack(folder, layout, name, number)


def _packed(run: Path, layout: Path, there: Iterable[Entry]) -> Entry | None:
    """The package with the run's model, if there is one."""
    model = {(file, digest_of((run / file).read_bytes())) for file in (GRAPH, CONTRACT)}
    for entry in there:
        _, outline = layouts.inspect(layout, entry.digest)
        if model <= {(layer.title, layer.digest) for layer in outline.layers}:
            return entry
    return None


def _check(verdict: Evaluation, there: list[str]) -> None:
    if verdict.refusals:
        raise RunError(f"it does not pass: {'; '.join(verdict.refusals)}")
    if there and verdict.reference is None:
        raise RunError("the layout has versions of it, and it was not held against any: evaluate it with --active")


async def _held_out(version: Path, contract: Contract, store: str | None) -> tuple[Labelled, Labelled]:
    """The test set, and the validation set."""
    sink = named(store or versions.read(version).store)
    try:
        tests = await load(sink, version, "test", contract.input)
        return tests, await load(sink, version, "validation", contract.input)
    finally:
        await sink.close()


def _write(folder: Path, run: Path, tests: Labelled, others: Labelled) -> None:
    for file in (GRAPH, CONTRACT):
        shutil.copy(run / file, folder)
    model = loaded(folder)
    _agree(model, tests.samples, np.load(run / runs.EXPECTED, allow_pickle=False))
    _golden(folder, model, tests)
    reference = make_reference(folder, np.concatenate([tests.samples, others.samples]), BINS)
    (folder / DRIFT).write_text(runs.as_json(reference))


def _agree(model: LoadedModel, samples: Samples, expected: Samples) -> None:
    """See that onnxruntime says what the trained estimator said.

    Raises:
        RunError: It does not.
    """
    said = _run(model, samples)
    if said.shape != expected.shape:
        raise RunError(f"the test set gives {said.shape} probabilities, and gave {expected.shape} when it was trained")
    if (worst := float(np.abs(said - expected).max(initial=0))) > TOLERANCE:
        raise RunError(f"onnxruntime's probabilities are up to {worst:.3g} from the trained estimator's")


def _golden(folder: Path, model: LoadedModel, tests: Labelled) -> None:
    """A sample of each label, with what the graph gives for it."""
    _, first = np.unique(tests.labels, return_index=True)
    samples = tests.samples[first]
    np.save(folder / GOLDEN_INPUT, samples)
    np.save(folder / GOLDEN_OUTPUT, _run(model, samples))
    example = Example(input=GOLDEN_INPUT, output=GOLDEN_OUTPUT)
    golden = GoldenExamples.model_validate({"schema": 1, "examples": [example]})
    (folder / GOLDEN).write_text(runs.as_json(golden))


def _run(model: LoadedModel, samples: Samples) -> Samples:
    (name,), batch = model.interpreter.names, model.contract.input.batch
    blocks = [model.run(samples[first : first + batch])[name] for first in range(0, len(samples), batch)]
    return np.concatenate(blocks).astype(np.float32)
