"""MQTT 3.1.1 as a server needs it: packets, their bytes, and connections. Knows nothing of IoT Hub."""
