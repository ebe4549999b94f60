"""LitServe and onnxruntime: the raw body is the tensor.

``server.py GRAPH PORT``. As https://lightning.ai/docs/litserve/features has it for a CPU: one worker for the one core;
no batches, which cost on a CPU; the request's type said, so that the body is not parsed as JSON.
"""

import sys
from typing import Annotated, Any

import litserve
import numpy as np
import onnxruntime
from fastapi import Body, Response


class Scores(litserve.LitAPI):
    """Raw float32 in, raw float32 out."""

    def setup(self, device: str) -> None:
        """Load the graph, in the worker."""
        del device
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
        self.taken = self.session.get_inputs()[0].name

    def decode_request(self, request: Annotated[bytes, Body()]) -> Any:
        """One sample."""
        return np.frombuffer(request, np.float32).reshape(1, 3, 224, 224)

    def predict(self, x: Any) -> Any:
        """What the graph makes of it."""
        return self.session.run(None, {self.taken: x})[0]

    def encode_response(self, output: Any) -> Response:
        """The body of the answer."""
        return Response(output.tobytes(), media_type="application/octet-stream")


if __name__ == "__main__":
    server = litserve.LitServer(Scores(), accelerator="cpu", workers_per_device=1, timeout=False)
    server.run(
        host="127.0.0.1", port=int(sys.argv[2]), generate_client_file=False, log_level="warning", access_log=False
    )
