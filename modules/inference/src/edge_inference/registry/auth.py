"""Answers a registry's challenges, and remembers the answers: one for each repository and action.

Tokens: https://distribution.github.io/distribution/spec/auth/token/ (with a login) and /spec/auth/oauth/ (with a
refresh token); Azure Container Registry does both.
"""

import base64
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Annotated, Final

import httpx
from pydantic import AliasChoices, BaseModel, Field, ValidationError

from edge_inference.errors import AuthError
from edge_inference.registry.challenges import Challenge, read_challenge
from edge_inference.registry.credentials import Credentials, Login, RefreshToken

_CLIENT_ID: Final = "edge-inference"
_EARLY: Final = 0.2
"""The part of a token's life at whose end it is not used any more."""

Flow = Generator[httpx.Request, httpx.Response, None]


class _Token(BaseModel):
    token: Annotated[str, Field(min_length=1, validation_alias=AliasChoices("token", "access_token"))]
    expires_in: float = 60.0


@dataclass(frozen=True, slots=True)
class _Grant:
    header: str = field(repr=False)
    until: float


class Doorkeeper:
    """One registry's challenges, answered.

    Args:
        base: The registry's address.
        credentials: Finds ours.
        monotonic: The clock that tokens expire by.
    """

    def __init__(
        self, base: httpx.URL, credentials: Credentials, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.base = base
        self._credentials = credentials
        self._monotonic = monotonic
        self._grants: dict[str, _Grant] = {}

    def scope(self, repository: str, actions: str) -> httpx.Auth:
        """Authentication for what is done in one repository; ``actions`` are ``pull`` or ``pull,push``."""
        return _Scope(self, f"repository:{repository}:{actions}")

    def header(self, scope: str) -> str | None:
        """What has been granted and holds still."""
        grant = self._grants.get(scope)
        return grant.header if grant and self._monotonic() < grant.until else None

    def answer(self, scope: str, challenge: Challenge) -> Generator[httpx.Request, httpx.Response, str]:
        """Answer a challenge, asking for a token where it wants one; the header to come back with.

        Raises:
            AuthError: We have no answer, or it is refused.
        """
        credentials = self._credentials(self.base.netloc.decode())
        if challenge.scheme == "bearer":
            grant = yield from self._token(scope, challenge, credentials)
        elif isinstance(credentials, Login):
            grant = _Grant(_basic(credentials), float("inf"))
        else:
            raise AuthError(f"{self.base.host} wants a user and a password, and there are none for it")
        self._grants[scope] = grant
        return grant.header

    def _token(
        self, scope: str, challenge: Challenge, credentials: Login | RefreshToken | None
    ) -> Generator[httpx.Request, httpx.Response, _Grant]:
        realm = httpx.URL(challenge.parameters.get("realm", ""))
        if realm.scheme not in {"https", self.base.scheme}:
            raise AuthError(f"{self.base.host} wants credentials sent to {realm}, which is not safe")
        asked = self._monotonic()
        response = yield _token_request(realm, challenge.parameters.get("service", ""), scope, credentials)
        if not response.is_success:
            raise AuthError(f"{realm.host} gives no token for {scope} (HTTP {response.status_code})")
        try:
            token = _Token.model_validate_json(response.read())
        except ValidationError:
            raise AuthError(f"{realm.host} gives something that is no token") from None
        return _Grant(f"Bearer {token.token}", asked + token.expires_in * (1 - _EARLY))


class _Scope(httpx.Auth):
    def __init__(self, keeper: Doorkeeper, scope: str) -> None:
        self._keeper = keeper
        self._scope = scope

    def sync_auth_flow(self, request: httpx.Request) -> Flow:
        """Send a request with what has been granted; once more, if that was too little.

        What another host answers, to which the registry redirected, is none of ours: it is never sent credentials.
        """
        if _origin(request.url) != _origin(self._keeper.base):
            yield request
            return
        if header := self._keeper.header(self._scope):
            request.headers["Authorization"] = header
        response = yield request
        ours = _origin(response.request.url) == _origin(self._keeper.base)
        challenge = read_challenge(response.headers.get_list("www-authenticate"))
        if response.status_code == httpx.codes.UNAUTHORIZED and ours and challenge:
            request.headers["Authorization"] = yield from self._keeper.answer(self._scope, challenge)
            yield request


def _token_request(
    realm: httpx.URL, service: str, scope: str, credentials: Login | RefreshToken | None
) -> httpx.Request:
    asked = {"service": service, "scope": scope, "client_id": _CLIENT_ID}
    if isinstance(credentials, RefreshToken):
        form = {**asked, "grant_type": "refresh_token", "refresh_token": credentials.token}
        return httpx.Request("POST", realm, data=form)
    headers = {"Authorization": _basic(credentials)} if credentials else {}
    return httpx.Request("GET", realm.copy_merge_params(asked), headers=headers)


def _basic(login: Login) -> str:
    return "Basic " + base64.b64encode(f"{login.username}:{login.password}".encode()).decode()


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
