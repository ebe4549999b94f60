"""What a client can do wrong on the wire; each of these ends its connection and nothing else.

MqttError
├── MalformedPacketError       bytes that MQTT 3.1.1 does not allow
├── PacketTooLargeError        a packet over the server's limit
├── UnsupportedProtocolError   another version of MQTT
└── ProtocolViolationError     a well-formed packet at the wrong time
"""


class MqttError(Exception):
    """The root."""


class MalformedPacketError(MqttError):
    """Bytes that MQTT 3.1.1 does not allow."""


class PacketTooLargeError(MqttError):
    """A packet over the server's limit."""


class UnsupportedProtocolError(MqttError):
    """A CONNECT of another version of MQTT."""


class ProtocolViolationError(MqttError):
    """A well-formed packet at the wrong time."""
