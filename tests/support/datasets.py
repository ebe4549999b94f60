"""Stores as upload fills them, for the steps of ``edge-mlops``."""

import asyncio
import hashlib
import io
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np
from click.testing import CliRunner, Result
from PIL import Image

from edge_common.messages import Event, HistoryMessage, Item, ItemHistory
from edge_mlops.cli import main
from support.upload import DAY, Bench, HurriedClock, item, predicted, predictions, until_history

DEVICE = "edge 7"
SMALL = {"kind": "image", "name": "image", "width": 8, "height": 8, "channels": "L", "mean": [0], "scale": [1 / 255]}


def picture(grey: int) -> bytes:
    file = io.BytesIO()
    Image.new("L", (16, 16), grey).save(file, "PNG")
    return file.getvalue()


def on_share(share: Path, name: str, content: bytes, day: date = DAY) -> Item:
    made = item(name, day=day)
    path = share / made.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return made.model_copy(update={"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)})


def lives(items: Sequence[Item], quarantined: Sequence[Item]) -> HistoryMessage:
    """What ingest says of them."""
    ends = [(one, "quarantined" if one in quarantined else "done") for one in items]
    return HistoryMessage(
        ledger="a" * 32,
        items=tuple(
            ItemHistory(
                **one.model_dump(exclude={"attempt", "captured"}),
                events=tuple(
                    Event(number=2 * number + step, event=event, attempt=1, at=1.7e9)
                    for step, event in enumerate(("seen", end), start=1)
                ),
            )
            for number, (one, end) in enumerate(ends)
        ),
    )


async def upload(root: Path, items: Sequence[Item], quarantined: Sequence[Item] = ()) -> None:
    bench = Bench(root, DEVICE)
    bench.clock = HurriedClock()
    bench.batch("b", np.ones((len(items), 4), np.float32))
    async with bench.running(originals="all") as hub:
        hub.deliver("history", lives(items, quarantined).encode())
        hub.deliver("records", predictions(*[predicted(one, first=n) for n, one in enumerate(items)]))
        await bench.uploaded(items)
        await until_history(bench)


class Store:
    """A filled store and the commands on it."""

    def __init__(self, root: Path) -> None:
        self.root, self.cloud, self.share = root, root / "cloud", root / "share"

    def fill(self, items: Sequence[Item], quarantined: Sequence[Item] = ()) -> None:
        asyncio.run(upload(self.root, items, quarantined))

    def freeze(self, *options: str | Path, store: str | None = None, **environment: str) -> Result:
        arguments = ["dataset", "pets", "--store", store or str(self.cloud), "--folder", str(self.root / "sets")]
        return CliRunner(env=environment).invoke(main, [*arguments, *map(str, options)])

    def frozen(self, *options: str | Path) -> Path:
        result = self.freeze(*options)
        assert result.exit_code == 0, result.output
        return Path(result.output.strip())

    def labels(self, text: str) -> Path:
        file = self.root / "labels.csv"
        file.write_text(text)
        return file


class Digits(NamedTuple):
    """What the steps after ``dataset`` start from: a version, what is asked of a model, and where the files are."""

    version: Path
    wish: Path
    store: Store
