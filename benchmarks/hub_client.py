"""A client under load, a process of its own, connected by its environment: ``hub_client.py ACTION COUNT [TOPIC]``.

send     azure-iot-device sends messages to its output, or to TOPIC
receive  azure-iot-device waits for messages
fill     a bare MQTT client, which is quicker, sends messages

Once connected it prints ``ready`` and waits for a line; at the end it prints when it began and ended, in monotonic
seconds of this machine.
"""

import asyncio
import os
import ssl
import sys
import time
from typing import Any, Final

from azure.iot.device import Message
from azure.iot.device.aio import IoTHubModuleClient
from azure.iot.device.common.auth.sastoken import RenewableSasToken
from azure.iot.device.common.auth.signing_mechanism import SymmetricKeySigningMechanism
from azure.iot.device.iothub.pipeline import mqtt_topic_iothub
from paho.mqtt import client as mqtt

BODY: Final = bytes(1024)
_AT_ONCE: Final = 100
_BATCH: Final = 1000


async def send(client: Any, count: int) -> float:
    """Send messages, up to a hundred at once, until each is acknowledged; return when it began."""
    await asyncio.to_thread(_wait_for_a_line)
    began, numbers = time.monotonic(), iter(range(count))

    async def send_some() -> None:
        for _ in numbers:
            await client.send_message_to_output(Message(BODY), "out")

    async with asyncio.TaskGroup() as group:
        for _ in range(_AT_ONCE):
            group.create_task(send_some())
    return began


async def receive(client: Any, count: int) -> float:
    """Subscribe, and wait for messages; return when that began."""
    loop, missing, done = asyncio.get_running_loop(), count, asyncio.Event()

    def on_message(_: Message) -> None:
        nonlocal missing
        missing -= 1
        if not missing:
            loop.call_soon_threadsafe(done.set)

    client.on_message_received = on_message
    await asyncio.to_thread(_wait_for_a_line)
    began = time.monotonic()
    await done.wait()
    return began


async def with_the_sdk(action: str, count: int, topic: str | None) -> None:
    """Connect, send or receive, and disconnect."""
    if topic is not None:
        mqtt_topic_iothub.get_telemetry_topic_for_publish = lambda device_id, module_id: topic  # noqa: ARG005 (the SDK's)
    client = IoTHubModuleClient.create_from_edge_environment()
    try:
        await client.connect()
        began = await {"send": send, "receive": receive}[action](client, count)
        print(began, time.monotonic(), flush=True)
    finally:
        await client.shutdown()


def fill(count: int) -> None:
    """Send messages without the SDK, and wait until each is acknowledged."""
    parts = dict(part.split("=", 1) for part in os.environ["EdgeHubConnectionString"].split(";"))
    host, device, module = parts["HostName"], parts["DeviceId"], parts["ModuleId"]
    key = SymmetricKeySigningMechanism(parts["SharedAccessKey"])
    client = mqtt.Client(f"{device}/{module}", clean_session=False)
    client.username_pw_set(
        f"{host}/{device}/{module}/?api-version=2019-10-01",
        str(RenewableSasToken(f"{host}/devices/{device}/modules/{module}", key)),
    )
    client.tls_set_context(ssl.create_default_context(cafile=os.environ["EdgeModuleCACertificateFile"]))
    client.max_inflight_messages_set(_BATCH)
    client.connect(parts["GatewayHostName"], 8883)
    client.loop_start()
    _wait_for_a_line()
    began = time.monotonic()
    for _ in range(count // _BATCH):
        for sent in [
            client.publish(f"devices/{device}/modules/{module}/messages/events/", BODY, qos=1) for _ in range(_BATCH)
        ]:
            sent.wait_for_publish()
    print(began, time.monotonic(), flush=True)
    client.disconnect()
    client.loop_stop()


def _wait_for_a_line() -> None:
    print("ready", flush=True)
    sys.stdin.readline()


def main(action: str, count: str, topic: str | None = None) -> None:
    """Do what the command line says."""
    if action == "fill":
        fill(int(count))
    else:
        asyncio.run(with_the_sdk(action, int(count), topic))


if __name__ == "__main__":
    main(*sys.argv[1:])
