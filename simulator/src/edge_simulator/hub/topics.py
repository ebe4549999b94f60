"""IoT Hub's MQTT topics for modules, and the subscriptions that edgeHub knows (its `SessionStateParser.cs`)."""

import re
from enum import Enum, auto
from typing import Final
from urllib.parse import quote


class Feature(Enum):
    """What a subscription is for."""

    INPUTS = auto()
    DESIRED = auto()
    TWIN_RESPONSES = auto()
    METHODS = auto()


TWIN_GET: Final = "$iothub/twin/GET/"
TWIN_REPORT: Final = "$iothub/twin/PATCH/properties/reported/"
METHOD_RESPONSE: Final = "$iothub/methods/res/"
_METHODS: Final = "$iothub/methods/POST/"
_DESIRED: Final = "$iothub/twin/PATCH/properties/desired/"
_INPUTS: Final = re.compile(r"devices/.+/modules/.+/#")
_REQUEST_ID: Final = re.compile(r"[?&]\$rid=([^&/]+)")


def feature(topic_filter: str) -> Feature | None:
    """Return what a subscription to `topic_filter` turns on."""
    if topic_filter == "$iothub/twin/res/#":
        return Feature.TWIN_RESPONSES
    if topic_filter.startswith(_DESIRED):
        return Feature.DESIRED
    if topic_filter.startswith(_METHODS):
        return Feature.METHODS
    return Feature.INPUTS if _INPUTS.fullmatch(topic_filter) else None


def property_bag(topic: str, device_id: str, module: str) -> str | None:
    """Return the properties of a message that a module sends, or None if the topic is for something else."""
    events = f"devices/{device_id}/modules/{module}/messages/events/"
    return topic[len(events) :].removesuffix("/") if f"{topic}/".startswith(events) else None


def module_input(device_id: str, module: str, name: str, bag: str) -> str:
    """Return the topic of a message for a module's input."""
    return f"devices/{device_id}/modules/{module}/inputs/{quote(name, safe='')}/{bag}"


def request_id(topic: str) -> str | None:
    """Return the `$rid` of a twin request, as it was written."""
    match = _REQUEST_ID.search(topic)
    return match[1] if match else None


def twin_response(status: int, rid: str) -> str:
    """Return the topic of an answer to a twin request."""
    return f"$iothub/twin/res/{status}/?$rid={rid}"


def desired_patch(version: int) -> str:
    """Return the topic of a change of desired properties."""
    return f"{_DESIRED}?$version={version}"


def method(name: str, rid: str) -> str:
    """Return the topic of a call of a direct method."""
    return f"{_METHODS}{quote(name, safe='')}/?$rid={rid}"


def method_status(topic: str) -> int | None:
    """Return the status in the topic of an answer to a method call."""
    status = topic.removeprefix(METHOD_RESPONSE).partition("/")[0]
    return int(status) if re.fullmatch(r"-?\d{1,9}", status, re.ASCII) else None
