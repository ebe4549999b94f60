"""Ingest's process: puts its parts together and runs them."""

import asyncio
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

from edge_common.lifecycle import Surroundings, Wiring, run_module
from edge_common.tasks import together
from edge_ingest.administration import Administration
from edge_ingest.checker import Checker
from edge_ingest.courier import Courier, Listeners
from edge_ingest.historian import Historian
from edge_ingest.inquirer import Inquirer
from edge_ingest.intake import Intake
from edge_ingest.ledger.journal import Journal
from edge_ingest.ledger.salvage import open_or_salvage
from edge_ingest.meters import Meters
from edge_ingest.pause import Pause
from edge_ingest.reporter import Reporter
from edge_ingest.scanner import Scanner
from edge_ingest.settings import IngestEnvironment, IngestSettings
from edge_ingest.settler import Settler
from edge_ingest.share import Share
from edge_ingest.trimmer import Trimmer
from edge_ingest.watch import ShareWatch

THREADS: Final = 4
"""They wait for the share more than they compute, even when they hash."""


def wire(given: Surroundings[IngestEnvironment]) -> Wiring[IngestSettings]:
    """Build the module.

    Raises:
        ConfigurationError: The ledger was written by a release that is too new for this one.
    """
    settings, clock, hub = IngestSettings(), given.clock, given.hub
    ledger = given.environment.state_dir / "ledger.db"
    journal = Journal(open_or_salvage(ledger), ledger, clock)
    pool = ThreadPoolExecutor(THREADS, "files")
    meters = Meters(given.metrics)
    share = Share(given.environment.share_dir)
    watch = ShareWatch(share.root, clock)

    inquirer = Inquirer(hub, journal, clock, settings)
    settler = Settler(share, journal, clock, pool, meters, settings)

    def look_again(paths: Iterable[str]) -> None:
        intake.note((path, False) for path in paths)

    listeners = Listeners(settler.bell.ring, inquirer.bell.ring, look_again)
    courier = Courier(hub, journal, clock, meters, settings, listeners)

    intake = Intake(share, journal, clock, pool, settings, courier.enter)
    scanner = Scanner(share, watch, intake, clock, pool, settings)
    meters.left_alone.set_function(lambda: scanner.left_alone)
    historian = Historian(hub, journal, clock)
    trimmer = Trimmer(share, journal, clock, pool)
    checker = Checker(ledger, journal, clock)

    def paused() -> None:
        courier.pause(on=pause.on)
        reporter.ring()

    pause = Pause(given.environment.state_dir / "paused", paused)
    courier.pause(on=pause.on)
    reporter = Reporter(hub, journal, pause, clock, meters, settings)
    administration = Administration(share, journal, clock, pool, found=look_again, arrived=courier.arrived)

    parts = (journal, courier, settler, intake, scanner, inquirer, historian, reporter, trimmer, checker)

    async def configure(changed: IngestSettings) -> None:
        for part in (courier, settler, intake, scanner, inquirer, reporter):
            part.configure(changed)

    async def drain() -> None:
        pool.shutdown(wait=False, cancel_futures=True)
        await asyncio.to_thread(watch.close)  # what sets watches at this moment is let finish
        checker.stop()
        await journal.close()

    return Wiring(
        inputs={"receipts": courier.take_receipts, "rejects": courier.take_rejects, "kept": historian.take_kept},
        run=partial(together, *(part.run for part in parts), scanner.listen),
        configure=configure,
        drain=drain,
        methods={"ledger": reporter.answer, **pause.methods, **administration.methods},
    )


def main() -> None:
    """Run the module until it is told to stop."""
    run_module("ingest", IngestEnvironment, IngestSettings, wire)


if __name__ == "__main__":
    main()
