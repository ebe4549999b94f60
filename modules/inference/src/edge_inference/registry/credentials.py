"""Who we are to a registry: the files that ``docker login`` writes, and that Kubernetes mounts.

https://docs.docker.com/reference/cli/docker/login/
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edge_inference.errors import AuthError


@dataclass(frozen=True, slots=True)
class Login:
    """A user's name and password, or a service principal's, or a repository-scoped token's."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """What is exchanged for access tokens."""

    token: str = field(repr=False)


class Credentials(Protocol):
    """Finds credentials, each time anew, so that they may change under way."""

    def __call__(self, registry: str) -> Login | RefreshToken | None:
        """Those for a registry; None where there are none.

        Raises:
            AuthError: They cannot be read.
        """


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    auth: str = ""
    username: str = ""
    password: str = ""
    identitytoken: str = ""


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    auths: Mapping[str, _Entry] = Field(default_factory=dict)


@dataclass(frozen=True)
class DockerConfig:
    """A ``config.json`` of docker's, or a ``.dockerconfigjson``.

    Attributes:
        path: The file; None where there is none. Credential helpers that it names are not run.
    """

    path: Path | None

    def __call__(self, registry: str) -> Login | RefreshToken | None:
        if self.path is None:
            return None
        try:
            auths = _File.model_validate_json(self.path.read_bytes()).auths
        except OSError as error:
            raise AuthError(f"the registry credentials cannot be read ({error})") from error
        except ValidationError:
            raise AuthError(f"{self.path} is no config.json of docker's") from None
        entries = [entry for key, entry in auths.items() if _host(key) == registry]
        return _read(entries[0], registry) if entries else None


def _host(key: str) -> str:
    """Keys are hosts, or addresses of hosts."""
    return urlsplit(key if "//" in key else f"//{key}").netloc


def _read(entry: _Entry, registry: str) -> Login | RefreshToken | None:
    if entry.identitytoken:
        return RefreshToken(entry.identitytoken)
    if not entry.auth:
        return Login(entry.username, entry.password) if entry.username else None
    try:
        username, colon, password = base64.b64decode(entry.auth, validate=True).decode().partition(":")
    except ValueError:
        colon = ""
    if not colon:
        raise AuthError(f"the credentials for {registry} are not base64 of user:password")
    return Login(username, password.rstrip("\0"))
