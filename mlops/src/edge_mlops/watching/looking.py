"""What there is to see: in the store, in the code, and on the devices."""

import hashlib
from pathlib import Path

from edge_mlops.dataset import labels as labelling
from edge_mlops.dataset import selection, versions
from edge_mlops.dataset.split import SPLITS
from edge_mlops.training import runs
from edge_mlops.watching.fleet import Fleet
from edge_mlops.watching.plan import Plan
from edge_mlops.watching.trigger import Seen
from edge_mlops.wishes import read_wish
from edge_upload.sinks.choice import named
from edge_upload.verify import scratch

KNOWN = "CREATE TEMP TABLE known (sha256 TEXT, classes TEXT, PRIMARY KEY (sha256, classes)) WITHOUT ROWID"
IS_KNOWN = "SELECT 1 FROM known WHERE sha256 = ? AND classes = ?"


async def look(plan: Plan, version: str | None, fleet: Fleet | None) -> Seen:
    """Look once.

    Args:
        plan: What is watched.
        version: Of the last round's dataset.
        fleet: The devices.

    Raises:
        StepError: Store, labels or plan do not do.
        SinkError: The store does not answer.
    """
    known = plan.datasets / plan.name / version if version else None
    return Seen(
        new_items=await new_items(plan.store, plan.labels, known),
        drifting_devices=fleet.drifting() if fleet else 0,
        method=method(plan),
    )


async def new_items(store: str, labels: Path, version: Path | None) -> int:
    """How many items with labels a version of a dataset has not, or has with others. Memory does not grow with them."""
    sink = named(store)
    try:
        with scratch.opened() as db:
            db.execute(KNOWN)
            known = ((item.sha256, str(item.classes)) for item in versions.items(version, *SPLITS)) if version else ()
            db.executemany("INSERT INTO known VALUES (?, ?)", known)
            await selection.load(db, sink, labelling.read(labels))
            labelled = (item for item in selection.items(db) if item.classes)
            return sum(not db.execute(IS_KNOWN, (one.sha256, str(one.classes))).fetchone() for one in labelled)
    finally:
        await sink.close()


def method(plan: Plan) -> str:
    """Digest of all that trains and judges, data apart, in hex."""
    ingredients = runs.Ingredients(
        dataset="",
        data="",
        wish=read_wish(plan.input),
        recipe=plan.recipe,
        code=runs.code(),
        environment=runs.environment(plan.recipe),
    )
    return hashlib.sha256(f"{ingredients.digest} {plan.gate.model_dump_json()}".encode()).hexdigest()[:16]
