"""From what the devices stored to the next model. Each step is a function here and a command of ``edge-mlops``."""

import os

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # before onnxruntime is imported; edge_inference does the same
