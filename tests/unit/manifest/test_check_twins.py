from pathlib import Path
from typing import Any

import pytest

from support.manifests import (
    MODULES,
    deployment,
    desired,
    found,
    module,
    options,
)

SECRET_VALUES = [
    "HostName=h;DeviceId=d;SharedAccessKey=aaaa",
    "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=aaaa",
    "SharedAccessSignature sr=h&sig=a&se=1",
    "https://account.test/container?sv=1&sig=aaaa",
    "-----BEGIN RSA PRIVATE KEY-----",
    "eyJhbGciOiJI.eyJzdWIiOiIx.sig",
    "https://user:pass@registry.test/",
]
SECRET_NAMES = [
    "PASSWORD",
    "dbPassword",
    "API_KEY",
    "accessKey",
    "CONNECTION_STRING",
    "clientSecret",
    "SAS",
    "auth-token",
]
HARMLESS = [
    ("PASSWORD_FILE", "/run/secrets/password"),
    ("PASSWORD", "/run/secrets/password"),
    ("PASSWORD", ""),
    ("API_KEY", "${API_KEY}"),
    ("KEY_PREFIX", "abc"),
    ("TOKEN_LIFETIME", "5m"),
    ("SECRETS_DIR", "secrets"),
    ("MONKEY", "george"),
    ("REGISTRY", "https://registry.test/v2"),
]


SECRETS = [*(("N", value) for value in SECRET_VALUES), *((name, "s3cr3t") for name in SECRET_NAMES)]


@pytest.mark.parametrize(("name", "value"), SECRETS)
def test_secrets(tmp_path: Path, name: str, value: str) -> None:
    assert found(deployment(camera=module(env={name: {"value": value}})), tmp_path) == [
        ("secrets", f"{MODULES}.camera.env.{name}.value")
    ]
    assert found(options(deployment(), {"Env": [f"{name}={value}"]}), tmp_path) == [
        ("secrets", f"{MODULES}.camera.settings.createOptions.Env.{name}")
    ]
    document = deployment()
    desired(document, "camera")["sink"] = {name: value, "list": [{name: value}]}
    section = "modulesContent.camera.properties.desired.sink"
    assert found(document, tmp_path) == [("secrets", f"{section}.{name}"), ("secrets", f"{section}.list[0].{name}")]


@pytest.mark.parametrize(("name", "value"), HARMLESS)
def test_what_is_no_secret(tmp_path: Path, name: str, value: str) -> None:
    document = deployment(camera=module(env={name: {"value": value}}))
    assert "secrets" not in [rule for rule, _ in found(document, tmp_path)]


def test_registry_credentials_are_where_passwords_go(tmp_path: Path) -> None:
    document = deployment()
    credentials = {"r": {"address": "registry.test", "username": "u", "password": "s3cr3t"}}
    desired(document, "$edgeAgent")["runtime"]["settings"]["registryCredentials"] = credentials
    assert found(document, tmp_path) == []


def nested(depth: int) -> dict[str, Any]:
    return {"a": nested(depth - 1)} if depth else {}


@pytest.mark.parametrize(
    "twin",
    [
        {"a": "x" * 4097},
        {str(n): "x" * 4000 for n in range(9)},
        nested(11),
        {"a.b": 1},
        {"a b": 1},
        {"$a": 1},
        {"a": [None]},
        {"a": 2**60},
    ],
)
def test_twins_over_the_limits(tmp_path: Path, twin: dict[str, Any]) -> None:
    document = deployment()
    desired(document, "camera").update(twin)
    assert found(document, tmp_path) == [("twin-limits", "modulesContent.camera.properties.desired")]


def test_the_limits_hold_for_the_agents_twin_as_it_is_stored(tmp_path: Path) -> None:
    assert found(options(deployment(), {"Labels": {"a.b": nested(20)}}), tmp_path) == []
    many = deployment(**{f"m{n}": module(env={"A": {"value": "x" * 1000}}) for n in range(40)})
    assert found(many, tmp_path) == [("twin-limits", "modulesContent.$edgeAgent.properties.desired")]
