from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_simulator.manifest import ManifestError, Mount
from edge_simulator.manifest.options import join, parse, split

VALUES = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text(), max_size=5)


@given(st.dictionaries(st.text(), VALUES, max_size=20))
def test_chunks_are_short_and_join_to_the_same_options(options: dict[str, Any]) -> None:
    chunks = split(options)
    assert all(len(chunk) <= 512 for chunk in chunks.values())
    assert join({"image": "i", **chunks}) == options


def test_the_names_of_chunks() -> None:
    assert list(split({"Labels": {"l": "x" * 1100}})) == ["createOptions", "createOptions01", "createOptions02"]
    assert split({"Env": ["a=b"], "Cmd": None}) == {"createOptions": '{"Env":["a=b"],"Cmd":null}'}


def test_more_than_nine_chunks_join_in_order() -> None:
    options = {"Labels": {str(n): "y" * 100 for n in range(60)}}
    chunks = split(options)
    assert len(chunks) > 10
    assert join(dict(sorted(chunks.items(), reverse=True))) == options


@pytest.mark.parametrize("empty", ["", "  ", "null", "{}", None, {}])
def test_no_options(empty: Any) -> None:
    assert join({"createOptions": empty}) == join({}) == {}


@pytest.mark.parametrize("name", ["createOptions", "createoptions", "CreateOptions"])
def test_an_object_and_a_name_in_another_case(name: str) -> None:
    assert join({name: {"Env": []}}) == join({name: '{"Env":[]}'}) == {"Env": []}


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"createOptions01": "{}"}, "createOptions is missing before createOptions01"),
        ({"createOptions": "{", "createOptions02": "}"}, "createOptions01 is missing before createOptions02"),
        ({"createOptions": "{", "createOptions1": "}"}, "createOptions01 is missing"),
        ({"createOptions": "{", "createOptions01": 5}, "createOptions01 must be a string"),
        ({"createOptions": 5}, "must be a string"),
        ({"createOptions": "{"}, "no JSON"),
        ({"createOptions": "[]"}, "must be a JSON object"),
        ({"createOptions": "[" * 100_000}, "no JSON"),
    ],
)
def test_what_does_not_join(settings: dict[str, Any], match: str) -> None:
    with pytest.raises(ManifestError, match=match):
        join(settings)


def test_what_matters_without_docker() -> None:
    raw = {
        "Env": ["A=1", "B=x=y", "C="],
        "Entrypoint": "program",
        "Cmd": ["--flag"],
        "WorkingDir": "/work",
        "HostConfig": {
            "Binds": ["/on/host:/in/module:ro,z", "named:/volume", "./here:/there"],
            "Mounts": [
                {"Type": "volume", "Source": "tensors", "Target": "/tensors", "ReadOnly": True},
                {"Type": "tmpfs", "Target": "/scratch"},
                {"Source": "plain", "Target": "/plain"},
            ],
            "Tmpfs": {"/memory": "size=64m"},
        },
        "Labels": {"kept": "raw"},
    }
    options = parse(raw)
    assert options.env == {"A": "1", "B": "x=y", "C": ""}
    assert (options.entrypoint, options.cmd, options.working_dir) == (("program",), ("--flag",), "/work")
    assert options.binds == [
        Mount("/on/host", "/in/module", "bind", read_only=True),
        Mount("named", "/volume", "volume", read_only=False),
        Mount("./here", "/there", "bind", read_only=False),
    ]
    assert options.mounts == [
        Mount("tensors", "/tensors", "volume", read_only=True),
        Mount("", "/scratch", "tmpfs", read_only=False),
        Mount("plain", "/plain", "volume", read_only=False),
    ]
    assert options.tmpfs == {"/memory": "size=64m"}
    assert options.raw is raw


def test_nulls_are_absent() -> None:
    raw: dict[str, Any] = {
        "Env": None,
        "Cmd": None,
        "Entrypoint": None,
        "WorkingDir": None,
        "HostConfig": {"Binds": None, "Mounts": None},
    }
    options = parse(raw)
    assert (options.env, options.cmd, options.entrypoint, options.binds, options.mounts) == ({}, None, None, [], [])
    assert parse({"HostConfig": None}).tmpfs == {}


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        ({"Env": {"A": "1"}}, "createOptions.Env"),
        ({"Env": [1]}, r"createOptions.Env\[0\]"),
        ({"Cmd": [1]}, r"createOptions.Cmd\[0\]"),
        ({"Cmd": 1}, "createOptions.Cmd"),
        ({"HostConfig": []}, "createOptions.HostConfig"),
        ({"HostConfig": {"Binds": "/a:/b"}}, "createOptions.HostConfig.Binds"),
        ({"HostConfig": {"Binds": ["/a"]}}, "createOptions.HostConfig.Binds"),
        ({"HostConfig": {"Mounts": [{"Source": "a"}]}}, r"createOptions.HostConfig.Mounts\[0\].Target"),
        ({"HostConfig": {"Mounts": [{"Target": "/a", "Type": "npipe"}]}}, r"Mounts\[0\].Type"),
        ({"HostConfig": {"Tmpfs": ["/memory"]}}, "createOptions.HostConfig.Tmpfs"),
        ({"HostConfig": {"Memory": "1g"}}, "createOptions.HostConfig.Memory"),
        ({"HostConfig": {"PortBindings": {"80/tcp": [{"HostPort": 80}]}}}, r"PortBindings.80/tcp\[0\].HostPort"),
    ],
)
def test_options_that_docker_would_not_take(raw: dict[str, Any], path: str) -> None:
    with pytest.raises(ManifestError, match=path):
        parse(raw)
