"""Files that are not what they were, or bring their decoder down."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chaos.fault import AT_ONCE, Fault
from chaos.site import Site

REWRITTEN = 20


@asynccontextmanager
async def rewritten(site: Site) -> AsyncIterator[None]:
    site.feeder.rewrite_recent(REWRITTEN)
    yield


@asynccontextmanager
async def crashing(site: Site) -> AsyncIterator[None]:
    site.feeder.write_crasher()
    yield


FAULTS = (
    Fault("files on their way overwritten", "files", rewritten, AT_ONCE),
    Fault("a file crashes its decoder", "decoder", crashing, AT_ONCE, most=2),
)
