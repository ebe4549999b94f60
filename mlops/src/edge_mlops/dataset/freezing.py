"""The step ``dataset``: freezes what upload stored."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np

from edge_common.contract import Input
from edge_mlops.dataset import labels as labelling
from edge_mlops.dataset import selection, versions
from edge_mlops.dataset.profile import Profile, measure
from edge_mlops.dataset.report import report
from edge_mlops.dataset.split import SPLITS
from edge_mlops.errors import DatasetError
from edge_mlops.originals import Prepared, prepared
from edge_upload.sinks import Sink
from edge_upload.sinks.choice import named
from edge_upload.verify import scratch

PROFILE: Final = "profile.json"
PAGE: Final = "profile.html"


async def freeze(store: str, folder: Path, name: str, labels: Path | None, wanted: Input | None, now: datetime) -> Path:
    """Make a version of a dataset; none is made where the latest one holds the same.

    Args:
        store: The cloud share, as it is mounted here, or a container's address.
        folder: Where datasets are.
        name: Of this one.
        labels: A file of labels.
        wanted: A contract's input half, to look at samples as the model would.
        now: When.

    Returns:
        The version's folder.

    Raises:
        StepError: It cannot be made.
        SinkError: The store does not answer.
        ConfigurationError: The environment opens no such store.
        ScratchError: The disk for scratch files refuses.
    """
    sink = named(store)
    try:
        with scratch.opened() as db, versions.draft(folder, name) as made:
            await selection.load(db, sink, labelling.read(labels) if labels else ())
            tally = versions.Tally()
            versions.write_manifest(made, tally.seen(selection.items(db)))
            if not tally.items:
                raise DatasetError(f"there are no originals in {store}: set upload's property originals")
            before = versions.latest(folder, name)
            if before and versions.read(before).digest == tally.digest:
                return before
            about = versions.Dataset(
                name=name,
                version=int(before.name) + 1 if before else 1,
                digest=tally.digest,
                store=_from_anywhere(store),
                created=now,
                items=tally.items,
                labelled=tally.labelled,
                classes=dict(sorted(tally.classes.items())),
                left_out=selection.left_out(db),
            )
            await _describe(sink, made, about, wanted, before)
            return versions.publish(made, about)
    finally:
        await sink.close()


def _from_anywhere(store: str) -> str:
    """The store's name, wherever somebody stands who uses it."""
    return store if "://" in store else str(Path(store).resolve())


async def _describe(sink: Sink, made: Path, about: versions.Dataset, wanted: Input | None, before: Path | None) -> None:
    """Write the profile, and its page."""
    earlier = Profile.model_validate_json((before / PROFILE).read_bytes()) if before else None
    async with aclosing(_looked_at(sink, made, wanted)) as items:
        profile = await measure(items, wanted, earlier)
    (made / PROFILE).write_text(profile.model_dump_json(indent=2) + "\n")
    (made / PAGE).write_text(report(about, profile, earlier))


async def _looked_at(sink: Sink, made: Path, wanted: Input | None) -> AsyncGenerator[Prepared, None]:
    items = versions.items(made, *SPLITS)
    if wanted:
        async for one in prepared(sink, items, wanted):
            yield one
    else:
        for item in items:
            yield Prepared(item, np.empty(0, np.float32))
