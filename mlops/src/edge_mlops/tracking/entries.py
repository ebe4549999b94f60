"""What MLflow is told of a run. Pure."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from edge_mlops.evaluation.verdict import Evaluation, Measured
from edge_mlops.training.runs import Run


class Entry(NamedTuple):
    """What is told of one document of a run.

    Attributes:
        params: What does not change, by name.
        metrics: Numbers, by name.
        tags: What people look for, by name.
    """

    params: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]


def of_training(run: Run, revision: str | None) -> Entry:
    """What ``run.json`` says, and the code's revision."""
    went_in = run.ingredients
    params = {
        **went_in.recipe.model_dump(mode="json"),
        "dataset": went_in.dataset,
        "data": went_in.data,
        "input": went_in.wish.input.kind,
        "code": went_in.code,
        **{f"environment.{name}": version for name, version in went_in.environment.items()},
    }
    metrics = {
        **{f"samples.{split}": float(count) for split, count in run.samples.items()},
        **{f"accuracy.{split}": value for split, value in run.accuracy.items()},
        "unprepared": float(sum(run.unprepared.values())),
        "converged": float(run.converged),
    }
    tags = {"mlflow.source.git.commit": revision} if revision else {}
    return Entry({name: str(value) for name, value in params.items()}, metrics, tags)


def of_evaluation(verdict: Evaluation) -> Entry:
    """What ``evaluation.json`` says."""
    metrics = dict(_measured("candidate", verdict.candidate))
    if verdict.active:
        metrics |= _measured("active", verdict.active)
    return Entry({}, metrics, {"passed": str(not verdict.refusals), "against": verdict.reference or ""})


def _measured(name: str, one: Measured) -> Iterator[tuple[str, float]]:
    yield f"{name}.accuracy", one.quality.accuracy
    yield f"{name}.precision", one.quality.precision
    yield f"{name}.calibration", one.quality.calibration
    yield f"{name}.median_ms", one.median_ms
    yield f"{name}.p95_ms", one.p95_ms
    yield f"{name}.bytes", float(one.bytes)
