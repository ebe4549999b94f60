"""The command ``edge-upload``: puts the module together and runs it."""

import asyncio

from edge_common.lifecycle import Surroundings, Wiring, run_module
from edge_common.tensors import TensorReader
from edge_upload.acceptor import Acceptor
from edge_upload.courier import Courier
from edge_upload.database import Database
from edge_upload.features import FeatureReader
from edge_upload.history.archivist import Archivist
from edge_upload.history.courier import HistoryCourier
from edge_upload.history.events import Events
from edge_upload.index import Index
from edge_upload.metrics import UploadMetrics
from edge_upload.outbox import Outbox
from edge_upload.post import Post
from edge_upload.reporter import Reporter
from edge_upload.room import disk_of
from edge_upload.settings import UploadEnvironment, UploadSettings
from edge_upload.shards import Shards
from edge_upload.sinks import Sink
from edge_upload.sinks.share import ShareSink
from edge_upload.spool import Spool
from edge_upload.threads import OneThread


def wire(given: Surroundings[UploadEnvironment]) -> Wiring[UploadSettings]:
    """The module, with the cloud share as its store."""
    return build(given, ShareSink(given.environment.cloud_dir))


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
    spool = Spool(database, index, FeatureReader(TensorReader(environment.tensor_dir)), events)
    outbox = Outbox(environment.state_dir / "outbox", environment.iotedge_deviceid)
    thread = OneThread("spool")
    post = Post(hub, metrics)
    acceptor = Acceptor(spool, index, thread, post, clock, disk_of(environment.state_dir))
    courier = Courier(Shards(database, sink.durable, events), outbox, sink, thread, post, clock, metrics)
    archivist = Archivist(events, thread, hub)
    history_courier = HistoryCourier(
        events, environment.state_dir / "history", environment.iotedge_deviceid, sink, thread, clock
    )
    reporter = Reporter(index, thread, acceptor, courier, hub, clock, metrics)

    parts = (acceptor, courier, archivist, history_courier, post, reporter)

    async def run() -> None:
        async with asyncio.TaskGroup() as tasks:
            for work in (*(part.run for part in parts), reporter.tidy):
                tasks.create_task(work(), name=work.__qualname__)

    async def configure(settings: UploadSettings) -> None:
        for part in (acceptor, courier, history_courier):
            part.configure(settings)

    async def drain() -> None:
        await courier.close()
        await history_courier.close()
        await thread.close()
        database.close()

    return Wiring(
        inputs={"records": acceptor.records, "inquiries": acceptor.inquiries, "history": archivist.history},
        run=run,
        configure=configure,
        drain=drain,
    )


def main() -> None:
    """Run the module until it is told to stop."""
    run_module("upload", UploadEnvironment, UploadSettings, wire)


if __name__ == "__main__":
    main()
