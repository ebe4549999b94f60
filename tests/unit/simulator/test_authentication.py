"""Who may connect as which module."""

from dataclasses import replace

import pytest

from edge_simulator.hub.authentication import Proof, authenticate
from edge_simulator.identity import Device
from edge_simulator.mqtt.connection import RefusedError
from edge_simulator.mqtt.packets import Connect, ReturnCode
from edge_simulator.sas import CLOCK_SKEW_S
from support.mqtt import token

NOW = 1_000_000.0
DEVICE = Device("127.0.0.2", b"a secret", hub_host="Hub.azure-devices.net")
VERSION = "?api-version=2019-10-01&DeviceClientType=x%2F1"
GOOD = Connect(
    "edge/m",
    username=f"Hub.azure-devices.net/edge/m/{VERSION}",
    password=token(DEVICE, "m", NOW + 60).encode(),
)

PROOF = Proof("m", int(NOW) + 60 + CLOCK_SKEW_S)


def _code(packet: Connect) -> ReturnCode:
    with pytest.raises(RefusedError) as refusal:
        authenticate(packet, DEVICE, NOW)
    return refusal.value.code


@pytest.mark.parametrize(
    "username",
    [
        f"Hub.azure-devices.net/edge/m/{VERSION}",
        f"hub.azure-devices.net/edge/m/{VERSION}",
        "Hub.azure-devices.net/edge/m/api-version=2018-06-30/DeviceClientType=x",
        f"127.0.0.2/edge/m/{VERSION}",
    ],
)
def test_the_forms_of_a_user_name(username: str) -> None:
    assert authenticate(replace(GOOD, username=username), DEVICE, NOW) == PROOF


@pytest.mark.parametrize("username", [None, "", "m", "Hub.azure-devices.net/edge/m", f"h/edge/{VERSION}", "a/b/c/d/e"])
def test_user_names_that_name_no_module(username: str | None) -> None:
    assert _code(replace(GOOD, username=username)) == ReturnCode.BAD_USERNAME_OR_PASSWORD


@pytest.mark.parametrize("client_id", ["", "m", "edge/other", "device/m"])
def test_the_client_id_must_be_the_modules(client_id: str) -> None:
    assert _code(replace(GOOD, client_id=client_id)) == ReturnCode.IDENTIFIER_REJECTED


def test_another_hub_is_refused() -> None:
    assert _code(replace(GOOD, username=f"other.azure-devices.net/edge/m/{VERSION}")) == ReturnCode.NOT_AUTHORIZED


def test_a_token_may_be_for_the_gateway() -> None:
    there = token(replace(DEVICE, hub_host="127.0.0.2"), "m", NOW + 60)
    assert authenticate(replace(GOOD, password=there.encode()), DEVICE, NOW) == PROOF


@pytest.mark.parametrize(
    "password",
    [
        None,
        b"",
        b"\xff\xfe",
        b"SharedAccessSignature ",
        b"SharedAccessSignature sr=&sig=&se=",
        token(DEVICE, "other", NOW + 60).encode(),
        token(replace(DEVICE, secret=b"another"), "m", NOW + 60).encode(),
        token(replace(DEVICE, device_id="device"), "m", NOW + 60).encode(),
        token(DEVICE, "m", NOW + 60).replace("sig=", "sig=%20").encode(),
        token(DEVICE, "m", NOW + 60).replace("&se=", "&se=9").encode(),
        token(DEVICE, "m", NOW - CLOCK_SKEW_S - 1).encode(),
    ],
)
def test_tokens_that_prove_nothing(password: bytes | None) -> None:
    assert _code(replace(GOOD, password=password)) == ReturnCode.NOT_AUTHORIZED


def test_clocks_may_differ_a_little() -> None:
    late = token(DEVICE, "m", NOW - CLOCK_SKEW_S).encode()
    assert authenticate(replace(GOOD, password=late), DEVICE, NOW) == Proof("m", int(NOW))
