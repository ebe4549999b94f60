"""All faults that there are; one more is a context manager in one of these files, and a line in its table."""

from chaos.fault import Fault
from chaos.faults import clocks, disks, files, hub, processes, shares, twins, updates

ALL: tuple[Fault, ...] = (
    *clocks.FAULTS,
    *disks.FAULTS,
    *files.FAULTS,
    *hub.FAULTS,
    *processes.FAULTS,
    *shares.FAULTS,
    *twins.FAULTS,
    *updates.FAULTS,
)
