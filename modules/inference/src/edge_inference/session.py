"""The seam to what runs a graph."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output of a graph.

    Attributes:
        dtype: As onnxruntime names it, such as ``tensor(float)``.
        shape: A number where the graph fixes the dimension, else a name or None.
    """

    dtype: str
    shape: tuple[int | str | None, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a model is to run on.

    Attributes:
        providers: onnxruntime's execution providers, the preferred one first.
        require_gpu: Whether running without a GPU is no option.
    """

    providers: tuple[str, ...]
    require_gpu: bool


class Session(Protocol):
    """A loaded graph. Goes when nothing holds it any more, so never under a batch."""

    @property
    def providers(self) -> Sequence[str]:
        """The execution providers that are really in use."""

    @property
    def inputs(self) -> Mapping[str, Port]:
        """What the graph takes."""

    @property
    def outputs(self) -> Mapping[str, Port]:
        """What the graph gives."""

    def run(self, feeds: Mapping[str, Array], outputs: Sequence[str]) -> Sequence[Array]:
        """These outputs for these inputs; may be called from several threads at once.

        Raises:
            RunFailedError: The run failed.
        """


Opener = Callable[[Path, Sequence[str]], Session]
"""Loads the graph in a file on those of these execution providers that are there; raises LoadFailedError."""
