"""All faults that there are; one more is a context manager in one of these files, and a line in its table."""

from collections.abc import Mapping

from chaos.fault import Fault
from chaos.faults import clocks, container, disks, files, hub, processes, shares, twins, updates
from chaos.stores import Kind

OF_STORES: Mapping[Kind, tuple[Fault, ...]] = {"share": shares.CLOUD, "container": container.FAULTS}
"""Those that only a store of a kind knows."""

OF_ALL: tuple[Fault, ...] = (
    *clocks.FAULTS,
    *disks.FAULTS,
    *files.FAULTS,
    *hub.FAULTS,
    *processes.FAULTS,
    *shares.LOCAL,
    *twins.FAULTS,
    *updates.FAULTS,
)
