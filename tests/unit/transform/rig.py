"""The module between a fake hub, a share and a tensor store."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_common.contract import Input
from edge_common.fakes import FakeClock, FakeHub
from edge_common.lifecycle import Module, Surroundings
from edge_common.messages import (
    ContractMessage,
    Item,
    ItemsMessage,
    Receipt,
    ReceiptsMessage,
    ReceiptStatus,
    Reject,
    RejectsMessage,
    TensorsMessage,
)
from edge_common.metrics import Metrics
from edge_common.twin import SettingsKeeper
from edge_transform.__main__ import wire
from edge_transform.settings import TransformEnvironment, TransformSettings
from edge_transform.workshop import DECODING, Decoding
from support.clocks import PatientClock
from unit.transform.pictures import LUMA

LEASE = 60.0


@dataclass
class Rig:
    """A running module and its surroundings."""

    hub: FakeHub
    clock: FakeClock
    metrics: Metrics
    share: Path
    store: Path

    def announce(self, wanted: Input = LUMA) -> None:
        self.hub.deliver("contract", ContractMessage(stamp=wanted.stamp, input=wanted).encode())

    def send(self, *items: Item, lease: float = LEASE, alone: bool = False) -> None:
        self.hub.deliver("items", ItemsMessage(lease_seconds=lease, items=items, alone=alone).encode())

    def confirm(self, message: TensorsMessage, status: ReceiptStatus = ReceiptStatus.ACCEPTED) -> None:
        receipts = [
            Receipt(id=part.item.id, attempt=part.item.attempt, part=part.part, status=status) for part in message.parts
        ]
        self.hub.deliver("receipts", ReceiptsMessage(receipts=tuple(receipts)).encode())

    async def batches(self, count: int) -> Sequence[TensorsMessage]:
        return [TensorsMessage.decode(sent.body) for sent in await self.hub.sent_to("tensors", count)]

    async def rejects(self, count: int = 1) -> Sequence[Reject]:
        sent = await self.hub.sent_to("rejects", count)
        return [reject for message in sent for reject in RejectsMessage.decode(message.body).rejects]

    def stored(self) -> set[str]:
        return {path.stem for path in self.store.glob("*.npy")}


@asynccontextmanager
async def running(folder: Path, decoding: Decoding = DECODING, **desired: Any) -> AsyncIterator[Rig]:
    environment = TransformEnvironment(
        state_dir=folder / "state", share_dir=folder / "share", tensor_dir=folder / "tensors"
    )
    for path in (environment.state_dir, environment.share_dir):
        path.mkdir(exist_ok=True)
    hub, clock, metrics = FakeHub(), PatientClock(), Metrics()
    hub.twin.update({"batchSeconds": 0, **desired})
    keeper = SettingsKeeper(TransformSettings, environment.state_dir / "settings.json")
    module = Module(wire(Surroundings(environment, hub, clock, metrics), decoding), keeper, hub, metrics, {})
    stop = asyncio.Event()
    life = asyncio.create_task(module.live(stop))
    await hub.until_reported("config.version", hub.twin["$version"])
    try:
        yield Rig(hub, clock, metrics, environment.share_dir, environment.tensor_dir)
    finally:
        stop.set()
        await life
