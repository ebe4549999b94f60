"""A CycloneDX bill of materials (https://cyclonedx.org, version 1.6) from an image's inventory."""

import uuid
from collections.abc import Iterable, Mapping
from typing import Final

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL

NAMESPACES: Final[Mapping[str, str | None]] = {"pypi": None, "own": None, "deb": "debian"}


def bill_of_materials(image: str, version: str, inventory: Iterable[Mapping[str, str]]) -> str:
    """Return the bill as JSON; that of one inventory is always the same, but for the time it was made.

    Args:
        image: The image's name.
        version: The image's version.
        inventory: Entries of ``images/inventory.py``.
    """
    bom = Bom(serial_number=uuid.uuid5(uuid.NAMESPACE_URL, f"{image}:{version}"))
    bom.metadata.component = Component(name=image, version=version, type=ComponentType.CONTAINER, bom_ref=image)
    bom.components.update(map(_component, inventory))
    bom.register_dependency(bom.metadata.component, bom.components)
    return make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=2) + "\n"


def _component(entry: Mapping[str, str]) -> Component:
    kind, name, version = entry["kind"], entry["name"], entry["version"]
    # The suite's own packages are published nowhere, so no address says where they come from.
    purl = None if kind == "own" else PackageURL(kind, NAMESPACES[kind], name, version)
    licences = [LicenseFactory().make_from_string(entry["licence"])] if entry["licence"] else []
    return Component(
        name=name,
        version=version,
        type=ComponentType.LIBRARY,
        purl=purl,
        bom_ref=f"{kind}:{name}@{version}",
        licenses=licences,
    )
