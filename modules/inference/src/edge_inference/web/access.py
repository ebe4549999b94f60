"""Who may ask: whoever is on this machine, has the token, or shows a certificate."""

import hmac
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from edge_common.errors import ConfigurationError
from edge_inference.settings import InferenceEnvironment


@dataclass(frozen=True)
class Token:
    """What requests must bear.

    Attributes:
        file: Where it stands, alone; read at each use, so that it can be replaced.
    """

    file: Path

    def read(self) -> bytes:
        """The token.

        Raises:
            ConfigurationError: There is none.
        """
        try:
            token = self.file.read_bytes().strip()
        except OSError as error:
            raise ConfigurationError(f"HTTP_TOKEN_FILE: {self.file} cannot be read ({error.strerror})") from error
        if not token:
            raise ConfigurationError(f"HTTP_TOKEN_FILE: {self.file} is empty")
        return token

    def admits(self, authorization: bytes) -> bool:
        """Whether a header ``Authorization`` has it; takes as long wherever they differ.

        Raises:
            ConfigurationError: There is none any more.
        """
        scheme, _, given = authorization.partition(b" ")
        return scheme.lower() == b"bearer" and hmac.compare_digest(given.strip(), self.read())


@dataclass(frozen=True)
class Access:
    """How requests prove who they are from.

    Attributes:
        token: What they must bear.
        tls: What connections are made under; asks for certificates if clients must have one.
    """

    token: Token | None
    tls: ssl.SSLContext | None

    @classmethod
    def of(cls, environment: InferenceEnvironment) -> Self:
        """What the environment says.

        Raises:
            ConfigurationError: It would let in anybody from another machine, or names a file that is not as it should.
        """
        token = Token(environment.http_token_file) if environment.http_token_file else None
        asked = token or environment.http_client_ca or environment.http_behind_front
        if not (asked or environment.http_address.is_loopback):
            raise ConfigurationError(
                f"HTTP_ADDRESS {environment.http_address} lets in anybody: set HTTP_TOKEN_FILE, or HTTP_TLS_CERT, "
                "HTTP_TLS_KEY and HTTP_CLIENT_CA, or keep to 127.0.0.1"
            )
        if token:
            token.read()
        return cls(token, _tls(environment))


def _tls(environment: InferenceEnvironment) -> ssl.SSLContext | None:
    certificate, key, clients = environment.http_tls_cert, environment.http_tls_key, environment.http_client_ca
    if not (certificate or key or clients):
        return None
    if not (certificate and key):
        raise ConfigurationError("HTTP_TLS_CERT and HTTP_TLS_KEY go together, and HTTP_CLIENT_CA needs both")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(certificate, key)
        if clients:
            context.load_verify_locations(clients)
            context.verify_mode = ssl.CERT_REQUIRED
    except OSError as error:  # SSLError is one
        raise ConfigurationError(f"HTTP_TLS_CERT, HTTP_TLS_KEY or HTTP_CLIENT_CA cannot be used: {error}") from error
    return context
