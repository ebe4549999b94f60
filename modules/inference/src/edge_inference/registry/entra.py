"""Azure Container Registry by Microsoft Entra identity: the identity's token is exchanged for a refresh token.

https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import httpx
from pydantic import BaseModel, ValidationError

from edge_inference.errors import AuthError
from edge_inference.registry.credentials import Credentials, Login, RefreshToken

_SCOPE: Final = "https://containerregistry.azure.net/.default"
_DOMAINS: Final = (".azurecr.io", ".azurecr.cn", ".azurecr.us")


class _Exchanged(BaseModel):
    refresh_token: str


@dataclass(frozen=True)
class EntraExchange:
    """Credentials for registries of Azure's that the others have none for.

    Attributes:
        others: Asked first.
        http: Reaches the registries.
        token: The identity's access token for Azure Container Registry.
        domains: How the names of Azure's registries end.
    """

    others: Credentials
    http: httpx.Client
    token: Callable[[], str]
    domains: tuple[str, ...] = _DOMAINS

    def __call__(self, registry: str) -> Login | RefreshToken | None:
        found = self.others(registry)
        return found if found or not registry.endswith(self.domains) else self._exchange(registry)

    def _exchange(self, registry: str) -> RefreshToken:
        form = {"grant_type": "access_token", "service": registry, "access_token": self.token()}
        response = self.http.post(f"https://{registry}/oauth2/exchange", data=form)
        if not response.is_success:
            raise AuthError(f"{registry} does not take our identity (HTTP {response.status_code})")
        try:
            return RefreshToken(_Exchanged.model_validate_json(response.content).refresh_token)
        except ValidationError:
            raise AuthError(f"{registry} gives something that is no refresh token") from None


def identity_token(scope: str = _SCOPE) -> str:
    """The access token of the identity that azure-identity finds: the environment's, a managed one, ``az login``'s.

    Args:
        scope: What it is for; Azure's registries unless told.

    Raises:
        AuthError: azure-identity is not installed (extra ``acr``), or finds none.
    """
    try:
        from azure.core.exceptions import ClientAuthenticationError  # noqa: PLC0415 - heavy, and optional
        from azure.identity import DefaultAzureCredential  # noqa: PLC0415
    except ImportError:
        raise AuthError("there are no credentials, and azure-identity is not installed") from None
    try:
        with DefaultAzureCredential() as credential:
            return credential.get_token(scope).token
    except ClientAuthenticationError as error:
        raise AuthError("there are no credentials, and no Entra identity was found") from error
