"""The servers that are compared: inference's own process, and what a user would pick instead.

Each peer is a folder of ``benchmarks/peers``: its requirements, pinned, and how it is served with the settings that its
documents recommend. ``make peers`` makes their environments.
"""

import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Final

import numpy as np

from bench.networks import CLASSES, SIDE
from edge_common.contract import Contract
from edge_examples.packages import publish
from edge_examples.trust import ROOTS

OURS: Final = "edge-inference"
PEERS: Final = Path("benchmarks/peers")
ENVIRONMENTS: Final = Path("build/peers")
PACKAGES: Final[Mapping[str, str]] = {
    "fastapi": "fastapi",
    "litserve": "litserve",
    "bentoml": "bentoml",
    "mlserver": "mlserver",
    "pytriton": "nvidia-pytriton",
}
"""The peers, and the packages that their versions are of."""

_NAME: Final = "shufflenet"
_RAW: Final = {"Content-Type": "application/octet-stream"}


@dataclass(frozen=True)
class Question:
    """What a server is asked, over and over.

    Attributes:
        path: Of the address; with gRPC the method.
        body: A file.
        headers: HTTP's.
        grpc: Whether it is asked by gRPC.
    """

    path: str
    body: Path
    headers: Mapping[str, str] = field(default_factory=dict)
    grpc: bool = False

    def arguments(self, port: int) -> Sequence[str]:
        """For ``asking``."""
        headers = [part for pair in self.headers.items() for part in ("--header", *pair)]
        return [str(port), self.path, str(self.body), *headers, *["--grpc"] * self.grpc]


@dataclass(frozen=True)
class Server:
    """One that can be started.

    Attributes:
        name: What it is called.
        version: Its.
        command: Starts it.
        environment: What is in its environment beside ``PATH``.
        port: Where it then listens.
        question: What it is asked.
        python: An interpreter that can ask it.
    """

    name: str
    version: str
    command: Sequence[str]
    environment: Mapping[str, str]
    port: int
    question: Question
    python: Path = Path(sys.executable)


@dataclass(frozen=True)
class Material:
    """What all servers are given.

    Attributes:
        folder: A place for it.
        graph: The model's file.
        sample: A file with one prepared sample, float32.
        taken: The name of the graph's input.
    """

    folder: Path
    graph: Path
    sample: Path
    taken: str

    def question(self, path: str) -> Question:
        """The sample by the Open Inference Protocol v2, with binary tensors both ways."""
        tensor = self.sample.read_bytes()
        size = {"binary_data_size": len(tensor)}
        given = {"name": self.taken, "datatype": "FP32", "shape": [1, 3, SIDE, SIDE], "parameters": size}
        head = json.dumps({"inputs": [given], "parameters": {"binary_data_output": True}}).encode()
        body = self.folder / "question"
        body.write_bytes(head + tensor)
        return Question(path, body, {**_RAW, "Inference-Header-Content-Length": str(len(head))})


def material(folder: Path, graph: bytes, contract: Contract) -> Material:
    """Make it, in a folder that is emptied first."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    made = Material(folder, folder / "model.onnx", folder / "sample", contract.input.name)
    made.graph.write_bytes(graph)
    np.random.default_rng(1).standard_normal((1, 3, SIDE, SIDE), np.float32).tofile(made.sample)
    return made


def scores(answer: bytes) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """Of the answer of any server: they come last, as float32."""
    return np.frombuffer(answer[-4 * CLASSES :], np.float32)


def ours(given: Material, graph: bytes, contract: Contract) -> Server:
    """Inference's process as on Kubernetes: a signed package, the model named by its environment."""
    models, trust, port = given.folder / "models", given.folder / "trust", _free_port()
    ref = publish(graph, contract, models, trust, _NAME, "1")
    environment = {
        "STATE_DIR": given.folder / "state",
        "MODEL_DIR": models,
        "TENSOR_DIR": given.folder,
        "TRUST_ROOTS": trust / ROOTS,
        "METRICS_ADDRESS": "127.0.0.1",
        "METRICS_PORT": 0,
        "HTTP_ADDRESS": "127.0.0.1",
        "HTTP_PORT": port,
        "TWIN": json.dumps({"model": {"schema": 1, "name": _NAME, "version": "1", "ref": ref}}),
    }
    command = [sys.executable, "-m", "edge_inference"]
    question = given.question(f"/v2/models/{_NAME}/infer")
    told = {name: str(value) for name, value in environment.items()}
    return Server(OURS, version("edge-inference"), command, told, port, question)


def peers(given: Material) -> Sequence[Server]:
    """Those that are installed."""
    raw, triton = Question("/predict", given.sample, _RAW), given.question(f"/v2/models/{_NAME}/infer")
    mlserver = Question("/inference.GRPCInferenceService/ModelInfer", given.folder / "message", grpc=True)
    questions = {"fastapi": raw, "litserve": raw, "bentoml": raw, "mlserver": mlserver, "pytriton": triton}
    return [_peer(name, questions[name], given) for name in PACKAGES if installed(name)]


def installed(peer: str) -> bool:
    """Whether it could be."""
    return (ENVIRONMENTS / peer / ".ready").exists()


def _peer(name: str, question: Question, given: Material) -> Server:
    folder, python, port = PEERS / name, ENVIRONMENTS.absolute() / name / "bin/python", _free_port()
    if question.grpc:
        subprocess.run([python, folder / "question.py", _NAME, given.sample, question.body], check=True)
    command = [str(python), str(folder / "server.py"), str(given.graph), str(port)]
    return Server(name, peer_version(name), command, {}, port, question, python)


def peer_version(peer: str) -> str:
    """The one that is pinned."""
    start = f"{PACKAGES[peer]}=="
    lines = (PEERS / peer / "requirements.lock").read_text().splitlines()
    return next(line for line in lines if line.startswith(start)).removeprefix(start).rstrip(" \\")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
