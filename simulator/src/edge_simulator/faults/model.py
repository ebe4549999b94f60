"""Which faults there are, and until when."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, cast, get_args

from edge_simulator.errors import FaultError

Area = Literal["upstream", "link", "acks", "messages", "module", "twin"]

# What can go wrong in each area.
AREAS: Final[Mapping[Area, tuple[str, ...]]] = {
    "upstream": ("down",),
    "link": ("drop", "reject"),
    "acks": ("delay", "withhold"),
    "messages": ("delay", "duplicate", "expire"),
    "module": ("freeze",),
    "twin": ("miss",),
}
LONGEST_S: Final = 86_400.0
_DEVICE: Final = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault; `target` is a module, or empty where it is about the device; times are monotonic seconds."""

    area: Area
    target: str
    effect: str
    ends_at: float
    delay_s: float


@dataclass(frozen=True, slots=True)
class Acknowledgements:
    """What happens to the acknowledgements between a module and the hub."""

    withheld: bool = False
    delay_s: float = 0


class Faults:
    """The faults of one device, at most one for each area and module; each ends by itself."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._faults: dict[tuple[Area, str], Fault] = {}
        self._watchers: list[tuple[Area, Callable[[str], None]]] = []

    # --- by whom it is told -------------------------------------------------------------------------------------------

    def inject(self, area: str, target: str, effect: str, lasts_s: float, delay_s: float = 0) -> None:
        """Begin a fault, in place of the one that its area and target had.

        Raises:
            FaultError: there is no such fault, or it would have no end.
        """
        if area not in get_args(Area) or effect not in AREAS[cast("Area", area)]:
            raise FaultError(f"there is no fault {area} {effect}")
        if not 0 < lasts_s <= LONGEST_S:
            raise FaultError(f"a fault lasts more than 0 and at most {LONGEST_S:g} seconds, not {lasts_s:g}")
        if (effect == "delay") != (0 < delay_s <= LONGEST_S):
            raise FaultError("a delay takes a number of seconds, and nothing else does")
        fault = Fault(cast("Area", area), target, effect, self._monotonic() + lasts_s, delay_s)
        self._faults[fault.area, target] = fault
        self._tell(fault)

    def lift(self, area: str, target: str = _DEVICE) -> None:
        """End a fault, if it is there."""
        if (fault := self._faults.pop((cast("Area", area), target), None)) is not None:
            self._tell(fault)

    def lift_ended(self) -> None:
        """End the faults whose time is over; to be called several times a second."""
        now = self._monotonic()
        for fault in list(self._faults.values()):
            if fault.ends_at <= now:
                self.lift(fault.area, fault.target)

    def active(self) -> list[tuple[Fault, float]]:
        """Return the faults, each with the seconds that are left of it."""
        now = self._monotonic()
        return [(fault, max(fault.ends_at - now, 0)) for fault in self._faults.values()]

    def watch(self, area: Area, changed: Callable[[str], None]) -> None:
        """Call back with the target whenever a fault of an area begins or ends."""
        self._watchers.append((area, changed))

    # --- what it is asked ---------------------------------------------------------------------------------------------

    @property
    def upstream_down(self) -> bool:
        """Whether IoT Hub cannot be reached."""
        return self._effect("upstream", _DEVICE) == "down"

    def link(self, module: str) -> Literal["drop", "reject"] | None:
        """Return what the network does to a module's connections."""
        return cast("Literal['drop', 'reject'] | None", self._effect("link", module))

    def copies(self, module: str) -> int:
        """Return how many times a message for a module is stored."""
        return 2 if self._effect("messages", module) == "duplicate" else 1

    def expires(self, module: str) -> bool:
        """Whether the time to live of a message for a module is over at once."""
        return self._effect("messages", module) == "expire"

    def message_delay_s(self, module: str) -> float:
        """Return how late messages leave for a module."""
        fault = self._faults.get(("messages", module))
        return fault.delay_s if fault else 0

    def acknowledgements(self, module: str) -> Acknowledgements:
        """Return what happens to acknowledgements, those of the module and those for it."""
        fault = self._faults.get(("acks", module))
        return Acknowledgements(fault.effect == "withhold", fault.delay_s) if fault else _PROMPT

    def twin_missed(self, module: str) -> bool:
        """Whether changes of desired properties do not reach a module."""
        return self._effect("twin", module) == "miss"

    def frozen(self, module: str) -> bool:
        """Whether a module's processes are stopped."""
        return self._effect("module", module) == "freeze"

    def _effect(self, area: Area, target: str) -> str | None:
        fault = self._faults.get((area, target))
        return fault.effect if fault else None

    def _tell(self, fault: Fault) -> None:
        for area, changed in self._watchers:
            if area == fault.area:
                changed(fault.target)


_PROMPT: Final = Acknowledgements()
