"""The model card, which goes with a package."""

from collections.abc import Iterator, Mapping
from typing import Final

from edge_common.contract import ClassificationOutput, Contract
from edge_mlops.evaluation.verdict import Evaluation, Measured
from edge_mlops.page import number
from edge_mlops.training.runs import Run

WEAKEST: Final = 5


def card(name: str, version: str, contract: Contract, run: Run, verdict: Evaluation) -> str:
    """The card as Markdown.

    Args:
        name: The model's.
        version: The model's.
        contract: Its contract, of a classifier.
        run: How it was made.
        verdict: How good it is.
    """
    went_in, output = run.ingredients, contract.output
    labels = output.labels if isinstance(output, ClassificationOutput) else ()
    recipe = f"{went_in.recipe.estimator}, seed {went_in.recipe.seed}"
    lines = [
        f"# {name}, version {version}",
        "",
        f"Tells {', '.join(labels)} apart, in {contract.input.kind} samples of shape {contract.input.sample_shape}.",
        "",
        "| made of | |",
        "|---|---|",
        f"| dataset | {went_in.dataset}, digest {went_in.data} |",
        f"| samples | {_listed(run.samples)} |",
        f"| recipe | {recipe} |",
        f"| code | {went_in.code} |",
        f"| environment | {_listed(went_in.environment)} |",
        "",
        f"On {verdict.samples} test samples, none of which it was trained on:",
        "",
        f"| | this model | {verdict.reference or 'before it'} |",
        "|---|---|---|",
        *(f"| {what} | {ours} | {theirs} |" for what, ours, theirs in _figures(verdict)),
        "",
        "Its weakest slices:",
        "",
        "| slice | samples | accuracy |",
        "|---|---|---|",
        *(
            f"| {one.name} | {one.count} | {number(one.accuracy)} |"
            for one in sorted(verdict.slices, key=lambda one: one.accuracy)[:WEAKEST]
        ),
    ]
    return "\n".join(lines) + "\n"


def _listed(of: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in of.items())


def _figures(verdict: Evaluation) -> Iterator[tuple[str, str, str]]:
    """What is told, of this model, and of the active one."""
    ours, theirs = _told(verdict.candidate), _told(verdict.active) if verdict.active else {}
    for what, figure in ours.items():
        yield what, figure, theirs.get(what, "-")


def _told(measured: Measured) -> dict[str, str]:
    quality = measured.quality
    return {
        "accuracy": number(quality.accuracy),
        "precision, mean of labels": number(quality.precision),
        "expected calibration error": number(quality.calibration),
        "median latency, ms": number(measured.median_ms),
        "graph, KB": number(measured.bytes / 1000),
    }
