"""Registries that can be reached by a proxy only, as plants have it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from edge_inference.layout import pack
from support.models import contract, write_model
from support.proxy import proxying
from support.registry import RegistryServer, running_registry
from support.tls import ServerTls

COMMAND = Path(sys.executable).with_name("edge-model")
NAME = "localhost:1"
"""The certificate is made out to the host, and nothing listens on the port."""


def run(proxies: dict[str, str], *arguments: str | Path) -> str:
    """What the command prints, in an environment with these proxies and no others."""
    ours = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    command = [COMMAND, *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60, env={**ours, **proxies})
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    """Where ``teller:1`` is packed."""
    pack(write_model(tmp_path / "files", contract()), tmp_path / "layout", "teller", "1")
    return tmp_path / "layout"


def go_round(proxies: dict[str, str], layout: Path, name: str, *options: str | Path) -> None:
    """Push a package, pull it, and look at it."""
    pushed = run(proxies, "push", *options, layout, "teller:1", f"{name}/models/teller:1")
    run(proxies, "pull", *options, pushed, layout.with_name("pulled"))
    assert pushed.partition("@")[2] in run(proxies, "inspect", *options, pushed)


def place(server: RegistryServer) -> tuple[str, int]:
    host, _, port = server.host.partition(":")
    return host, int(port)


def test_a_registry_behind_a_proxy_is_reached_by_the_environments_word(tmp_path: Path, layout: Path) -> None:
    """Nothing listens at its address: whatever comes of it came by the proxy."""
    tls = ServerTls.make(tmp_path / "tls")
    with (
        running_registry(tmp_path / "registry", tls=tls) as server,
        proxying(place(server)) as (proxy, asked),
    ):
        go_round({"HTTPS_PROXY": proxy}, layout, NAME, "--ca", tls.certificate)
    assert {*asked} == {f"CONNECT {NAME} HTTP/1.1"}


def test_a_registry_without_tls_behind_a_proxy_likewise(layout: Path, registry_server: RegistryServer) -> None:
    with proxying(place(registry_server)) as (proxy, asked):
        go_round({"HTTP_PROXY": proxy}, layout, NAME, "--plain-http")
    assert {line.split()[0] for line in asked} >= {"GET", "HEAD", "POST", "PUT"}
    assert all(line.split()[1].startswith(f"http://{NAME}/v2/") for line in asked)


@pytest.mark.parametrize(
    ("names", "asks"),
    [
        ("localhost", False),
        ("other.example,127.0.0.1, localhost", False),
        ("*", False),
        ("other.example", True),
        ("", True),
    ],
)
def test_what_no_proxy_names_is_reached_without(
    layout: Path, registry_server: RegistryServer, names: str, *, asks: bool
) -> None:
    host, port = place(registry_server)
    with proxying((host, port)) as (proxy, asked):
        go_round({"HTTP_PROXY": proxy, "NO_PROXY": names}, layout, f"localhost:{port}", "--plain-http")
    assert bool(asked) is asks
