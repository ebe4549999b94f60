"""Shared access signatures, as IoT Hub documents them in "Control access to IoT Hub by using SAS tokens"."""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import unquote

CLOCK_SKEW_S: Final = 300
_SCHEME: Final = "SharedAccessSignature "


@dataclass(frozen=True, slots=True)
class SasToken:
    """A token as it came: `audience` and `expiry` are signed in the form in which they stand there."""

    audience: str
    signature: str
    expiry: str
    policy: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a token; what is missing is empty, and so is all of what is no token."""
        parts = text.removeprefix(_SCHEME).split("&") if text.startswith(_SCHEME) else []
        fields = {name: value for name, _, value in (part.partition("=") for part in parts)}
        return cls(fields.get("sr", ""), fields.get("sig", ""), fields.get("se", ""), unquote(fields.get("skn", "")))

    @property
    def resource(self) -> tuple[str, str]:
        """The audience's host, in lower case, and the path below it."""
        host, _, path = unquote(self.audience).partition("/")
        return host.lower(), path

    def is_signed_with(self, key: bytes) -> bool:
        """Say whether whoever made the token had this key."""
        expected = hmac.digest(key, f"{self.audience}\n{self.expiry}".encode(), hashlib.sha256)
        return hmac.compare_digest(_decode(unquote(self.signature)), expected)

    def has_expired(self, now: float) -> bool:
        """Say whether the token's time, in seconds since the epoch, is over."""
        return self.until < now

    @property
    def until(self) -> int:
        """When it is over, in seconds since the epoch; clocks may differ a little."""
        return int(self.expiry) + CLOCK_SKEW_S if self.expiry.isdecimal() else 0


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
