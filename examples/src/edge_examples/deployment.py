"""The deployment that an example runs: the suite's template, with the example's own route to IoT Hub."""

from pathlib import Path
from typing import Final

from edge_examples.example import Example
from edge_examples.suite import TEMPLATE

BESIDE: Final = ("modules", ".env")
"""What the template refers to."""

SOURCE: Final = "FROM /messages/modules/inference/outputs/predictions"


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
    folder.mkdir(parents=True, exist_ok=True)
    for name in BESIDE:
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(TEMPLATE.with_name(name).resolve())
    everything, chosen = f"{SOURCE} INTO $upstream", f"{SOURCE} WHERE {example.upstream} INTO $upstream"
    template = folder / TEMPLATE.name
    template.write_text(TEMPLATE.read_text().replace(everything, chosen))
    return template
