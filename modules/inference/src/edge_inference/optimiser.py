"""A process in which onnxruntime optimises a graph; :mod:`edge_inference.optimised` starts it.

It is given the graph's path, that of a folder to be made, and the most bytes that a file in it may have; or the path
alone, and then only loads the graph.
"""

import ctypes
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any, Final

from edge_common.expendable import be_expendable
from edge_inference.package import GRAPH
from edge_inference.runtime import CPU, fingerprint, load_runtime, session_options
from edge_inference.seal import SEAL, WEIGHTS, Seal

CPU_S: Final = 300
"""CPU time for a graph: one of 200 MB takes 1.5 s, and constants may be folded by an endless loop."""

_MORE_NICENESS: Final = 10
_PR_SET_PDEATHSIG: Final = 1
"""Of prctl(2)."""


def main() -> None:
    """Be the process."""
    os.nice(_MORE_NICENESS)
    be_expendable()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # who started it clears up behind it, and is gone
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S + 1))  # of equal ones the second ends it, by SIGKILL
    runtime, graph, *target = load_runtime(), *sys.argv[1:]
    if not target:
        load(runtime, graph, session_options(runtime))
        return
    folder, most = Path(target[0]), int(target[1])
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    optimise(runtime, graph, folder)


def optimise(runtime: Any, graph: str, folder: Path) -> None:
    """Write an optimised graph, and what its operators make of their weights, into a folder that is made.

    The settings are those of onnxruntime's ``onnxruntime_session_options_config_keys.h``.
    """
    folder.mkdir()
    options = session_options(runtime)
    options.optimized_model_filepath = str(folder / GRAPH)
    options.add_session_config_entry("session.optimized_model_external_initializers_file_name", WEIGHTS)
    options.add_session_config_entry("session.optimized_model_external_initializers_min_size_in_bytes", "1024")
    options.add_session_config_entry("session.save_external_prepacked_constant_initializers", "1")
    load(runtime, graph, options)
    (folder / SEAL).write_text(Seal.of(folder, fingerprint(runtime)).model_dump_json())


def load(runtime: Any, graph: str, options: Any) -> None:
    """Load a graph as a session on the CPU does."""
    runtime.InferenceSession(graph, options, providers=[CPU])


if __name__ == "__main__":
    main()
