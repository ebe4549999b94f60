"""Topic names and filters."""

import pytest

from edge_simulator.mqtt.topics import is_filter, is_name


@pytest.mark.parametrize("text", ["a", "/", "a/b", "$iothub/twin/GET/?$rid=1", " "])
def test_names(text: str) -> None:
    assert is_name(text)
    assert is_filter(text)


@pytest.mark.parametrize("text", ["#", "+", "+/+", "a/#", "/#", "+/b/+", "$iothub/twin/res/#"])
def test_filters_that_are_no_names(text: str) -> None:
    assert is_filter(text)
    assert not is_name(text)


@pytest.mark.parametrize("text", ["", "a#", "#/a", "a/#/b", "a+", "+a/b", "a/b+/c", "##"])
def test_neither(text: str) -> None:
    assert not is_filter(text)
    assert not is_name(text)
