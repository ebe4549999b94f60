"""A local IoT Edge: runs a deployment manifest with no cloud, no device and no Docker."""
