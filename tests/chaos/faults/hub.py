"""What IoT Edge's hub and the network around it do wrong."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from chaos.deployment import MODULES
from chaos.fault import Fault
from chaos.site import Site
from edge_simulator.faults import LONGEST_S, Area


def strike_at(area: Area, module: str, effect: str) -> Callable[[Site], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def strike(site: Site) -> AsyncIterator[None]:
        await site.ask(lambda control: control.inject_fault(area, module, effect, LONGEST_S))
        try:
            yield
        finally:
            await site.ask(lambda control: control.lift_fault(area, module))

    return strike


EFFECTS: tuple[tuple[Area, str, str], ...] = (
    ("link", "drop", "link of {} dropped"),
    ("link", "reject", "link of {} rejected"),
    ("acks", "withhold", "acknowledgements of {} withheld"),
    ("messages", "expire", "messages for {} expired"),
    ("messages", "duplicate", "messages for {} doubled"),
)

FAULTS = (
    Fault("IoT Hub out of reach", "upstream", strike_at("upstream", "", "down")),
    *(
        Fault(name.format(module), f"{area} {module}", strike_at(area, module, effect))
        for area, effect, name in EFFECTS
        for module in MODULES
    ),
)
