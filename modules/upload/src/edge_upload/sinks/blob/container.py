"""The way to a container, with credentials that may change."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiohttp import ClientSession, DummyCookieJar
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.pipeline.transport import AioHttpTransport
from azure.storage import blob as sync
from azure.storage.blob.aio import ContainerClient

from edge_upload.sinks.blob.credentials import Credential, Secret, SecretFile, identity

CONNECT_S: Final = 15.0
CHUNK: Final = 4 << 20


@dataclass(frozen=True, slots=True)
class Place:
    """Where a container is.

    Attributes:
        url: Of the container, without a SAS.
        api_version: That the store speaks; None for the SDK's own.
        ca: Certificates to trust instead of the usual ones, in PEM; None for those.
    """

    url: str
    api_version: str | None = None
    ca: Path | None = None

    def check(self) -> None:
        """See whether the SDK takes it; nothing is connected.

        Raises:
            ValueError: It does not; the message says why.
        """
        sync.ContainerClient.from_container_url(self.url, api_version=self.api_version).close()


class Container:
    """Gives clients of one container.

    Args:
        place: Where it is.
        secret: The mounted credentials; None for the machine's identity.
        patience_s: How long the store may be silent.

    Attributes:
        patience_s: As above.
    """

    def __init__(self, place: Place, secret: SecretFile | None, patience_s: float) -> None:
        self.patience_s = patience_s
        self._place = place
        self._file = secret
        self._secret: Secret | None = None
        self._session: ClientSession | None = None
        self._client: ContainerClient | None = None
        self._identity: AsyncTokenCredential | None = None

    async def client(self) -> ContainerClient:
        """A client with the credentials of now.

        Raises:
            SinkDeniedError: There are none.
            ConfigurationError: azure-identity is needed, and is not installed.
        """
        secret = await asyncio.to_thread(self._file.read) if self._file else None
        if self._client is None or secret != self._secret:
            self._client = self._connect(secret.credential() if secret else self._identify())
            self._secret = secret
        return self._client

    async def close(self) -> None:
        """Close every connection."""
        if self._client:
            await self._client.close()
        if self._session:
            await self._session.close()
        if self._identity:
            await self._identity.close()

    def _identify(self) -> Credential:
        self._identity = identity()
        return self._identity

    def _connect(self, credential: Credential) -> ContainerClient:
        """Clients share one session, so that one with new credentials breaks nothing that is under way."""
        self._session = self._session or ClientSession(
            trust_env=True, auto_decompress=False, cookie_jar=DummyCookieJar()
        )
        transport = AioHttpTransport(
            session=self._session,
            session_owner=False,
            connection_timeout=CONNECT_S,
            read_timeout=self.patience_s,
            connection_verify=str(self._place.ca) if self._place.ca else True,
        )
        return ContainerClient.from_container_url(
            self._place.url,
            credential,
            api_version=self._place.api_version,
            transport=transport,
            retry_total=0,  # who asks knows better whether to try again, and when
            max_single_get_size=CHUNK,
            max_chunk_get_size=CHUNK,
        )
