"""Processes that are killed, stopped where they are, or restarted."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from chaos.deployment import MODULES, OUTAGE_S
from chaos.fault import AT_ONCE, Fault
from chaos.site import Site
from edge_simulator.faults import LONGEST_S

Strike = Callable[[Site], AbstractAsyncContextManager[None]]


def killed(module: str) -> Strike:
    @asynccontextmanager
    async def strike(site: Site) -> AsyncIterator[None]:
        await site.ask(lambda control: control.kill(module))
        yield

    return strike


def restarted(module: str) -> Strike:
    @asynccontextmanager
    async def strike(site: Site) -> AsyncIterator[None]:
        await site.ask(lambda control: control.restart(module))
        yield

    return strike


def frozen(module: str) -> Strike:
    @asynccontextmanager
    async def strike(site: Site) -> AsyncIterator[None]:
        await site.ask(lambda control: control.inject_fault("module", module, "freeze", LONGEST_S))
        try:
            yield
        finally:
            await site.ask(lambda control: control.lift_fault("module", module))

    return strike


@asynccontextmanager
async def simulator_killed(site: Site) -> AsyncIterator[None]:
    await site.kill()
    try:
        yield
    finally:
        await site.start()


FAULTS = (
    *(Fault(f"{module} killed", module, killed(module), AT_ONCE) for module in MODULES),
    *(Fault(f"{module} restarted", module, restarted(module), AT_ONCE) for module in MODULES),
    *(Fault(f"{module} stopped where it is", module, frozen(module)) for module in MODULES),
    Fault("inference down for long", "inference", frozen("inference"), OUTAGE_S),
    Fault("simulator killed", "simulator", simulator_killed, (0.0, 2.0)),
)
