"""What an estimator does. Each has a module with a function ``fit`` of this type; only a recipe with it imports it."""

from importlib import import_module
from typing import Protocol

from edge_common.contract import Contract
from edge_mlops.labelled import Labelled
from edge_mlops.originals import Samples
from edge_mlops.training.recipes import MAKERS, Recipe


class Trained(Protocol):
    """A model that is trained.

    Attributes:
        classes: The labels, in the order of probabilities.
        converged: Whether it has come to an end before its most steps.
    """

    classes: tuple[str, ...]
    converged: bool

    def probabilities(self, samples: Samples) -> Samples:
        """Float32 of shape ``(n, classes)``."""

    def graph(self, contract: Contract) -> bytes:
        """As ONNX: the contract's input, and ``probabilities`` of shape ``(batch, classes)``."""


def fit(recipe: Recipe, train: Labelled, validation: Labelled) -> Trained:
    """Train a model.

    Args:
        recipe: How.
        train: What it learns from; of at least two labels.
        validation: What tells it when to end, if it asks.

    Raises:
        DatasetError: It cannot learn from that.
    """
    module = import_module(f"{__package__}.{MAKERS[recipe.estimator].module}")
    trained: Trained = module.fit(recipe, train, validation)
    return trained
