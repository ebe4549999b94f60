"""What goes into a package beside graph and contract."""

from pathlib import Path
from typing import Final

import numpy as np

from edge_common.contract import Contract
from edge_inference.drift.making import make_reference
from edge_inference.drift.reference import BINS
from edge_inference.golden import Example, GoldenExamples
from edge_inference.model import LoadedModel
from edge_inference.package import DRIFT, GOLDEN
from edge_mlops.dataset import versions
from edge_mlops.labelled import Labelled, load
from edge_mlops.originals import Samples
from edge_mlops.training import runs
from edge_upload.sinks.choice import named

GOLDEN_INPUT: Final = "golden-input.npy"
GOLDEN_OUTPUT: Final = "golden-output.npy"


async def samples_of(version: Path, contract: Contract, store: str | None, *splits: str) -> list[Labelled]:
    """The labelled samples of some splits of a dataset's version.

    Raises:
        StepError: An original is not what the dataset says.
        SinkError: The store does not answer.
    """
    sink = named(store or versions.read(version).store)
    try:
        return [await load(sink, version, split, contract.input) for split in splits]
    finally:
        await sink.close()


def write_golden(folder: Path, model: LoadedModel, tests: Labelled, absolute: float | None = None) -> None:
    """A sample of each label, with what the graph gives for it.

    Args:
        folder: The package's files.
        model: The package's, loaded.
        tests: Which to take from.
        absolute: How far a number may be from that on a device; None for what fits graphs of float32.
    """
    _, first = np.unique(tests.labels, return_index=True)
    samples = tests.samples[first]
    np.save(folder / GOLDEN_INPUT, samples)
    np.save(folder / GOLDEN_OUTPUT, probabilities(model, samples))
    example = Example(input=GOLDEN_INPUT, output=GOLDEN_OUTPUT)
    if absolute is not None:
        example = example.model_copy(update={"absolute": absolute})
    golden = GoldenExamples.model_validate({"schema": 1, "examples": [example]})
    (folder / GOLDEN).write_text(runs.as_json(golden))


def write_drift(folder: Path, *held_out: Labelled) -> None:
    """The drift reference, from samples that it was not trained on."""
    reference = make_reference(folder, np.concatenate([some.samples for some in held_out]), BINS)
    (folder / DRIFT).write_text(runs.as_json(reference))


def probabilities(model: LoadedModel, samples: Samples) -> Samples:
    """What onnxruntime gives: float32 of shape ``(n, classes)``."""
    (name,), batch = model.interpreter.names, model.contract.input.batch
    blocks = [model.run(samples[first : first + batch])[name] for first in range(0, len(samples), batch)]
    return np.concatenate(blocks).astype(np.float32)
