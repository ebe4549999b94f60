"""Brings originals to the store, some at a time, while nothing waits that goes before them."""

import asyncio
import errno
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from edge_common.clock import Clock
from edge_common.errors import EdgeError, ItemError
from edge_common.messages import Item
from edge_upload.cargo import Cargo
from edge_upload.courier import ASIDE_S, POLL_S, Courier
from edge_upload.delivery import Delivery
from edge_upload.originals import Ending, Original, Originals, copy_original, name_of
from edge_upload.patience import Patience
from edge_upload.post import Post
from edge_upload.room import MARGIN, FreeBytes
from edge_upload.settings import UploadSettings
from edge_upload.sinks import SinkError, Stored
from edge_upload.threads import OneThread
from edge_upload.windows import is_open

log = logging.getLogger(__name__)

AT_ONCE: Final = 8
"""Originals under way, so that a store that answers late is still kept busy."""

AGAIN_S: Final = 60.0
"""How long an original that could not be read is left alone."""

LOST_S: Final = 600.0
"""How long an original must be gone or changed, seen again and again, before it is given up."""


@dataclass(frozen=True, slots=True)
class Places:
    """Folders, and the name of the device.

    Attributes:
        share: The local share; None if it is not bound.
        copies: Where copies are on their way; what a kill left there is removed.
        free: Says what the disk of the copies can still take.
        device: It is part of the names in the store.
    """

    share: Path | None
    copies: Path
    free: FreeBytes
    device: str


@dataclass(frozen=True, slots=True)
class _Later:
    until: float
    reason: str


class Carrier:
    """Copies originals from the share, and has the store take them.

    Args:
        originals: Those that wait.
        places: Where they come from.
        delivery: Has the store take them.
        courier: Brings what goes before them.
        thread: The spool's.
        post: Takes the receipts.
        clock: Time.
    """

    def __init__(
        self,
        originals: Originals,
        places: Places,
        delivery: Delivery,
        courier: Courier,
        thread: OneThread,
        post: Post,
        clock: Clock,
    ) -> None:
        self._originals = originals
        self._share = places.share and places.share.resolve()
        self._copies = places.copies
        self._free = places.free
        self._device = places.device
        self._delivery = delivery
        self._courier = courier
        self._thread = thread
        self._post = post
        self._clock = clock
        self._patience = Patience(clock)
        self._settings = UploadSettings()
        self._copying = asyncio.Lock()
        self._later: dict[int, _Later] = {}
        self._lost_since: dict[int, float] = {}
        places.copies.mkdir(parents=True, exist_ok=True)
        for left in places.copies.iterdir():
            left.unlink()

    def configure(self, settings: UploadSettings) -> None:
        """Put settings in force."""
        self._settings = settings

    @property
    def trouble(self) -> str | None:
        """Why an original does not reach the store, while one does not."""
        if self._share is None and self._settings.originals != "none":
            return "originals are chosen, and SHARE_DIR does not say where they are"
        return self._patience.failure or next((later.reason for later in self._later.values()), None)

    async def run(self) -> None:
        """Carry, for ever."""
        while True:
            if not await self._carry_some():
                await self._clock.sleep(POLL_S)

    async def _carry_some(self) -> bool:
        """Whether any came to its end."""
        if self._share is None or self._courier.busy or not is_open(self._settings.windows, self._clock.now()):
            return False
        originals = await self._next()
        ended = await asyncio.gather(*(self._carry(original, self._share) for original in originals))
        endings = [ending for ending in ended if ending]
        if endings:
            settle = partial(self._thread.call, self._originals.settle, endings, self._clock.now())
            await self._post.put(await self._patience.persist(settle))
        return bool(endings)

    async def _next(self) -> Sequence[Original]:
        now = self._clock.monotonic()
        self._later = {number: later for number, later in self._later.items() if later.until > now}
        waiting = partial(self._thread.call, self._originals.waiting, AT_ONCE, self._later.keys())
        return await self._patience.persist(waiting)

    async def _carry(self, original: Original, share: Path) -> Ending | None:
        """Its end, if it has come to that: it is in the store, or given up."""
        copy = self._copies / str(original.number)
        try:
            await self._copy(share, original.item, copy)
            stored = await self._deliver(original.item, copy)
        except ItemError as error:
            if await self._is_lost(original, share, error):
                return await self._give_up(original, copy, error)
            self._put_off(original, AGAIN_S, error)
        except SinkError as error:
            self._put_off(original, ASIDE_S, error)
        except OSError as error:
            self._put_off(original, AGAIN_S, error)
        else:
            self._lost_since.pop(original.number, None)
            return Ending(original, stored)
        finally:
            await asyncio.to_thread(copy.unlink, missing_ok=True)
        return None

    async def _copy(self, share: Path, item: Item, copy: Path) -> None:
        """Copy an original; one at a time, so that what is free is known. Results still find room beside it."""
        async with self._copying:
            if item.size + self._settings.shard_bytes + MARGIN > self._free():
                raise OSError(errno.ENOSPC, f"the spool's disk has no room for a copy of {item.size} bytes")
            await asyncio.to_thread(copy_original, share, item, copy)

    async def _deliver(self, item: Item, copy: Path) -> Stored:
        name = name_of(self._device, item)
        stored = await self._patience.persist(partial(self._delivery.deliver, name, copy, item.sha256))
        self._delivery.metrics.originals.inc()
        return stored

    async def _is_lost(self, original: Original, share: Path, error: ItemError) -> bool:
        """Whether an original has not been there, or not been what ingest saw, for long enough."""
        if error.code != "CHANGED" and not (error.code == "GONE" and await asyncio.to_thread(_has_files, share)):
            self._lost_since.pop(original.number, None)  # the share is away, and says nothing of what is on it
            return False
        now = self._clock.monotonic()
        return now - self._lost_since.setdefault(original.number, now) >= LOST_S

    async def _give_up(self, original: Original, copy: Path, error: ItemError) -> Ending:
        """Give up an original that is lost; unless the store has it, from before a kill, and so needs no good copy."""
        del self._lost_since[original.number]
        with suppress(SinkError):
            return Ending(original, await self._deliver(original.item, copy))
        log.error("the original of item %s is given up: %s", original.item.id, error)
        self._delivery.metrics.give_up(Cargo.ORIGINAL, error.code.lower())
        return Ending(original, stored=None)

    def _put_off(self, original: Original, seconds: float, error: EdgeError | OSError) -> None:
        reason = f"the original of item {original.item.id}: {error}"
        log.warning("%s; it is tried again", reason)
        self._later[original.number] = _Later(self._clock.monotonic() + seconds, reason)


def _has_files(share: Path) -> bool:
    """Whether there is anything on a share; where it is not mounted, there is an empty folder."""
    with suppress(OSError):
        return any(share.iterdir())
    return False
