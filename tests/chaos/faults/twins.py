"""Settings that are edited while everything runs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chaos.deployment import OUTAGE_S
from chaos.fault import AT_ONCE, Fault
from chaos.site import Site

TIGHT = 1 << 16
ROOMY = 1 << 30


@asynccontextmanager
async def spool_full(site: Site) -> AsyncIterator[None]:
    await site.edit_twin("upload", {"spoolBudgetBytes": TIGHT, "shardSeconds": 3600})
    try:
        yield
    finally:
        await site.edit_twin("upload", {"spoolBudgetBytes": ROOMY, "shardSeconds": 2})


@asynccontextmanager
async def model_swapped(site: Site) -> AsyncIterator[None]:
    site.models = (*site.models[1:], site.models[0])
    await site.edit_twin("inference", {"model": {**site.models[0].desired(), "allowDowngrade": True}})
    yield


FAULTS = (
    Fault("spool full for long", "spool settings", spool_full, OUTAGE_S),
    Fault("model swapped", "model", model_swapped, AT_ONCE),
)
