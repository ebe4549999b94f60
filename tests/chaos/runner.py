"""A run: feed, injure, wait, compare."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from chaos import evidence, stores
from chaos.diagnosis import Diagnosis, diagnose
from chaos.fault import Fault
from chaos.feeder import Feeder
from chaos.injector import Injector
from chaos.launch import Launcher
from chaos.patience import Patience
from chaos.plan import Stroke, plan
from chaos.referee import Trouble, judge, unsettled
from chaos.report import Report
from chaos.site import Disks, Given, Site, simulator
from edge_examples.digits import data
from edge_examples.digits import drops as digits
from edge_examples.digits.example import DIGITS
from edge_examples.packages import prepare
from edge_simulator.agent.guard import guard
from support.azurite import available

RATE = 40.0
"""Files a second, at most."""
GAP_S = 1.4
"""Between two faults, at least, on average."""
PICTURES = 60
POLL_S = 1.0
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
        only: What the names of the faults have in common.
    """

    seed: int
    files: int
    faults: int
    folder: Path
    models: Path
    only: str = ""

    @property
    def seconds(self) -> float:
        """How long files come and faults strike."""
        return max(self.files / RATE, self.faults * GAP_S)

    @property
    def patience_s(self) -> float:
        """How long all may take to settle once nothing goes wrong any more, as long as it goes on."""
        return 300 + 2 * self.seconds

    @property
    def wants_container(self) -> bool:
        """Whether results go to a blob store, if there can be one."""
        return self.seed % 2 == 0

    @property
    def store(self) -> stores.Kind:
        """Where results go."""
        return "container" if self.wants_container and available() else "share"

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
    async with _site(options, random) as site:
        injector = Injector(site)
        started = time.monotonic()
        with guard() as mark:
            async with site.running(mark):
                await _feed_and_injure(site, injector, strokes, options)
                seconds = time.monotonic() - started
        troubles, quarantined = _compare(site, options.retention)
        diagnosis = _look_into_it(site, options.folder / "kept") if troubles else None
    return Report(options.seed, site.feeder.deliveries, injector.done, troubles, quarantined, seconds, diagnosis)


@asynccontextmanager
async def _site(options: Options, random: Random) -> AsyncIterator[Site]:
    trust = options.models.with_name("trust")
    models = tuple(prepare(DIGITS, options.models, trust))
    root = options.folder.resolve()
    shutil.rmtree(root, ignore_errors=True)
    disks, launcher = Disks.below(root), Launcher(root / "launch")
    await disks.mount()
    launcher.make()
    feeder = Feeder(disks.share.disk.content, digits.good(data.load()[1], PICTURES), random)
    with stores.running(options.store, root, disks.cloud) as store:
        given = Given(models, options.models, trust, options.retention, store.environment())
        process = simulator(root, disks, launcher, given)
        yield Site(process, disks, store, launcher, feeder, models)


async def _feed_and_injure(site: Site, injector: Injector, strokes: Sequence[Stroke], options: Options) -> None:
    """Until all has settled."""
    # A cloud share that was never there cannot be told from its empty folder: the first file has it to itself.
    site.feeder.write_one()
    if await _settled(site, options):
        async with asyncio.TaskGroup() as group:
            group.create_task(site.feeder.run(options.files, options.seconds))
            group.create_task(injector.run(strokes))
        await _settled(site, options)


async def _settled(site: Site, options: Options) -> bool:
    """Wait until everything has come to its end, and say so; or give up."""
    patience = Patience(options.patience_s)
    while left := unsettled(site.feeder.deliveries, evidence.read_ledger(site.disks.ledger.content)):
        if not patience.lasts(len(left)):
            return False
        await asyncio.sleep(POLL_S)
    return True


def _compare(site: Site, retention: str) -> tuple[list[Trouble], int]:
    disks = site.disks
    found = evidence.read_all(disks.share.disk.content, site.store.contents(), disks.ledger.content)
    return judge(site.feeder.deliveries, found, retention), len(found.quarantine)


def _look_into_it(site: Site, folder: Path) -> Diagnosis:
    """Keep what tells why; the disks go with the run."""
    disks = site.disks
    for name, place in {
        "ledger": disks.ledger.content,
        "spool": disks.spool.content,
        "store": site.store.contents(),
    }.items():
        shutil.copytree(place, folder / name)
    shutil.copy(site.state.database, folder)
    logs = [Path(shutil.copy(log, folder)) for log in site.logs()]
    return diagnose(disks, site.state, logs)
