"""Who may use the service API: whoever has the key of its one policy."""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from typing import Final

from edge_simulator.sas import SasToken
from edge_simulator.service.errors import ServiceError

POLICY: Final = "iothubowner"


@dataclass(frozen=True, slots=True)
class Access:
    """The policy's key, and the host (with its port) that tokens are for."""

    host: str
    key: bytes

    @classmethod
    def derive(cls, host: str, secret: bytes) -> "Access":
        """Return the access whose key follows from a secret."""
        return cls(host, hmac.digest(secret, b"policy\0" + POLICY.encode(), hashlib.sha256))

    @property
    def connection_string(self) -> str:
        """What the SDK's `from_connection_string` takes."""
        key = base64.b64encode(self.key).decode()
        return f"HostName={self.host};SharedAccessKeyName={POLICY};SharedAccessKey={key}"

    def check(self, authorization: str, now: float) -> None:
        """Check a request's token; `now` in seconds since the epoch.

        Raises:
            ServiceError: it is not this policy's.
        """
        token = SasToken.parse(authorization)
        if token.policy != POLICY or token.resource[0] != self.host:
            raise _unauthorized(f"the token is not for policy {POLICY} at {self.host}")
        if not token.is_signed_with(self.key):
            raise _unauthorized("the token is not signed with the policy's key")
        if token.has_expired(now):
            raise _unauthorized("the token has expired")


def _unauthorized(reason: str) -> ServiceError:
    return ServiceError(401, "IotHubUnauthorizedAccess", reason)
