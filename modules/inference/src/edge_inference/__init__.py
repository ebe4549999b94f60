"""The inference module: runs ONNX models and swaps them when its twin is edited."""
