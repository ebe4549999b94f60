"""Writes the gRPC message that asks MLServer for one sample: ``question.py MODEL SAMPLE FILE``."""

import sys
from pathlib import Path

from mlserver.grpc.dataplane_pb2 import ModelInferRequest

model, sample, file = sys.argv[1:]
tensor = ModelInferRequest.InferInputTensor(name="sample", datatype="FP32", shape=[1, 3, 224, 224])
request = ModelInferRequest(model_name=model, inputs=[tensor], raw_input_contents=[Path(sample).read_bytes()])
Path(file).write_bytes(request.SerializeToString())
