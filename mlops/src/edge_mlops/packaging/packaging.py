"""Makes the next version of a model from a run that passed."""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np

from edge_inference import layout as layouts
from edge_inference.model import LoadedModel, verify
from edge_inference.package import CONTRACT, GRAPH
from edge_mlops.errors import RunError
from edge_mlops.evaluation import verdict as verdicts
from edge_mlops.labelled import Labelled
from edge_mlops.originals import Samples
from edge_mlops.packages import loaded, reference_of
from edge_mlops.packaging import contents
from edge_mlops.packaging.card import card
from edge_mlops.packaging.lineage import CARD, LINEAGE, Lineage, packed
from edge_mlops.packaging.numbering import next_version, versions_of
from edge_mlops.training import runs

TOLERANCE: Final = 1e-3
"""How far a probability may be from the trained estimator's."""


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
    if verdict.refusals:
        raise RunError(f"it does not pass: {'; '.join(verdict.refusals)}")
    if entry := packed(run, layout, there.values()):
        return reference_of(layout, entry)
    if there and verdict.reference is None:
        raise RunError("the layout has versions of it, and it was not held against any: evaluate it with --active")
    lineage = Lineage.of(about, verdict.reference)
    tests, others = await contents.samples_of(version or about.version, verify(run), store, "test", "validation")
    number = next_version(there)
    with TemporaryDirectory() as made:
        folder = Path(made)
        _write(folder, run, tests, others)
        (folder / LINEAGE).write_text(runs.as_json(lineage))
        (folder / CARD).write_text(card(name, number, verify(folder), about, verdict))
        return layouts.pack(folder, layout, name, number)


def _write(folder: Path, run: Path, tests: Labelled, others: Labelled) -> None:
    for file in (GRAPH, CONTRACT):
        shutil.copy(run / file, folder)
    model = loaded(folder)
    _agree(model, tests.samples, np.load(run / runs.EXPECTED, allow_pickle=False))
    contents.write_golden(folder, model, tests)
    contents.write_drift(folder, tests, others)


def _agree(model: LoadedModel, samples: Samples, expected: Samples) -> None:
    """See that onnxruntime says what the trained estimator said.

    Raises:
        RunError: It does not.
    """
    said = contents.probabilities(model, samples)
    if said.shape != expected.shape:
        raise RunError(f"the test set gives {said.shape} probabilities, and gave {expected.shape} when it was trained")
    if (worst := float(np.abs(said - expected).max(initial=0))) > TOLERANCE:
        raise RunError(f"onnxruntime's probabilities are up to {worst:.3g} from the trained estimator's")
