"""The deployments that examples run: the suite's template, with a route of its own."""

from pathlib import Path
from typing import Final

from edge_examples.example import Example
from edge_examples.suite import TEMPLATE

BESIDE: Final = ("modules", ".env")
"""What the template refers to."""

SOURCE: Final = "FROM /messages/modules/inference/outputs/predictions"

PREDICTING: Final = r"modules/transform/outputs/tensors INTO BrokeredEndpoint(\"/modules/inference/inputs/tensors\")"
COLLECTING: Final = r"modules/transform/outputs/tensors INTO BrokeredEndpoint(\"/modules/upload/inputs/records\")"


def deployment(example: Example, folder: Path) -> Path:
    """Write it.

    Args:
        example: Whose.
        folder: Where; made if it is not there.

    Returns:
        The template.
    """
    if not example.upstream:
        return TEMPLATE
    return _changed(folder, f"{SOURCE} INTO $upstream", f"{SOURCE} WHERE {example.upstream} INTO $upstream")


def collecting(folder: Path) -> Path:
    """Write that of a device that has no model yet: what transform prepares goes to upload at once.

    Args:
        folder: Where; made if it is not there.

    Returns:
        The template.
    """
    return _changed(folder, PREDICTING, COLLECTING)


def _changed(folder: Path, before: str, after: str) -> Path:
    """The suite's template with another route."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in BESIDE:
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(TEMPLATE.with_name(name).resolve())
    template = folder / TEMPLATE.name
    template.write_text(TEMPLATE.read_text().replace(before, after))
    return template
