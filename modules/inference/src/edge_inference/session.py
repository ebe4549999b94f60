"""The seam to what runs a graph."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

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
        threads: Of one run; 0 is as many as turn out best.
    """

    providers: tuple[str, ...]
    require_gpu: bool
    threads: int = 0


@dataclass(frozen=True, slots=True)
class Way:
    """How a session runs its graph.

    Attributes:
        threads: Of one run.
        bound: Whether inputs and outputs are bound before a run, which spares a GPU waiting.
    """

    threads: int = 1
    bound: bool = False


ONE_THREAD: Final = Way()
"""On CPUs, several callers on one session are mostly faster than one caller with several threads."""


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

    @property
    def way(self) -> Way:
        """How it runs the graph."""

    def anew(self, way: Way) -> "Session":
        """The same graph, loaded once more, to be run in another way.

        Raises:
            LoadFailedError: It cannot be loaded.
            OutOfMemoryError: There is not the memory for it.
        """

    def run(self, feeds: Mapping[str, Array], outputs: Sequence[str]) -> Sequence[Array]:
        """These outputs for these inputs; may be called from several threads at once.

        Raises:
            RunFailedError: The run failed.
        """


Opener = Callable[[Path, Sequence[str]], Session]
"""Loads the graph in a file on those of these execution providers that are there; raises LoadFailedError."""
