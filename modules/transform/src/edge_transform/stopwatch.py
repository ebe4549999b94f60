"""How long a thread has worked on something, as seen by another thread."""

import threading
import time


class Stopwatch:
    """Measures CPU time, which a busy machine, a slow share or a frozen process does not use up."""

    def __init__(self) -> None:
        self._clock: int | None = None
        self._began = 0.0

    def start(self) -> None:
        """Measure the calling thread from now on."""
        clock = time.pthread_getcpuclockid(threading.get_ident())
        self._began = time.clock_gettime(clock)
        self._clock = clock

    @property
    def seconds(self) -> float:
        """Since the start, while the thread lives; 0 before."""
        return 0.0 if self._clock is None else time.clock_gettime(self._clock) - self._began
