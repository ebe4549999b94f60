"""The suite's own template, with what a run changes in it."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge_examples.suite import TEMPLATE
from edge_simulator.manifest import options
from edge_simulator.manifest.expansion import expand_template

MODULES = ("ingest", "transform", "inference", "upload")

LEASE_S = 3.0
ATTEMPTS = 3
OUTAGE_S = (LEASE_S * ATTEMPTS + 1, LEASE_S * ATTEMPTS + 4)
"""Longer than an item's lease times its attempts: nothing may be quarantined for that."""

TWINS: Mapping[str, Mapping[str, Any]] = {
    "ingest": {
        "leaseSeconds": LEASE_S,
        "maxAttempts": ATTEMPTS,
        "settleSeconds": 0.5,
        "scanSeconds": 5,
        "inquirySeconds": 3,
        "reportSeconds": 1,
    },
    "transform": {"orphanSeconds": 10, "storeBudgetBytes": 8 << 20},
    "inference": {"announceSeconds": 5},
    "upload": {"shardSeconds": 2},
}
"""Shorter times than on a device, so that minutes show what there takes hours."""

PROGRAMS = {module: f"edge-{module}" for module in MODULES} | {"transform": "python -m support.fragile"}


def deployment(
    sources: Mapping[str, str], launch: Path, retention: str, store: Mapping[str, str], model: Mapping[str, Any]
) -> dict[str, Any]:
    """The manifest of a run.

    Args:
        sources: The template's variables.
        launch: A folder with a file of environment for each module, which is read at each of its starts.
        retention: What becomes of uploaded files.
        store: What upload is told of its store.
        model: The model to start with.
    """
    manifest: dict[str, Any] = json.loads(expand_template(TEMPLATE, {**os.environ, **sources}, "amd64").text)
    content = manifest["modulesContent"]
    entries = content["$edgeAgent"]["properties.desired"]["modules"]
    for module, entry in entries.items():
        entry["settings"] = _launched(entry["settings"], launch / module, PROGRAMS[module])
    del entries["upload"]["env"]["CLOUD_DIR"]
    entries["upload"]["env"] |= {name: {"value": value} for name, value in store.items()}
    twins = {**TWINS, "ingest": {**TWINS["ingest"], "retention": retention}}
    twins["inference"] = {**twins["inference"], "model": model}
    for module, desired in twins.items():
        content[module]["properties.desired"] |= desired
    return manifest


def _launched(settings: Mapping[str, Any], launch: Path, program: str) -> dict[str, Any]:
    create_options = {**options.join(settings), "Entrypoint": ["/bin/sh", "-c", f". {launch}; exec {program}"]}
    return {"image": settings["image"], "createOptions": json.dumps(create_options)}
