"""What a deployment makes of a twin: `properties.desired` takes the place of all, and dotted names go into it."""

from collections.abc import Mapping
from typing import Any

from edge_simulator.manifest.content import DESIRED, read_section
from edge_simulator.manifest.errors import ManifestError


def desired_after(section: Any, known: Mapping[str, Any], module: str) -> dict[str, Any]:
    """Return a module's desired properties after a deployment's section for it.

    Raises:
        ManifestError: the section, or what it puts in place of all, is no object.
    """
    if not isinstance(section, Mapping):
        raise ManifestError("must be an object", module)
    return read_section({DESIRED: known, **section}, (module,))
