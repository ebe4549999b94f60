"""The command ``edge-upload``: puts the module together and runs it."""

import asyncio

from edge_common.lifecycle import Surroundings, Wiring, run_module
from edge_common.tensors import TensorReader
from edge_upload.acceptor import Acceptor
from edge_upload.courier import Courier
from edge_upload.database import Database
from edge_upload.features import FeatureReader
from edge_upload.index import Index
from edge_upload.metrics import UploadMetrics
from edge_upload.outbox import Outbox
from edge_upload.post import Post
from edge_upload.reporter import Reporter
from edge_upload.room import disk_of
from edge_upload.settings import UploadEnvironment, UploadSettings
from edge_upload.shards import Shards
from edge_upload.sinks import Sink
from edge_upload.sinks.choice import chosen
from edge_upload.spool import Spool
from edge_upload.threads import OneThread


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
    spool = Spool(database, index, FeatureReader(TensorReader(environment.tensor_dir)))
    outbox = Outbox(environment.state_dir / "outbox", environment.iotedge_deviceid)
    thread = OneThread("spool")
    post = Post(hub, metrics)
    acceptor = Acceptor(spool, index, thread, post, clock, disk_of(environment.state_dir))
    courier = Courier(Shards(database, sink.durable), outbox, sink, thread, post, clock, metrics)
    reporter = Reporter(index, thread, acceptor, courier, hub, clock, metrics)

    async def run() -> None:
        async with asyncio.TaskGroup() as tasks:
            for work in (acceptor.run, courier.run, post.run, reporter.run, reporter.tidy):
                tasks.create_task(work(), name=work.__qualname__)

    async def configure(settings: UploadSettings) -> None:
        acceptor.configure(settings)
        courier.configure(settings)
        sink.limit(settings.bandwidth_bytes_per_second)

    async def drain() -> None:
        await courier.close()
        await sink.close()
        await thread.close()
        database.close()

    return Wiring(
        inputs={"records": acceptor.records, "inquiries": acceptor.inquiries},
        run=run,
        configure=configure,
        drain=drain,
    )


def main() -> None:
    """Run the module until it is told to stop."""
    run_module("upload", UploadEnvironment, UploadSettings, wire)


if __name__ == "__main__":
    main()
