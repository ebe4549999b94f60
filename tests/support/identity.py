"""A managed identity's endpoint on loopback, as App Service has it and azure-identity finds it.

https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import uuid4

import jwt
from aiohttp import web

from support.simulator import edge_environment
from support.web import serving


@dataclass
class IdentityEndpoint:
    """Gives tokens to those who know its secret.

    Attributes:
        secret: What must be shown.
        resources: What tokens were asked for.
        tokens: Those that were given.
        refuses: Whether nobody gets one.
    """

    secret: str = field(default_factory=lambda: uuid4().hex)
    resources: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    refuses: bool = False

    @contextmanager
    def running(self) -> Iterator[None]:
        """Serve, with this process's environment saying so."""
        application = web.Application()
        application.router.add_get("/token", self._give)
        with (
            serving(application) as base,
            edge_environment({"IDENTITY_ENDPOINT": f"{base}/token", "IDENTITY_HEADER": self.secret}),
        ):
            yield

    async def _give(self, request: web.Request) -> web.Response:
        if self.refuses or request.headers.get("X-IDENTITY-HEADER") != self.secret:
            return web.json_response({"statusCode": 400, "message": "no identity"}, status=400)
        resource = request.query["resource"]
        now = int(time.time())
        claims = {"aud": resource, "iss": f"https://sts.windows.net/{uuid4()}/", "nbf": now, "iat": now}
        token = jwt.encode({**claims, "exp": now + 3600}, uuid4().hex * 2)
        self.resources.append(resource)
        self.tokens.append(token)
        about = {"expires_on": str(now + 3600), "resource": resource, "token_type": "Bearer"}
        return web.json_response({"access_token": token, **about})
