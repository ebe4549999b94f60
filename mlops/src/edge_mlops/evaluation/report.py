"""The verdict on a run as a page."""

from collections.abc import Iterator

from matplotlib.axes import Axes

from edge_mlops.evaluation.verdict import Evaluation, Measured
from edge_mlops.page import Section, number, page
from edge_mlops.plots import COLOURS, MOST_LEVEL, Draw, svg

BOTH = ("candidate", "active")


def report(name: str, verdict: Evaluation) -> str:
    """The page as HTML."""
    return page(f"Evaluation of run {name}", _sections(verdict))


def _sections(verdict: Evaluation) -> Iterator[Section]:
    both = [one for one in (verdict.candidate, verdict.active) if one]
    against = f"held against {verdict.reference}" if verdict.reference else "with no active model to hold it against"
    yield Section(
        "It does not pass" if verdict.refusals else "It passes",
        f"On the {verdict.samples} test samples of {verdict.dataset}, {against}.",
        ("it is refused because",),
        [(reason,) for reason in verdict.refusals],
    )
    figures = {
        "accuracy": [one.quality.accuracy for one in both],
        "precision, mean of labels": [one.quality.precision for one in both],
        "expected calibration error": [one.quality.calibration for one in both],
        "median latency, ms": [one.median_ms for one in both],
        "95th percentile of latency, ms": [one.p95_ms for one in both],
        "graph, KB": [one.bytes / 1000 for one in both],
    }
    rows = [(name, *map(number, values)) for name, values in figures.items()]
    yield Section("Figures", "", ("", *BOTH[: len(both)]), rows)
    confusion = svg(_confusion(verdict.candidate), 6, 5)
    yield Section("Confusion", "Rows are what is, columns what the candidate says.", plots=[confusion])
    yield Section("Reliability", "How often it is right, by how sure it is.", plots=[svg(_reliability(both), 5, 4)])
    yield Section(
        "Slices",
        "Worse: beyond what chance would do in 1 of 100 cases.",
        ("slice", "samples", *BOTH, "worse"),
        [
            (one.name, one.count, number(one.accuracy), number(one.active), "worse" if one.worse else "")
            for one in verdict.slices
        ],
    )


def _confusion(of: Measured) -> Draw:
    def draw(axes: Axes) -> None:
        labels, counts = of.quality.labels, of.quality.confusion
        axes.imshow(counts, cmap="Blues")
        axes.set_xticks(range(len(labels)), labels, rotation=45 if len(labels) > MOST_LEVEL else 0)
        axes.set_yticks(range(len(labels)), labels)
        most = max(map(max, counts))
        for row, column in ((row, column) for row in range(len(labels)) for column in range(len(labels))):
            count = counts[row][column]
            if count:
                colour = "white" if count > most / 2 else "black"
                axes.text(column, row, str(count), ha="center", va="center", color=colour, fontsize="small")

    return draw


def _reliability(both: list[Measured]) -> Draw:
    def draw(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], color="#999", linewidth=1, linestyle="--")
        for name, colour, one in zip(BOTH, COLOURS, both, strict=False):
            points = [(place.score, place.accuracy) for place in one.quality.reliability]
            axes.plot(*zip(*points, strict=True), "o-", color=colour, label=name)
        axes.set_xlabel("score")
        axes.set_ylabel("share that is right")
        axes.legend(frameon=False, fontsize="small")

    return draw
