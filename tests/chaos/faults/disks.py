"""Disks that fill up under the modules' own states."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from chaos.fault import Fault
from chaos.places import Disk
from chaos.site import Site


def full(disk_of: Callable[[Site], Disk]) -> Callable[[Site], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def strike(site: Site) -> AsyncIterator[None]:
        with disk_of(site).full():
            yield

    return strike


FAULTS = (
    Fault("ledger's disk full", "ledger", full(lambda site: site.disks.ledger)),
    Fault("spool's disk full", "spool", full(lambda site: site.disks.spool)),
    Fault("tensor store full", "tensors", full(lambda site: site.disks.tensors)),
)
