"""Where a run's results go: the cloud share, or a container in a blob store."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, Protocol, Self

from chaos.places import Share
from support.azurite import Azurite, running_azurite
from support.fault_proxy import FaultProxy

Kind = Literal["share", "container"]

MOUNTED = "/data/cloud"
"""Where upload has the folder that is its share, or holds what opens its container."""
CREDENTIALS = "credentials"


class Store(Protocol):
    """A place for results."""

    def environment(self) -> Mapping[str, str]:
        """What upload is told of it."""

    def contents(self) -> Path:
        """A folder with all that it holds."""


class CloudShare:
    """The cloud share.

    Args:
        share: As the device has it mounted.
    """

    def __init__(self, share: Share) -> None:
        self._share = share

    def environment(self) -> Mapping[str, str]:
        return {"CLOUD_DIR": MOUNTED}

    def contents(self) -> Path:
        return self._share.disk.content


class Container:
    """A container, which upload reaches through a proxy.

    Args:
        azurite: The blob store.
        proxy: In front of it.
        folder: Where its blobs are laid down at the end.
    """

    def __init__(self, azurite: Azurite, proxy: FaultProxy, folder: Path) -> None:
        self.azurite = azurite
        self.proxy = proxy
        self._folder = folder
        self._name = azurite.make_container()

    @classmethod
    @contextmanager
    def running(cls, root: Path, credentials: Path) -> Iterator[Self]:
        """An empty one, until the block ends.

        Args:
            root: The folder of the store and its copy.
            credentials: The folder that upload has mounted; what opens the container is put there.
        """
        with running_azurite(root / "azurite") as azurite:
            proxy = FaultProxy(azurite.endpoint)
            with proxy.running():
                container = cls(azurite, proxy, root / "blobs")
                (credentials / CREDENTIALS).write_text(azurite.sas(container._name, "rw"))
                yield container

    def environment(self) -> Mapping[str, str]:
        return {
            "BLOB_CONTAINER": f"{self.proxy.address}/{self._name}",
            "BLOB_CREDENTIALS": f"{MOUNTED}/{CREDENTIALS}",
        }

    def contents(self) -> Path:
        self.azurite.download(self._name, self._folder)
        return self._folder


@contextmanager
def running(kind: Kind, root: Path, cloud: Share) -> Iterator[Store]:
    """A store of a kind, until the block ends."""
    if kind == "share":
        yield CloudShare(cloud)
        return
    with Container.running(root, cloud.disk.content) as container:
        yield container
