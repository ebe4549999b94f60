"""Handwritten digits as an example."""

from collections.abc import Sequence
from typing import Final

from edge_examples.digits import data, drops, training
from edge_examples.drops import Drop
from edge_examples.example import Example, TrainedModel


def _train() -> Sequence[TrainedModel]:
    return training.train(*data.load())


def _drops(count: int) -> Sequence[Drop]:
    good = drops.good(data.load()[1], count)
    return [*good, *drops.bad(next(drop for drop in good if drop.path.endswith(".jpg")))]


DIGITS: Final = Example("digits", "pictures of digits", 700, _train, _drops)
