"""Variants of a version in smaller numbers, each of which must pass the gate that its run passed."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

import numpy as np

from edge_inference import layout as layouts
from edge_inference.model import verify
from edge_inference.package import CONTRACT, GRAPH
from edge_mlops.errors import InputError, RunError
from edge_mlops.evaluation import verdict as verdicts
from edge_mlops.evaluation.evaluating import Contender, judged
from edge_mlops.evaluation.verdict import Evaluation
from edge_mlops.labelled import Labelled
from edge_mlops.packages import loaded, reference_of
from edge_mlops.packaging import contents
from edge_mlops.packaging.card import card
from edge_mlops.packaging.lineage import CARD, LINEAGE, Lineage, Variant, packed
from edge_mlops.packaging.numbering import versions_of
from edge_mlops.packaging.reducing import KINDS
from edge_mlops.training import runs

LEAST: Final = 1e-4
"""The least golden tolerance."""


class Derived(NamedTuple):
    """What became of a variant.

    Attributes:
        version: What it is called.
        reference: What a twin takes; None if it was refused.
        refusals: Why it was.
    """

    version: str
    reference: str | None
    refusals: Sequence[str] = ()


def kinds(text: str) -> list[str]:
    """The kinds of variants in a list with commas.

    Raises:
        InputError: One of them is none.
    """
    named = [kind for kind in text.split(",") if kind]
    if unknown := {*named} - {*KINDS}:
        raise InputError(f"{', '.join(sorted(unknown))}: variants are {', '.join(KINDS)}")
    return named


async def derive(
    run: Path, name: str, layout: Path, wanted: Sequence[str], store: str | None, version: Path | None = None
) -> list[Derived]:
    """Pack variants of a run's model beside it, as ``<version>-<kind>``; what is there is not made again.

    Args:
        run: Its folder; its model is packed.
        name: The model's.
        layout: The OCI image layout.
        wanted: Some of ``KINDS``.
        store: Where the dataset's files are now, unless where it was frozen from.
        version: The folder of the dataset's version now, unless where it was when the run was made.

    Raises:
        StepError: It is not packed, or the dataset does not do.
        SinkError: The store does not answer.
    """
    there = versions_of(name, layout)
    base = packed(run, layout, there.values())
    if base is None:
        raise RunError(f"{run} is not packed in {layout}")
    number = base.tag.partition(":")[2]
    named = {f"{number}-{kind}": kind for kind in wanted}
    if {*named} <= {*there}:
        return [Derived(made, reference_of(layout, there[made])) for made in named]
    about = runs.read(run)
    data = await contents.samples_of(version or about.version, verify(run), store, "train", "test", "validation")
    return [
        Derived(made, reference_of(layout, there[made]))
        if made in there
        else _derive(_Base(run, about, base.tag, base.digest), layout, made, kind, data)
        for made, kind in named.items()
    ]


class _Base(NamedTuple):
    """What a variant is of."""

    run: Path
    about: runs.Run
    tag: str
    digest: str


def _derive(base: _Base, layout: Path, version: str, kind: str, data: Sequence[Labelled]) -> Derived:
    train, tests, others = data
    with TemporaryDirectory() as made:
        folder = Path(made)
        shutil.copy(base.run / CONTRACT, folder)
        try:
            KINDS[kind].reduce(base.run / GRAPH, folder / GRAPH, train.samples)
            verdict = _judged(base, folder, tests)
        except RunError as error:
            return Derived(version, None, [str(error)])
        if verdict.refusals:
            return Derived(version, None, verdict.refusals)
        tolerance = _write(folder, base.run, kind, tests, others)
        name = base.tag.partition(":")[0]
        variant = Variant(kind=kind, of=base.digest, tolerance=tolerance, measured=verdict.candidate)
        lineage = Lineage.of(base.about, verdict.reference, variant)
        (folder / LINEAGE).write_text(runs.as_json(lineage))
        (folder / CARD).write_text(card(name, version, verify(folder), base.about, verdict))
        return Derived(version, layouts.pack(folder, layout, name, version))


def _judged(base: _Base, folder: Path, tests: Labelled) -> Evaluation:
    """By the run's gate, with the run's own model as the active one; and it is to be smaller."""
    gate, folders = verdicts.read(base.run).gate, [folder, base.run]
    verdict = judged(base.about, gate, base.tag, [Contender(one, loaded(one), tests) for one in folders])
    if verdict.active and verdict.candidate.bytes >= verdict.active.bytes:
        bigger = f"its graph has {verdict.candidate.bytes} bytes, and {verdict.active.bytes} as it was"
        return verdict.model_copy(update={"refusals": [*verdict.refusals, bigger]})
    return verdict


def _write(folder: Path, run: Path, kind: str, tests: Labelled, others: Labelled) -> float:
    """Golden examples and drift reference; gives the golden tolerance, twice what other hardware may make of it."""
    model = loaded(folder)
    said = contents.probabilities(model, tests.samples)
    there = KINDS[kind].elsewhere(folder / GRAPH, run / GRAPH, tests.samples)
    tolerance = max(LEAST, 2 * float(np.abs(said - there).max()))
    contents.write_golden(folder, model, tests, tolerance)
    contents.write_drift(folder, tests, others)
    return tolerance
