"""Where a packed model is from."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final, Self

from pydantic import BaseModel, ConfigDict

from edge_inference import layout as layouts
from edge_inference.layout import Entry
from edge_inference.package import CONTRACT, GRAPH, digest_of
from edge_mlops.evaluation.verdict import Measured
from edge_mlops.training.runs import Ingredients, Run

LINEAGE: Final = "lineage.json"
CARD: Final = "card.md"


class Variant(BaseModel):
    """What is known of a variant besides.

    Attributes:
        kind: Of its numbers.
        of: The digest of the package that it is a variant of.
        tolerance: How far its probabilities may be from its golden examples.
        measured: What it does on the test set.
    """

    model_config = ConfigDict(frozen=True)

    kind: str
    of: str
    tolerance: float
    measured: Measured


class Lineage(BaseModel):
    """``lineage.json``.

    Attributes:
        run: The run that it was made in.
        ingredients: What went into it.
        against: The model that it was held against; for a variant, what it is a variant of.
        variant: What it is, if it is one.
    """

    model_config = ConfigDict(frozen=True)

    run: str
    ingredients: Ingredients
    against: str | None
    variant: Variant | None = None

    @classmethod
    def of(cls, about: Run, against: str | None, variant: Variant | None = None) -> Self:
        """That of a run's model."""
        ingredients = about.ingredients
        return cls(run=ingredients.digest, ingredients=ingredients, against=against, variant=variant)


def packed(run: Path, layout: Path, there: Iterable[Entry]) -> Entry | None:
    """The package with a run's model, if one of these has it."""
    model = {(file, digest_of((run / file).read_bytes())) for file in (GRAPH, CONTRACT)}
    for entry in there:
        _, outline = layouts.inspect(layout, entry.digest)
        if model <= {(layer.title, layer.digest) for layer in outline.layers}:
            return entry
    return None
