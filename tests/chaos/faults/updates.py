"""Modules that are updated one at a time, so that two releases run side by side."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from chaos.deployment import MODULES
from chaos.fault import Fault
from chaos.launch import has_previous
from chaos.site import Site


def taken_back(module: str) -> Callable[[Site], AbstractAsyncContextManager[None]]:
    """A module goes back to the previous release for a while."""

    @asynccontextmanager
    async def strike(site: Site) -> AsyncIterator[None]:
        with site.launcher.previous(module):
            await site.ask(lambda control: control.restart(module))
            yield
        await site.ask(lambda control: control.restart(module))

    return strike


FAULTS = tuple(
    Fault(f"{module} of the previous release", module, taken_back(module), (5.0, 10.0), possible=has_previous)
    for module in MODULES
)
