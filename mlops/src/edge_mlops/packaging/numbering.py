"""What the next version is called."""

import re
from collections.abc import Iterable
from functools import reduce
from pathlib import Path

from edge_inference import layout as layouts
from edge_inference.layout import Entry
from edge_inference.versions import is_older
from edge_mlops.errors import RunError


def versions_of(name: str, layout: Path) -> dict[str, Entry]:
    """The versions of a model that a layout has; none where there is no layout."""
    found = layouts.entries(layout) if (layout / "index.json").exists() else []
    return {entry.tag.partition(":")[2]: entry for entry in found if entry.tag.startswith(f"{name}:")}


def latest(versions: Iterable[str]) -> str | None:
    """The latest of some versions; None where there is none."""
    every = [*versions]
    return reduce(lambda one, other: other if is_older(one, other) else one, every) if every else None


def next_version(versions: Iterable[str]) -> str:
    """One more than the first number of the latest; 1 where there is none.

    Raises:
        RunError: The latest begins with no number.
    """
    before = latest(versions)
    if before is None:
        return "1"
    number = re.match(r"\d+", before)
    if number is None:
        raise RunError(f"the latest version is {before!r}, which has no next number")
    return str(int(number[0]) + 1)


def rival(layout: Path, reference: str) -> tuple[Path, str] | None:
    """The model that is meant.

    Args:
        layout: Where it is.
        reference: Its tag there, or its digest; or its name, for its latest version.

    Returns:
        The layout, and its tag or digest there; None where no version of that name is there.
    """
    if ":" in reference:
        return layout, reference
    newest = latest(versions_of(reference, layout))
    return (layout, f"{reference}:{newest}") if newest else None
