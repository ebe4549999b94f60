"""Messages between the wire and the routes."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_simulator.hub import messages

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def test_the_output_is_the_source() -> None:
    message = messages.telemetry("edge", "m", "%24.on=out%2Fput&a=b", b"body")
    assert message.source == "/messages/modules/m/outputs/out/put"
    assert message.properties == {"a": "b"}


def test_without_an_output_the_module_is_the_source() -> None:
    assert messages.telemetry("edge", "m", "", b"").source == "/messages/modules/m"


def test_system_properties_go_by_their_names_in_routes() -> None:
    bag = "$.mid=1&$.cid=2&$.uid=3&$.ct=application%2Fjson&$.ce=utf-8&$.ifid=4&$.exp=5&$.to=6&ack=7&$.schema=8"
    assert messages.telemetry("edge", "m", bag + "&iothub-operation=9&$.ctime=10&$.sub=11", b"").system_properties == {
        "messageId": "1",
        "cid": "2",
        "userId": "3",
        "contentType": "application/json",
        "contentEncoding": "utf-8",
        "iothub-interface-id": "4",
        "absolute-expiry-time": "5",
        "to": "6",
        "ack": "7",
        "messageSchema": "8",
        "operation": "9",
        "creationTime": "10",
        "dt-subject": "11",
        "connectionDeviceId": "edge",
        "connectionModuleId": "m",
    }


def test_a_module_cannot_say_that_it_is_another() -> None:
    message = messages.telemetry("edge", "m", "$.cmid=other&%24.cdid=other&$.other=kept", b"")
    assert message.properties == {"$.other": "kept"}
    assert messages.bag(message.properties, message.system_properties) == "%24.other=kept&%24.cdid=edge&%24.cmid=m"


def test_a_module_gets_its_own_properties_first_and_neither_output_nor_interface() -> None:
    system: dict[str, str | None] = {
        "outputName": "o",
        "iothub-interface-id": "i",
        "messageId": "1",
        "messageType": "t",
    }
    assert messages.bag({"k ey": "v/ä+"}, system) == "k%20ey=v%2F%C3%A4%2B&%24.mid=1"


@given(st.dictionaries(text.filter(lambda key: key and key[0] not in "$ai"), st.none() | text, max_size=5))
def test_properties_come_back(properties: dict[str, str | None]) -> None:
    assert messages.telemetry("edge", "m", messages.bag(properties, {}), b"").properties == properties


@given(st.text(max_size=50))
def test_any_bag_gives_a_message(bag: str) -> None:
    assert messages.telemetry("edge", "m", bag, b"").body == b""


def test_plus_is_no_space() -> None:
    assert messages.telemetry("edge", "m", "a+b=c+d", b"").properties == {"a+b": "c+d"}


def test_a_twin_change_comes_from_the_twins() -> None:
    message = messages.twin_change("edge", "m", b"{}")
    assert message.source == "/twinChangeNotifications"
    assert message.system_properties["messageType"] == "twinChangeNotification"


def test_a_value_that_is_missing_takes_nothing_out_of_the_other_count() -> None:
    message = messages.injected({"$.mid": "1", "a": "bc"}, b"12")
    properties: dict[str, str | None] = {"a": "bc"}
    assert messages.size(replace(message, properties=properties, system_properties={"messageId": None})) == 5


@pytest.mark.parametrize(
    ("bag", "body", "size"),
    [
        ("", b"12345", 5),
        ("a=bc", b"", 3),
        ("%F0%9F%98%80=x", b"", 3),
        ("a=", b"", 1),
        ("flag", b"12", 2),
        ("a=bc&flag", b"12", 2),
        ("a=bc&flag&d=ef", b"12", 5),
    ],
)
def test_the_size_counts_the_body_and_utf_16(bag: str, body: bytes, size: int) -> None:
    origin = len("connectionDeviceId" + "edge" + "connectionModuleId" + "m")
    assert messages.size(messages.telemetry("edge", "m", bag, body)) == size + origin
