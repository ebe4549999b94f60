"""The main job, end to end, over the simulator."""

import os

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # before onnxruntime is imported; edge_inference does the same
