"""The registries that models may come from. Which ones is said by the deployment, never by a twin."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import httpx

from edge_inference.errors import BadDesiredError
from edge_inference.package import Descriptor
from edge_inference.registry.auth import Doorkeeper
from edge_inference.registry.credentials import Credentials, DockerConfig
from edge_inference.registry.entra import EntraExchange, identity_token
from edge_inference.registry.http import open_client
from edge_inference.registry.names import RegistryName
from edge_inference.registry.repository import Repository
from edge_inference.registry.signatures import RepositoryReferrers
from edge_inference.signing.referrers import Referrers
from edge_inference.sources import Stream


@dataclass(frozen=True)
class RegistrySource:
    """A package in a registry, found by its digest."""

    repository: Repository
    digest: str

    @property
    def referrers(self) -> Referrers:
        return RepositoryReferrers(self.repository)

    def manifest(self) -> bytes:
        return self.repository.manifest(self.digest)

    def open(self, blob: Descriptor, at: int = 0) -> Stream:
        return self.repository.open(blob, at)


class Registries:
    """Registries by name; to be closed.

    Args:
        allowed: ``<host>[:<port>]`` of each; ``http://`` in front where it speaks no TLS.
        credentials: Finds ours.
        http: Reaches them all.
    """

    def __init__(self, allowed: Iterable[str], credentials: Credentials, http: httpx.Client) -> None:
        self._http = http
        bases = [httpx.URL(name if "//" in name else f"https://{name}") for name in allowed]
        self._keepers = {base.netloc.decode(): Doorkeeper(base, credentials) for base in bases}

    @classmethod
    def connect(cls, allowed: Iterable[str], credentials: Path | None, ca: Path | None) -> Self:
        """Registries as the environment describes them.

        Args:
            allowed: As above.
            credentials: A ``config.json`` of docker's.
            ca: Certificates to trust besides the usual ones.

        Raises:
            OSError: The certificates cannot be read.
        """
        http = open_client(ca)
        return cls(allowed, EntraExchange(DockerConfig(credentials), http, identity_token), http)

    def repository(self, name: RegistryName) -> Repository:
        """A repository of an allowed registry.

        Raises:
            BadDesiredError: The registry is not allowed.
        """
        keeper = self._keepers.get(name.registry)
        if keeper is None:
            allowed = ", ".join(self._keepers) or "none"
            raise BadDesiredError(f"models may not come from {name.registry}; the deployment allows {allowed}")
        return Repository(self._http, keeper, name.repository)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()
