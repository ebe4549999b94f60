"""Shares that go away, refuse, or are full."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from chaos.deployment import OUTAGE_S
from chaos.fault import Fault
from chaos.places import Share
from chaos.site import Site

ShareOf = Callable[[Site], Share]
Strike = Callable[[Site], AbstractAsyncContextManager[None]]


def read_only(share_of: ShareOf) -> Strike:
    return lambda site: share_of(site).read_only()


def missing(share_of: ShareOf) -> Strike:
    return lambda site: share_of(site).missing()


def unmounted(share_of: ShareOf) -> Strike:
    return lambda site: share_of(site).unmounted()


def forbidden(share_of: ShareOf) -> Strike:
    @asynccontextmanager
    async def strike(site: Site) -> AsyncIterator[None]:
        with share_of(site).disk.forbidden():
            yield

    return strike


@asynccontextmanager
async def cloud_full(site: Site) -> AsyncIterator[None]:
    with site.disks.cloud.disk.full():
        yield


def _local(site: Site) -> Share:
    return site.disks.share


def _cloud(site: Site) -> Share:
    return site.disks.cloud


LOCAL = (
    Fault("local share read-only", "share", read_only(_local)),
    Fault("local share not there", "share", missing(_local)),
    Fault("local share not mounted", "share", unmounted(_local)),
    Fault("local share denies permission", "share", forbidden(_local)),
)

CLOUD = (
    Fault("cloud share read-only", "cloud", read_only(_cloud)),
    Fault("cloud share not there", "cloud", missing(_cloud)),
    Fault("cloud share not mounted", "cloud", unmounted(_cloud)),
    Fault("cloud share away for long", "cloud", missing(_cloud), OUTAGE_S),
    Fault("cloud share denies permission", "cloud", forbidden(_cloud)),
    Fault("cloud share full", "cloud", cloud_full),
)
