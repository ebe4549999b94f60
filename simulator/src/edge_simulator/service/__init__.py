"""IoT Hub's part: its service API, as the unmodified `azure-iot-hub` SDK uses it."""
