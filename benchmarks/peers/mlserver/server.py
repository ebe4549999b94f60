"""MLServer and onnxruntime, asked by gRPC with raw tensors: its REST has JSON alone.

``server.py GRAPH PORT``. As https://docs.seldon.ai/mlserver/user-guide/parallel-inference has it where there is one
core: no pool of processes; no batches, which cost on a CPU.
"""

import asyncio
import logging
import sys
from typing import Any

import onnxruntime
from mlserver import MLModel, MLServer, ModelSettings, Settings
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceResponse


class Scores(MLModel):
    """Float32 in, float32 out."""

    async def load(self) -> bool:
        """Load the graph."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        graph: str = sys.argv[1]
        self.session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        self.taken = self.session.get_inputs()[0].name
        return True

    async def predict(self, payload: Any) -> Any:
        """What the graph makes of one sample."""
        row = self.decode(payload.inputs[0], default_codec=NumpyCodec)
        (given,) = self.session.run(None, {self.taken: row})
        return InferenceResponse(model_name=self.name, outputs=[NumpyCodec.encode_output("scores", given)])


if __name__ == "__main__":
    settings = Settings(
        host="127.0.0.1",
        http_port=0,
        grpc_port=int(sys.argv[2]),
        metrics_endpoint=None,
        parallel_workers=0,
        debug=False,
    )
    logging.getLogger("mlserver.grpc").setLevel(logging.WARNING)  # which tells of every request otherwise
    asyncio.run(MLServer(settings).start([ModelSettings(name="shufflenet", implementation=Scores)]))
