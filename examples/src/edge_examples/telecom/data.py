"""Key figures of synthetic cell sites, one row every 15 minutes, with a fault now and then."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

SEED: Final = 20260102
ROWS_A_DAY: Final = 96
WINDOW: Final = 16
"""Rows that the models look at at once: four hours."""
STEP: Final = 8
"""Rows from one window to the next. Faults begin and end on multiples of it, so no window holds a mere trace of one."""

START: Final = np.datetime64("2026-01-01T00:00:00", "s")
SAVING: Final = 0.18
"""Under this load, a cell saves energy."""

Series = npt.NDArray[np.float64]
Figures = dict[str, Series]


@dataclass(frozen=True)
class Site:
    """What one cell site has counted.

    Attributes:
        table: The key figures, and ``time`` and ``state``.
        faulty: Bool, shape ``(rows,)``: where a fault was.
    """

    table: pa.Table
    faulty: npt.NDArray[np.bool_]

    def truth(self) -> tuple[bool, ...]:
        """Whether there was a fault in each window."""
        windows = np.lib.stride_tricks.sliding_window_view(self.faulty, WINDOW)[::STEP]
        return tuple(np.any(windows, axis=1).tolist())


def site(number: int, days: int, faults: int = 0) -> Site:
    """A site's figures.

    Args:
        number: Which; the same number gives the same figures.
        days: How many days of them.
        faults: How many faults, of any kind, which may overlap.
    """
    rng = np.random.default_rng([SEED, number])
    rows = days * ROWS_A_DAY
    figures = _ordinary(rng, rows)
    faulty = np.zeros(rows, np.bool_)
    for _ in range(faults):
        begin = int(rng.integers(rows // STEP)) * STEP
        where = slice(begin, begin + int(rng.integers(1, 4)) * STEP)
        fault = list(FAULTS.values())[rng.integers(len(FAULTS))]
        fault(figures, where)
        faulty[where] = True
    return Site(_table(number, figures), faulty)


def _ordinary(rng: np.random.Generator, rows: int) -> Figures:
    """A day's tide of load, and what follows from it."""
    hours = np.arange(rows) * (24 / ROWS_A_DAY) + rng.uniform(-1, 1)
    tide = 0.45 - 0.28 * np.cos(2 * np.pi * (hours - 4) / 24) + 0.07 * np.sin(4 * np.pi * hours / 24)

    def noisy(values: Series, spread: float) -> Series:
        return values * rng.normal(1, spread, rows)

    load = np.clip(noisy(tide * rng.uniform(0.8, 1.1), 0.03), 0.02, 1)
    return {
        "load": load,
        "users": noisy(300 * load, 0.04),
        "traffic_gb": noisy(9 * load, 0.04),
        "throughput_mbps": noisy(60 - 35 * load, 0.03),
        "latency_ms": noisy(18 + 14 * load, 0.03),
        "drop_percent": noisy(0.4 + 0.5 * load, 0.08),
    }


def _sleeping(figures: Figures, where: slice) -> None:
    """The cell is up by its own account, and serves almost nobody."""
    for name in ("users", "traffic_gb"):
        figures[name][where] *= 0.05


def _interference(figures: Figures, where: slice) -> None:
    """Somebody else sends on its frequency."""
    figures["drop_percent"][where] *= 4
    figures["throughput_mbps"][where] *= 0.4


def _backhaul(figures: Figures, where: slice) -> None:
    """The line behind it is congested."""
    figures["latency_ms"][where] *= 3
    figures["traffic_gb"][where] *= 0.5


FAULTS: Final[Mapping[str, Callable[[Figures, slice], None]]] = {
    "sleeping": _sleeping,
    "interference": _interference,
    "backhaul": _backhaul,
}


def _table(number: int, figures: Figures) -> pa.Table:
    rows = len(figures["load"])
    columns: dict[str, Any] = {
        "time": START + np.arange(rows) * np.timedelta64(24 * 60 // ROWS_A_DAY, "m"),
        "site": [f"site-{number:04d}"] * rows,
        "state": np.where(figures["load"] < SAVING, "saving", "active"),
    }
    return pa.table({**columns, **{name: values.round(4) for name, values in figures.items()}})
