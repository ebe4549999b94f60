"""The command ``edge-upload``: puts the module together and runs it."""

from functools import partial

from edge_common.lifecycle import Surroundings, Wiring, run_module
from edge_common.tasks import together
from edge_upload.acceptor import Acceptor
from edge_upload.carrier import Carrier, Places
from edge_upload.courier import Courier
from edge_upload.delivery import Delivery
from edge_upload.history.archivist import Archivist
from edge_upload.history.courier import HistoryCourier
from edge_upload.metrics import UploadMetrics
from edge_upload.outbox import Outbox
from edge_upload.post import Post
from edge_upload.reporter import Reporter, Watched
from edge_upload.room import disk_of
from edge_upload.settings import UploadEnvironment, UploadSettings
from edge_upload.sinks import Sink
from edge_upload.sinks.choice import chosen
from edge_upload.spool_parts import SpoolParts
from edge_upload.threads import OneThread


def wire(given: Surroundings[UploadEnvironment]) -> Wiring[UploadSettings]:
    """The module, with the store that its environment names."""
    return build(given, chosen(given.environment, given.clock, given.environment.state_dir / "cloud-share.kind"))


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
    state, device = environment.state_dir, environment.iotedge_deviceid
    metrics, thread, free = UploadMetrics(given.metrics.registry), OneThread("spool"), disk_of(state)
    kept = SpoolParts.open(state / "spool.db", sink.durable, environment.tensor_dir, metrics)
    post, delivery = Post(hub, metrics), Delivery(sink, metrics)
    acceptor = Acceptor(kept.spool, kept.hints, kept.index, thread, post, clock, free)
    courier = Courier(kept.shards, Outbox(state / "outbox", device), delivery, thread, post, clock)
    places = Places(environment.share_dir, state / "originals", free, device)
    carrier = Carrier(kept.originals, places, delivery, courier, thread, post, clock)
    archivist = Archivist(kept.events, thread, hub)
    history = HistoryCourier(kept.events, state / "history", device, delivery, thread, clock)
    reporter = Reporter(kept.index, thread, Watched(acceptor, courier, carrier), hub, clock, metrics)
    parts = (acceptor, courier, carrier, archivist, history, post, reporter)

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
        kept.database.close()

    return Wiring(
        inputs={
            "records": acceptor.records,
            "hints": acceptor.hints,
            "inquiries": acceptor.inquiries,
            "history": archivist.history,
        },
        run=partial(together, *(part.run for part in parts), reporter.tidy),
        configure=configure,
        drain=drain,
    )


def main() -> None:
    """Run the module until it is told to stop."""
    run_module("upload", UploadEnvironment, UploadSettings, wire)


if __name__ == "__main__":
    main()
