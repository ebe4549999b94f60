"""The command ``edge-upload``: puts the module together and runs it."""

import asyncio

from edge_common.lifecycle import Surroundings, Wiring, run_module
from edge_common.tensors import TensorReader
from edge_upload.acceptor import Acceptor
from edge_upload.carrier import Carrier, Places
from edge_upload.courier import Courier
from edge_upload.database import Database
from edge_upload.delivery import Delivery
from edge_upload.features import FeatureReader
from edge_upload.hints import Hints
from edge_upload.history.archivist import Archivist
from edge_upload.history.courier import HistoryCourier
from edge_upload.history.events import Events
from edge_upload.index import Index
from edge_upload.metrics import UploadMetrics
from edge_upload.originals import Originals
from edge_upload.outbox import Outbox
from edge_upload.post import Post
from edge_upload.relief import Relief
from edge_upload.reporter import Reporter, Watched
from edge_upload.room import disk_of
from edge_upload.sampler import Sampler
from edge_upload.settings import UploadEnvironment, UploadSettings
from edge_upload.shards import Shards
from edge_upload.sinks import Sink
from edge_upload.sinks.choice import chosen
from edge_upload.spool import Spool
from edge_upload.threads import OneThread
from edge_upload.writer import Writer


def wire(given: Surroundings[UploadEnvironment]) -> Wiring[UploadSettings]:
    """The module, with the store that its environment names."""
    return build(given, chosen(given.environment, given.clock))


def build(given: Surroundings[UploadEnvironment], sink: Sink) -> Wiring[UploadSettings]:
    """Put the module together.

    Args:
        given: Its surroundings.
        sink: The store.

    Raises:
        ConfigurationError: A much newer release wrote the spool.
        SpoolUnavailableError: The spool's disk refuses.
    """
    environment, hub, clock = given.environment, given.hub, given.clock
    metrics = UploadMetrics(given.metrics.registry)
    database = Database(environment.state_dir / "spool.db")
    index = Index(database, sink.durable)
    events = Events(database)
    sampler, writer = Sampler(database, metrics), Writer(database)
    features, relief = FeatureReader(TensorReader(environment.tensor_dir)), Relief(database, index, metrics)
    spool = Spool(database, index, features, writer, sampler, relief, events)
    hints = Hints(database, index, sampler, writer, metrics)
    thread, free = OneThread("spool"), disk_of(environment.state_dir)
    post = Post(hub, metrics)
    acceptor = Acceptor(spool, hints, index, thread, post, clock, free)
    delivery = Delivery(sink, metrics)
    outbox = Outbox(environment.state_dir / "outbox", environment.iotedge_deviceid)
    courier = Courier(Shards(database, index, events), outbox, delivery, thread, post, clock)
    places = Places(environment.share_dir, environment.state_dir / "originals", free, environment.iotedge_deviceid)
    carrier = Carrier(Originals(database, index), places, delivery, courier, thread, post, clock)
    archivist = Archivist(events, thread, hub)
    history = HistoryCourier(
        events, environment.state_dir / "history", environment.iotedge_deviceid, delivery, thread, clock
    )
    reporter = Reporter(index, thread, Watched(acceptor, courier, carrier), hub, clock, metrics)

    parts = (acceptor, courier, carrier, archivist, history, post, reporter)

    async def run() -> None:
        async with asyncio.TaskGroup() as tasks:
            for work in (*(part.run for part in parts), reporter.tidy):
                tasks.create_task(work(), name=work.__qualname__)

    async def configure(settings: UploadSettings) -> None:
        acceptor.configure(settings if environment.share_dir else settings.model_copy(update={"originals": "none"}))
        for part in (courier, carrier, history):
            part.configure(settings)
        sink.limit(settings.bandwidth_bytes_per_second)

    async def drain() -> None:
        await courier.close()
        await history.close()
        await sink.close()
        await thread.close()
        database.close()

    return Wiring(
        inputs={
            "records": acceptor.records,
            "hints": acceptor.hints,
            "inquiries": acceptor.inquiries,
            "history": archivist.history,
        },
        run=run,
        configure=configure,
        drain=drain,
    )


def main() -> None:
    """Run the module until it is told to stop."""
    run_module("upload", UploadEnvironment, UploadSettings, wire)


if __name__ == "__main__":
    main()
