"""PyTriton and onnxruntime, asked by the Open Inference Protocol with binary tensors.

``server.py GRAPH PORT``. As https://triton-inference-server.github.io/pytriton/latest/guides/quick_start has it:
Triton's dynamic batches without delay; on one core, runs are of one sample each, since batches cost on a CPU.
"""

import os
import sys
import sysconfig
from typing import Any

import numpy as np
import onnxruntime
from pytriton.decorators import batch
from pytriton.model_config import ModelConfig, Tensor
from pytriton.triton import Triton, TritonConfig, TritonSecurityConfig

# Triton's own process is to find the library of this Python, not of another one.
os.environ["LD_LIBRARY_PATH"] = sysconfig.get_config_var("LIBDIR")

graph, port = sys.argv[1:]
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
taken = session.get_inputs()[0].name


@batch
def scores(**inputs: Any) -> Any:
    """What the graph makes of some samples."""
    rows = inputs[taken]
    return [np.concatenate([session.run(None, {taken: rows[at : at + 1]})[0] for at in range(len(rows))])]


config = TritonConfig(
    http_address="127.0.0.1", http_port=int(port), allow_grpc=False, allow_metrics=False, exit_timeout_secs=5
)
with Triton(config=config, security_config=TritonSecurityConfig(restricted_endpoints=[])) as triton:
    triton.bind(
        model_name="shufflenet",
        infer_func=scores,
        inputs=[Tensor(name=taken, dtype=np.float32, shape=(3, 224, 224))],
        outputs=[Tensor(name="scores", dtype=np.float32, shape=(1000,))],
        config=ModelConfig(max_batch_size=8),
    )
    triton.serve()
