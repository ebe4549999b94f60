"""Holds a run's model against the active one, on the same test set."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt

from edge_common.contract import Input
from edge_common.files import write_atomically
from edge_inference.model import LoadedModel
from edge_mlops.dataset import versions
from edge_mlops.errors import RunError
from edge_mlops.evaluation.gate import Gate
from edge_mlops.evaluation.measures import quality
from edge_mlops.evaluation.predicting import check, latencies, predict, size
from edge_mlops.evaluation.report import report
from edge_mlops.evaluation.slices import slices
from edge_mlops.evaluation.verdict import EVALUATION, PAGE, Evaluation, Measured
from edge_mlops.labelled import Labelled, load
from edge_mlops.packages import loaded, unpack
from edge_mlops.training import runs
from edge_upload.sinks.choice import named


async def evaluate(
    run: Path, gate: Gate, active: tuple[Path, str] | None, store: str | None, version: Path | None = None
) -> Evaluation:
    """Judge a run; the verdict is kept in its folder, with a page.

    Args:
        run: Its folder.
        gate: What is to be reached.
        active: The active model: a layout, and a tag or digest in it.
        store: Where the dataset's files are now, unless where it was frozen from.
        version: The folder of the dataset's version now, unless where it was when the run was made.

    Raises:
        StepError: The run, or the dataset, does not do.
        ModelError: One of the models is none.
        SinkError: The store does not answer.
    """
    about = runs.read(run)
    with ExitStack() as stack:
        folders = [run]
        if active:
            folders.append(Path(stack.enter_context(TemporaryDirectory())))
            unpack(*active, folders[1])
        models = [loaded(folder) for folder in folders]
        tests = await _tests(version or about.version, [model.contract.input for model in models], store)
        contenders = [Contender(*each) for each in zip(folders, models, tests, strict=True)]
        verdict = judged(about, gate, active and active[1], contenders)
    write_atomically(run / PAGE, report(about.ingredients.digest, verdict).encode())
    write_atomically(run / EVALUATION, runs.as_json(verdict).encode())
    return verdict


async def _tests(version: Path, inputs: Sequence[Input], store: str | None) -> list[Labelled]:
    """The test set as each input half has it, sample for sample the same."""
    sink = named(store or versions.read(version).store)
    try:
        tests = [await load(sink, version, "test", wanted) for wanted in inputs]
    finally:
        await sink.close()
    if any((test.items, test.labels) != (tests[0].items, tests[0].labels) for test in tests):
        raise RunError("the active model does not take the same samples of the test set")
    return tests


@dataclass(frozen=True)
class Contender:
    """A model that is held against another.

    Attributes:
        folder: Where its files are.
        model: It, loaded.
        tests: The test set, as it takes it.
    """

    folder: Path
    model: LoadedModel
    tests: Labelled


def judged(about: runs.Run, gate: Gate, reference: str | None, contenders: Sequence[Contender]) -> Evaluation:
    """Hold a model against another, on the same samples.

    Args:
        about: The run that it is of.
        gate: What is to be reached.
        reference: What the other model is called; None if there is none.
        contenders: The model, and the other one.

    Raises:
        RunError: One of them is no classifier.
    """
    measured, right = _measured(contenders)
    candidate, active = measured[0], measured[1] if reference else None
    tests = contenders[0].tests
    parts = slices(tests.items, tests.labels, right[0], right[1] if reference else None)
    ratio = candidate.median_ms / active.median_ms if active else None
    return Evaluation(
        dataset=about.ingredients.dataset,
        samples=len(tests.labels),
        reference=reference,
        candidate=candidate,
        active=active,
        slices=parts,
        gate=gate,
        refusals=gate.refusals(candidate.quality.precision, parts, ratio),
    )


def _measured(contenders: Sequence[Contender]) -> tuple[list[Measured], list[npt.NDArray[np.bool_]]]:
    """How good and how fast each is, and for each which samples it is right about."""
    for contender in contenders:
        check(contender.model)
    said = [predict(contender.model, contender.tests.samples) for contender in contenders]
    took = latencies([(contender.model, contender.tests.samples) for contender in contenders])
    truth = np.array(contenders[0].tests.labels, np.str_)
    measured = [
        Measured(
            quality=quality(truth, one.labels, one.scores),
            median_ms=float(np.median(seconds) * 1000),
            p95_ms=float(np.percentile(seconds, 95) * 1000),
            bytes=size(contender.folder),
        )
        for contender, one, seconds in zip(contenders, said, took, strict=True)
    ]
    return measured, [one.labels == truth for one in said]
