"""Who may use the service API."""

import base64
import hashlib
import hmac
from urllib.parse import quote

import pytest

from edge_simulator.service.access import Access
from edge_simulator.service.errors import ServiceError

HOST = "127.0.0.2:8443"
NOW = 1_000_000
ACCESS = Access.derive(HOST, b"a secret")


def _token(*, host: str = HOST, key: bytes = ACCESS.key, expiry: object = NOW + 60, policy: str = "iothubowner") -> str:
    audience = quote(host, safe="")
    signature = base64.b64encode(hmac.digest(key, f"{audience}\n{expiry}".encode(), hashlib.sha256)).decode()
    return f"SharedAccessSignature sr={audience}&sig={quote(signature)}&se={expiry}&skn={policy}"


def test_the_key_admits() -> None:
    ACCESS.check(_token(), NOW)
    key = base64.b64encode(ACCESS.key).decode()
    assert ACCESS.connection_string == f"HostName={HOST};SharedAccessKeyName=iothubowner;SharedAccessKey={key}"


@pytest.mark.parametrize(
    ("token", "problem"),
    [
        ("", "not for policy"),
        ("Bearer x", "not for policy"),
        (_token(host="elsewhere"), "not for policy"),
        (_token(policy="service"), "not for policy"),
        (_token(key=b"another"), "not signed"),
        (_token().replace("sig=", "sig=ä"), "not signed"),
        (_token(expiry=NOW - 301), "expired"),
        (_token(expiry="never"), "expired"),
    ],
)
def test_nothing_else_does(token: str, problem: str) -> None:
    with pytest.raises(ServiceError, match=problem) as refused:
        ACCESS.check(token, NOW)
    assert (refused.value.status, refused.value.code) == (401, "IotHubUnauthorizedAccess")
