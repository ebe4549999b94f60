"""Graphs on onnxruntime."""

import logging
import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, cast

import numpy as np

from edge_inference.deadline import Watchdog
from edge_inference.errors import LoadFailedError, OutOfMemoryError, RunFailedError
from edge_inference.runtime import CUDA, FATAL_ONLY, first_line, load_runtime, session_options, usable
from edge_inference.session import ONE_THREAD, Array, Port, Way

log = logging.getLogger(__name__)

RUN_S: Final = 60.0
"""How long one run may take."""

_OUT_OF_MEMORY = re.compile(r"bad_alloc|allocate memory|allocation failed|out of memory", re.IGNORECASE)
_WATCHDOG = Watchdog()


class OnnxSession:
    """A graph that onnxruntime has loaded.

    Args:
        graph: The ONNX file; external weights lie beside it.
        providers: Execution providers, the preferred one first; those that are not there are left out.
        run_seconds: How long a run may take: a graph can hold an endless loop.
        way: How runs are made.

    Raises:
        LoadFailedError: onnxruntime cannot load the graph.
        OutOfMemoryError: There is not the memory for it.
    """

    def __init__(
        self, graph: Path, providers: Sequence[str], run_seconds: float = RUN_S, way: Way = ONE_THREAD
    ) -> None:
        runtime = load_runtime()
        self._run_options = runtime.RunOptions
        self._run_seconds = run_seconds
        self._anew = partial(OnnxSession, graph, providers, run_seconds)
        self.way = way
        options = session_options(runtime)
        options.intra_op_num_threads = way.threads
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # other modules need the processors
        chosen = _choose(runtime, providers)
        try:
            self._session = runtime.InferenceSession(graph, options, providers=chosen)
        except Exception as error:  # onnxruntime's errors have no base of their own
            kind = OutOfMemoryError if _is_out_of_memory(error) else LoadFailedError
            raise kind(f"onnxruntime cannot load the graph: {first_line(error)}") from error
        self._session.disable_fallback()  # which would move the graph to the CPU without a word when a GPU fails
        self.providers: Sequence[str] = tuple(self._session.get_providers())
        self.inputs: Mapping[str, Port] = _ports(self._session.get_inputs())
        self.outputs: Mapping[str, Port] = _ports(self._session.get_outputs())

    def anew(self, way: Way) -> "OnnxSession":
        return self._anew(way)

    def run(self, feeds: Mapping[str, Array], outputs: Sequence[str]) -> Sequence[Array]:
        options = self._run_options()
        options.log_severity_level = FATAL_ONLY
        try:
            with _WATCHDOG.limit(options, self._run_seconds):
                run = self._run_bound if self.way.bound else self._session.run
                return [np.asarray(array) for array in run(list(outputs), feeds, options)]
        except Exception as error:  # onnxruntime's errors have no base of their own
            late = f"it was ended after {self._run_seconds:g} s" if options.terminate else first_line(error)
            raise RunFailedError(late, out_of_memory=_is_out_of_memory(error)) from error

    def _run_bound(self, outputs: Sequence[str], feeds: Mapping[str, Array], options: Any) -> Sequence[Any]:
        binding = self._session.io_binding()
        for name, array in feeds.items():
            binding.bind_cpu_input(name, np.ascontiguousarray(array))
        for name in outputs:
            binding.bind_output(name)
        self._session.run_with_iobinding(binding, options)
        return cast(Sequence[Any], binding.copy_outputs_to_cpu())


def _choose(runtime: Any, providers: Sequence[str]) -> list[str]:
    chosen = usable(runtime, providers)
    if missing := [name for name in providers if name not in chosen]:
        log.warning("not available here, and left out: %s", ", ".join(missing))
    if CUDA in chosen:
        runtime.preload_dlls()
    return chosen


def _ports(arguments: Sequence[Any]) -> dict[str, Port]:
    return {argument.name: Port(argument.type, tuple(argument.shape)) for argument in arguments}


def _is_out_of_memory(error: Exception) -> bool:
    return bool(_OUT_OF_MEMORY.search(str(error)))
