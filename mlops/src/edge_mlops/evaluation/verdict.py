"""What was found out about a run, as it is kept in its folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from edge_mlops.errors import RunError
from edge_mlops.evaluation.gate import Gate
from edge_mlops.evaluation.measures import Quality
from edge_mlops.evaluation.slices import Slice

EVALUATION: Final = "evaluation.json"
PAGE: Final = "evaluation.html"


class Measured(BaseModel):
    """What is known of a model.

    Attributes:
        quality: On the test set.
        median_ms: Milliseconds for one sample.
        p95_ms: The 95th percentile of them.
        bytes: Of its graph.
    """

    model_config = ConfigDict(frozen=True)

    quality: Quality
    median_ms: float
    p95_ms: float
    bytes: int


class Evaluation(BaseModel):
    """The verdict on a run.

    Attributes:
        dataset: Name and version.
        samples: In the test set.
        reference: The active model, as its layout knows it; None where there is none yet.
        candidate: The run's model.
        active: The active one.
        slices: Both, on parts of the test set.
        gate: What had to be reached.
        refusals: Why it does not pass; nothing, if it does.
    """

    model_config = ConfigDict(frozen=True)

    dataset: str
    samples: int
    reference: str | None
    candidate: Measured
    active: Measured | None
    slices: Sequence[Slice]
    gate: Gate
    refusals: Sequence[str]


def read(run: Path) -> Evaluation:
    """The verdict on a run.

    Raises:
        RunError: There is none.
    """
    try:
        return Evaluation.model_validate_json((run / EVALUATION).read_bytes())
    except (OSError, ValidationError) as error:
        raise RunError(f"{run} has not been evaluated") from error
