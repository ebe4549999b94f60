"""Handwritten digits as an example."""

from collections.abc import Sequence
from typing import Final

from edge_examples.digits import data, drops, training
from edge_examples.drops import Drop
from edge_examples.example import Example, TrainedModel
from edge_examples.pictures import bad


def _train() -> Sequence[TrainedModel]:
    return training.train(*data.load())


def _drops(count: int) -> Sequence[Drop]:
    good = drops.good(data.load()[1], count)
    return [*good, *bad(good)]


DIGITS: Final = Example("digits", "pictures of digits", 700, _train, _drops)
