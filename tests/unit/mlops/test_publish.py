"""What ``publish`` and ``register`` do with the services of a cloud: signing keys in a vault, a workspace's models."""

import json
import os
import ssl
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest

from edge_common.errors import ConfigurationError
from edge_inference.layout import pack
from edge_mlops.errors import RunError
from edge_mlops.packaging.numbering import rival
from edge_mlops.packaging.registering import Registration, register
from edge_mlops.packaging.vault import fetch, signer
from support.azureml import Cloud
from support.identity import IdentityEndpoint
from support.models import contract, write_model
from support.signers import LEAF
from support.tls import ServerTls

PATH = "azureml://datastores/store/paths/layout"
LINEAGE = {
    "run": "0123456789abcdef",
    "against": None,
    "ingredients": {
        "dataset": "pets:1",
        "data": "d" * 64,
        "wish": {"input": contract().input.model_dump(by_alias=True)},
        "recipe": {"estimator": "linear", "seed": 0},
        "code": "c" * 64,
        "environment": {"python": "3.11.7"},
    },
}


class Shelf:
    """A catalog in memory."""

    def __init__(self) -> None:
        self.entries: dict[tuple[str, str], Registration] = {}

    def tags(self, name: str, version: str) -> Mapping[str, str] | None:
        there = self.entries.get((name, version))
        return there.tags if there else None

    def enter(self, registration: Registration) -> None:
        self.entries[registration.name, registration.version] = registration


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    return tmp_path / "layout"


def packed(layout: Path, lineage: str = json.dumps(LINEAGE)) -> str:
    """Version 2 of a model; what publishing it printed."""
    files = write_model(layout.parent / f"files-{len(lineage)}", contract())
    if lineage:
        (files / "lineage.json").write_text(lineage)
    return f"registry.example/models/pets@{pack(files, layout, 'pets', '2').partition('@')[2]}"


def test_what_is_registered_leads_to_what_was_published(layout: Path) -> None:
    shelf, published = Shelf(), packed(layout)
    for _ in range(2):
        assert register(shelf, layout, published, PATH) == "pets:2"
    ((name, entry),) = shelf.entries.items()
    assert (name, entry.path) == (("pets", "2"), PATH)
    assert entry.tags == {
        "reference": published,
        "digest": published.partition("@")[2],
        "run": "0123456789abcdef",
        "dataset": "pets:1",
        "data": "d" * 64,
        "code": "c" * 64,
    }


def test_a_version_is_never_registered_as_something_else(layout: Path) -> None:
    shelf, published = Shelf(), packed(layout)
    register(shelf, layout, published, PATH)
    other = packed(layout, json.dumps(LINEAGE, indent=2))
    with pytest.raises(RunError, match="pets:2 is registered, with digest"):
        register(shelf, layout, other, PATH)
    with pytest.raises(RunError, match="has no tag"):
        register(shelf, layout, published, PATH)  # the tag has moved to the other
    with pytest.raises(RunError, match="not made by edge-mlops package"):
        register(shelf, layout, packed(layout, ""), PATH)


def test_a_workspace_that_refuses_is_told_in_a_sentence(layout: Path, tmp_path: Path) -> None:
    published, tls = packed(layout), ServerTls.make(tmp_path / "tls")
    with Cloud(refuses=True).running(tls.context()) as azure, IdentityEndpoint().running():
        command = [sys.executable, "-m", "edge_mlops", "register", str(layout), published, "--path", PATH]
        workspace = ["--subscription", "0" * 8, "--resource-group", "plant", "--workspace", "lab"]
        trust = {"REQUESTS_CA_BUNDLE": str(tls.certificate), "AZUREML_DEV_URL_MFE": azure}
        done = subprocess.run(
            [*command, *workspace], env={**os.environ, **trust}, capture_output=True, text=True, check=False
        )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "AuthorizationFailed" in done.stderr
    assert "docs/mlops.md says what the identity must be allowed to" in done.stderr


def client(tls: ServerTls) -> httpx.Client:
    return httpx.Client(verify=ssl.create_default_context(cafile=tls.certificate))


def test_a_key_comes_from_a_vault(tmp_path: Path) -> None:
    key, chain = LEAF.write(tmp_path)
    cloud, tls = Cloud(secret=key.read_text()), ServerTls.make(tmp_path / "tls")
    with cloud.running(tls.context()) as vault, client(tls) as http:
        assert fetch(http, f"{vault}/secrets/signer", lambda: "a-token") == key.read_bytes()
        with pytest.raises(ConfigurationError, match="the vault answers 404"):
            fetch(http, f"{vault}/secrets/other", lambda: "a-token")
    with pytest.raises(ConfigurationError, match="not fetched without TLS"):
        signer("http://127.0.0.1/secrets/signer", chain)
    assert signer(str(key), chain).chain[0] == LEAF.certificate


def test_a_name_alone_is_its_latest_version(layout: Path) -> None:
    assert rival(layout, "pets") is None
    packed(layout)
    assert rival(layout, "pets") == (layout, "pets:2")
    assert rival(layout, "pets:1") == (layout, "pets:1")
    assert rival(layout, "cats") is None
