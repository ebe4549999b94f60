"""Two engines on one graph: the module's, and onnxruntime with nothing around it."""

import hashlib
import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime

from edge_common.contract import Contract
from edge_common.messages import ModelIdentity
from edge_inference.errors import ModelError
from edge_inference.model import LoadedModel, load_model
from edge_inference.onnx_session import OnnxSession
from edge_inference.package import GRAPH
from edge_inference.runtime import CPU, CUDA
from edge_inference.session import Array, Plan

TENSORRT: Final = "TensorrtExecutionProvider"
_ORDER: Final = (TENSORRT, CUDA, CPU)

Run = Callable[[], object]


def providers_from(provider: str) -> Sequence[str]:
    """A provider, and those that take what it leaves."""
    return _ORDER[_ORDER.index(provider) :]


def load(folder: Path, contract: Contract, provider: str, *, require_gpu: bool) -> LoadedModel:
    """A graph on the module's engine, as the module loads it.

    Raises:
        ModelError: It cannot be had so.
    """
    digest = hashlib.sha256((folder / GRAPH).read_bytes()).hexdigest()
    identity = ModelIdentity(name=folder.name, version="1", digest=f"sha256:{digest}")
    plan = Plan(tuple(providers_from(provider)), require_gpu=require_gpu)
    model = load_model(folder, identity, contract, OnnxSession, plan)
    model.warm_up()
    return model


def open_on(folder: Path, contract: Contract, provider: str) -> LoadedModel:
    """A model that runs on a GPU, or, where the CPU is asked for, there."""
    return load(folder, contract, provider, require_gpu=provider != CPU)


def refusal(folder: Path, contract: Contract) -> str | None:
    """The code that a model is refused with that requires a GPU, while none can be seen; for a process of its own."""
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    try:
        load(folder, contract, CUDA, require_gpu=True)
    except ModelError as error:
        return error.code
    return None


def samples(contract: Contract, count: int) -> Array:
    """Noise: zeros would take less power, and so less time."""
    return np.random.default_rng(1).standard_normal((count, *contract.input.sample_shape), np.float32)


class Bare:
    """onnxruntime with I/O binding.

    Args:
        graph: The ONNX file.
        provider: What runs it.
    """

    def __init__(self, graph: Path, provider: str) -> None:
        options = onnxruntime.SessionOptions()
        options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
        self._provider = provider
        self._device = "cpu" if provider == CPU else "cuda"
        self._session = onnxruntime.InferenceSession(graph, options, providers=[*providers_from(provider)])

    @property
    def elsewhere(self) -> int:
        """How many nodes of the graph another provider runs."""
        parts = self._session.get_provider_graph_assignment_info()
        return sum(len(part.get_nodes()) for part in parts if part.ep_name != self._provider)

    def resident(self, rows: Array) -> Run:
        """Runs on samples that lie in the device's memory, and leaves there what it gives: what nothing can beat."""
        _, binding = self._bind(rows, self._device)
        return partial(self._session.run_with_iobinding, binding)

    def copying(self, rows: Array) -> Callable[[], Sequence[Array]]:
        """Runs on samples that are brought to the device each time, and fetches what it gives."""
        there, binding = self._bind(rows, "cpu")

        def run() -> Any:
            there.update_inplace(rows)
            self._session.run_with_iobinding(binding)
            return binding.copy_outputs_to_cpu()

        return run

    def _bind(self, rows: Array, outputs_on: str) -> tuple[Any, Any]:
        there = onnxruntime.OrtValue.ortvalue_from_numpy(np.array(rows), self._device, 0)
        binding = self._session.io_binding()
        binding.bind_ortvalue_input(self._session.get_inputs()[0].name, there)
        for output in self._session.get_outputs():
            binding.bind_output(output.name, outputs_on)
        return there, binding
