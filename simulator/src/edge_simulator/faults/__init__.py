"""What is made to go wrong on purpose: a model that the hub, its connections and the agent consult.

Each question of `Faults` is asked at one place: `upstream_down` where messages leave for IoT Hub, `link` where bytes
come in and go out, `copies` and `expires` where a message is stored, `message_delay_s` where it leaves for a module,
`acknowledgements` where PUBACKs leave and come in, `twin_missed` where a change of desired properties is pushed, and
`frozen` where a module's processes get signals.
"""

from edge_simulator.faults.lane import Lane
from edge_simulator.faults.model import AREAS, LONGEST_S, Acknowledgements, Area, Fault, Faults

__all__ = ["AREAS", "LONGEST_S", "Acknowledgements", "Area", "Fault", "Faults", "Lane"]
