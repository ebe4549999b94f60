"""A run: feed, injure, wait, compare."""

import asyncio
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from chaos import evidence
from chaos.fault import Fault
from chaos.feeder import Feeder
from chaos.injector import Injector
from chaos.launch import Launcher
from chaos.plan import plan
from chaos.referee import Trouble, judge, unsettled
from chaos.report import Report
from chaos.site import POLL_S, Disks, Given, Site, simulator
from edge_examples.digits import data
from edge_examples.digits import drops as digits
from edge_examples.digits.example import DIGITS
from edge_examples.packages import prepare
from edge_simulator.agent.guard import guard

RATE = 40.0
"""Files a second, at most."""
GAP_S = 1.4
"""Between two faults, at least, on average."""
PICTURES = 60
PATIENCE_S = 180.0
"""How long all may take to settle once nothing goes wrong any more."""
RETENTIONS = ("keep", "delete", "archive")


@dataclass(frozen=True)
class Options:
    """What can be chosen.

    Attributes:
        seed: Decides everything that is drawn.
        files: How many come.
        faults: How many strike.
        folder: Where the run keeps what it makes; emptied first.
        models: Where the model packages are kept between runs.
    """

    seed: int
    files: int
    faults: int
    folder: Path
    models: Path

    @property
    def seconds(self) -> float:
        """How long files come and faults strike."""
        return max(self.files / RATE, self.faults * GAP_S)

    @property
    def retention(self) -> str:
        """What becomes of uploaded files."""
        return RETENTIONS[self.seed % len(RETENTIONS)]


async def run(options: Options, deck: Sequence[Fault]) -> Report:
    """Run, with faults from a deck.

    Raises:
        ValueError: There are too many faults for so few files.
    """
    random = Random(options.seed)
    strokes = plan(deck, options.faults, options.seconds, random)
    site = await _site(options, random)
    injector = Injector(site)
    with guard() as mark:
        async with site.running(mark):
            started = time.monotonic()
            await _first_is_stored(site)
            async with asyncio.TaskGroup() as group:
                group.create_task(site.feeder.run(options.files, options.seconds))
                group.create_task(injector.run(strokes))
            await _until_settled(site.disks.ledger.content, site.feeder)
            seconds = time.monotonic() - started
    troubles, quarantined = _compare(site, options.retention)
    if troubles:
        _keep_for_a_look(site.disks, options.folder / "kept")
    return Report(options.seed, site.feeder.deliveries, injector.done, troubles, quarantined, seconds)


async def _site(options: Options, random: Random) -> Site:
    trust = options.models.with_name("trust")
    models = tuple(prepare(DIGITS, options.models, trust))
    root = options.folder.resolve()
    shutil.rmtree(root, ignore_errors=True)
    disks, launcher = Disks.below(root), Launcher(root / "launch")
    await disks.mount()
    launcher.make()
    feeder = Feeder(disks.share.disk.content, digits.good(data.load()[1], PICTURES), random)
    process = simulator(root, disks, launcher, Given(models, options.models, trust, options.retention))
    return Site(process, disks, launcher, feeder, models)


async def _first_is_stored(site: Site) -> None:
    """Wait until one result is stored: a cloud share that was never there cannot be told from its empty folder."""
    site.feeder.write_one()
    async with asyncio.timeout(PATIENCE_S):
        while not evidence.shards(site.disks.cloud.disk.content):
            await asyncio.sleep(POLL_S)


async def _until_settled(ledger: Path, feeder: Feeder) -> None:
    """Wait until everything has come to its end, or patience ends.

    What crashes its decoder is given up once others get through while it does not, so others have to come.
    """
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        entries = evidence.read_ledger(ledger)
        open_ = unsettled(feeder.deliveries, entries)
        if not open_:
            return
        if all(delivery.crashes for delivery in open_):
            feeder.write_one()
        await asyncio.sleep(POLL_S)


def _compare(site: Site, retention: str) -> tuple[list[Trouble], int]:
    disks = site.disks
    found = evidence.read_all(disks.share.disk.content, disks.cloud.disk.content, disks.ledger.content)
    return judge(site.feeder.deliveries, found, retention), len(found.quarantine)


def _keep_for_a_look(disks: Disks, folder: Path) -> None:
    """The disks go with the run; what went wrong is looked into later."""
    for disk in (disks.ledger, disks.spool, disks.cloud.disk):
        shutil.copytree(disk.content, folder / disk.root.name)
