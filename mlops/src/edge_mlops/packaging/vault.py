"""Signing keys from Azure Key Vault, by the identity that azure-identity finds.

https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret/get-secret
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

from edge_common.errors import ConfigurationError
from edge_inference.registry.entra import identity_token
from edge_inference.signing.signer import Signer, parse_key
from edge_inference.signing.trust import read_certificates

_SCOPE: Final = "https://vault.azure.net/.default"
_API: Final = {"api-version": "7.4"}


class _Secret(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True)

    value: str


def signer(key: str, chain: Path) -> Signer:
    """Who signs.

    Args:
        key: The file with the private key in PEM; or the address of the secret that holds it,
            ``https://<vault>.vault.azure.net/secrets/<name>``. That one is never on a disk.
        chain: The file with its certificates, the root last.

    Raises:
        ConfigurationError: It cannot be had, or does not fit the chain.
        AuthError: There is no identity to fetch the secret.
        SignatureInvalidError: Signatures by it would be refused, for that reason.
    """
    if "://" not in key:
        return Signer.read(Path(key), chain)
    if not key.startswith("https://"):
        raise ConfigurationError(f"{key}: a key is not fetched without TLS")
    with httpx.Client() as http:
        return Signer(parse_key(fetch(http, key, lambda: identity_token(_SCOPE)), key), read_certificates(chain))


def fetch(http: httpx.Client, secret: str, token: Callable[[], str]) -> bytes:
    """The value of a secret.

    Args:
        http: Reaches the vault.
        secret: Its address.
        token: The identity's access token for Key Vault.

    Raises:
        ConfigurationError: The vault does not give it.
    """
    try:
        response = http.get(secret, params=_API, headers={"Authorization": f"Bearer {token()}"})
        response.raise_for_status()
        return _Secret.model_validate_json(response.content).value.encode()
    except httpx.HTTPStatusError as error:
        raise ConfigurationError(f"{secret}: the vault answers {error.response.status_code}") from error
    except httpx.HTTPError as error:
        raise ConfigurationError(f"{secret}: {error}") from error
    except ValidationError:
        raise ConfigurationError(f"{secret} is no secret of a vault") from None
