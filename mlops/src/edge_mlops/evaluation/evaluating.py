"""Holds a run's model against the active one, on the same test set."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

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
        verdict = judged(about, gate, active and active[1], folders, models, tests)
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


def judged(
    about: runs.Run,
    gate: Gate,
    reference: str | None,
    folders: Sequence[Path],
    models: Sequence[LoadedModel],
    tests: Sequence[Labelled],
) -> Evaluation:
    """Hold a model against another, on the same samples.

    Args:
        about: The run that it is of.
        gate: What is to be reached.
        reference: What the other model is called; None if there is none.
        folders: Where the model's files are, and the other's.
        models: Both, loaded.
        tests: The test set, as each of them takes it.

    Raises:
        RunError: One of them is no classifier.
    """
    for model in models:
        check(model)
    samples = [test.samples for test in tests]
    said = [predict(model, some) for model, some in zip(models, samples, strict=True)]
    took = latencies([*zip(models, samples, strict=True)])
    truth = np.array(tests[0].labels, np.str_)
    measured = [
        Measured(
            quality=quality(truth, one.labels, one.scores),
            median_ms=float(np.median(seconds) * 1000),
            p95_ms=float(np.percentile(seconds, 95) * 1000),
            bytes=size(folder),
        )
        for one, seconds, folder in zip(said, took, folders, strict=True)
    ]
    candidate, active = measured[0], measured[1] if reference else None
    right = [one.labels == truth for one in said]
    parts = slices(tests[0].items, tests[0].labels, right[0], right[1] if reference else None)
    ratio = candidate.median_ms / active.median_ms if active else None
    return Evaluation(
        dataset=about.ingredients.dataset,
        samples=len(truth),
        reference=reference,
        candidate=candidate,
        active=active,
        slices=parts,
        gate=gate,
        refusals=gate.refusals(candidate.quality.precision, parts, ratio),
    )
