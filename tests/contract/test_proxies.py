"""Registries that can be reached by a proxy only, as plants have it."""

import os
import subprocess
import sys
from pathlib import Path

from edge_inference.layout import pack
from support.models import contract, write_model
from support.proxy import tunnelling
from support.registry import running_registry
from support.tls import ServerTls

COMMAND = Path(sys.executable).with_name("edge-model")
NAME = "localhost:1"
"""The certificate is made out to the host, and nothing listens on the port."""


def test_a_registry_behind_a_proxy_is_reached_by_the_environments_word(tmp_path: Path) -> None:
    """Nothing listens at its address: whatever comes of it came by the proxy."""
    tls = ServerTls.make(tmp_path / "tls")
    pack(write_model(tmp_path / "files", contract()), tmp_path / "layout", "teller", "1")
    with running_registry(tmp_path / "registry", tls=tls) as server:
        host, _, port = server.host.partition(":")
        with tunnelling((host, int(port))) as (proxy, asked):
            environment = {**os.environ, "HTTPS_PROXY": proxy, "NO_PROXY": "", "no_proxy": ""}

            def run(*arguments: str | Path) -> str:
                command = [COMMAND, arguments[0], "--ca", tls.certificate, *arguments[1:]]
                done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60, env=environment)
                assert done.returncode == 0, done.stderr
                return done.stdout.strip()

            pushed = run("push", tmp_path / "layout", "teller:1", f"{NAME}/models/teller:1")
            run("pull", pushed, tmp_path / "pulled")
            assert pushed.partition("@")[2] in run("inspect", pushed)
    assert {*asked} == {f"CONNECT {NAME} HTTP/1.1"}
