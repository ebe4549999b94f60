"""A token server as registries trust one: Docker's GET with Basic, OAuth2's POST, and Azure's exchange."""

import base64
import ssl
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import jwt
from aiohttp import BasicAuth, web
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from support.tls import ServerTls
from support.web import serving

ISSUER = "test-issuer"
SERVICE = "test-registry"
REFRESH_TOKEN = "a-refresh-token"
IDENTITY_TOKEN = "an-entra-token"


@dataclass
class TokenServer:
    """Signs tokens for the user ``user`` with the password ``secret``.

    Attributes:
        signer: Whose key signs; the registry trusts the certificate.
        expires_in: Seconds, as told to the client.
        asked: The scopes that were asked for.
        identities: The Entra tokens that may be exchanged.
    """

    signer: ServerTls
    expires_in: float = 300
    asked: list[str] = field(default_factory=list)
    url: str = ""
    identities: Collection[str] = (IDENTITY_TOKEN,)

    @contextmanager
    def running(self, tls: ssl.SSLContext | None = None) -> Iterator[str]:
        application = web.Application()
        application.router.add_get("/token", self._by_login)
        application.router.add_post("/token", self._by_refresh_token)
        application.router.add_post("/oauth2/exchange", self._exchange)
        with serving(application, tls) as self.url:
            yield self.url

    async def _by_login(self, request: web.Request) -> web.Response:
        try:
            login = BasicAuth.decode(request.headers["Authorization"])
        except (KeyError, ValueError):
            return web.Response(status=401)
        if (login.login, login.password) != ("user", "secret"):
            return web.Response(status=401)
        return self._token(request.query["scope"], "token")

    async def _by_refresh_token(self, request: web.Request) -> web.Response:
        form = await request.post()
        if form.get("refresh_token") != REFRESH_TOKEN or form.get("grant_type") != "refresh_token":
            return web.Response(status=401)
        return self._token(str(form["scope"]), "access_token")

    async def _exchange(self, request: web.Request) -> web.Response:
        form = await request.post()
        if form.get("access_token") not in self.identities:
            return web.Response(status=401)
        return web.json_response({"refresh_token": REFRESH_TOKEN})

    def _token(self, scope: str, key: str) -> web.Response:
        self.asked.append(scope)
        kind, name, actions = scope.split(":")
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": ISSUER,
            "sub": "user",
            "aud": SERVICE,
            "exp": now + 300,
            "nbf": now - 10,
            "iat": now,
            "jti": str(len(self.asked)),
            "access": [{"type": kind, "name": name, "actions": actions.split(",")}],
        }
        certificate = x509.load_pem_x509_certificate(self.signer.certificate.read_bytes())
        chain = [base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()]
        signed = jwt.encode(claims, self.signer.key.read_text(), "RS256", {"x5c": chain})
        return web.json_response({key: signed, "expires_in": self.expires_in})
