"""BentoML and onnxruntime: the raw body is the tensor, which BentoML hands over as a file.

``server.py GRAPH PORT``. As https://docs.bentoml.com/en/latest/build-with-bentoml/services.html has it for a CPU: one
worker for the one core, the model loaded once in it; no adaptive batches, which cost on a CPU and take no raw bodies.
"""

import os
import sys
from pathlib import Path
from typing import Annotated

import bentoml
import numpy as np
import onnxruntime

GRAPH = "GRAPH"


@bentoml.service(workers=1, logging={"access": {"enabled": False}}, metrics={"enabled": False})
class Scores:
    """Raw float32 in, raw float32 out."""

    def __init__(self) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(os.environ[GRAPH], options, providers=["CPUExecutionProvider"])
        self.taken = self.session.get_inputs()[0].name

    @bentoml.api
    def predict(
        self, sample: Annotated[Path, bentoml.validators.ContentType("application/octet-stream")], /
    ) -> Annotated[bytes, bentoml.validators.ContentType("application/octet-stream")]:
        """What the graph makes of one sample."""
        row = np.fromfile(sample, np.float32).reshape(1, 3, 224, 224)
        given: bytes = self.session.run(None, {self.taken: row})[0].tobytes()
        return given


if __name__ == "__main__":
    program, graph, port = sys.argv
    os.environ[GRAPH] = str(Path(graph).absolute())
    command = str(Path(sys.executable).with_name("bentoml"))
    here = ["--working-dir", str(Path(program).parent), "--host", "127.0.0.1", "--port", port]
    os.execv(command, [command, "serve", "server:Scores", *here, "--quiet", "--do-not-track"])  # noqa: S606 - this one
