"""How much of everything a run takes."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """Sizes of a run.

    Attributes:
        pictures: In a round of the pipeline.
        rounds: Of the pipeline, for each model and size of picture.
        files: For the overhead.
        seconds: At each load.
        growth: Of the full curves: 1 is 100,000 files and 10 GB.
    """

    pictures: int
    rounds: int
    files: int
    seconds: float
    growth: float
