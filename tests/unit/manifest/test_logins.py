"""Which image's registry is logged in to with what."""

from typing import Any

import pytest

from edge_simulator.manifest import ManifestError
from edge_simulator.manifest.logins import read_logins, registry_of
from edge_simulator.manifest.model import Login


def _agent(**credentials: Any) -> dict[str, Any]:
    return {"runtime": {"type": "docker", "settings": {"registryCredentials": credentials}}}


@pytest.mark.parametrize(
    ("image", "registry"),
    [
        ("acme.azurecr.io/edge/camera:1", "acme.azurecr.io"),
        ("localhost:5000/camera@sha256:00", "localhost:5000"),
        ("localhost/camera", "localhost"),
        ("camera:1", "docker.io"),
        ("acme/camera:1", "docker.io"),
    ],
)
def test_the_registry_of_an_image(image: str, registry: str) -> None:
    assert registry_of(image) == registry


def test_logins_are_found_by_registry() -> None:
    acme = {"address": "acme.azurecr.io", "username": "edge", "password": "secret"}
    assert read_logins(_agent(acme=acme)) == {"acme.azurecr.io": Login("edge", "secret")}


@pytest.mark.parametrize("agent", [{}, {"runtime": None}, {"runtime": {"settings": {}}}])
def test_there_may_be_none(agent: dict[str, Any]) -> None:
    assert read_logins(agent) == {}


def test_an_entry_without_a_user_is_none() -> None:
    assert read_logins(_agent(acme={"address": "acme.azurecr.io", "username": "", "password": ""})) == {}


def test_what_makes_no_sense_is_named() -> None:
    with pytest.raises(ManifestError, match=r"^runtime\.settings\.registryCredentials\.acme\.password: is 7"):
        read_logins(_agent(acme={"password": 7}))


def test_a_password_stays_out_of_what_is_printed() -> None:
    assert "secret" not in repr(Login("edge", "secret"))
