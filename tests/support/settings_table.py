"""The README's table of desired properties, made from the settings' own types: ``python -m support.settings_table``."""

import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from edge_common.settings import TwinSettings
from edge_inference.settings import InferenceSettings
from edge_ingest.settings import IngestSettings
from edge_transform.settings import TransformSettings
from edge_upload.settings import UploadSettings

README = Path(__file__).parents[2] / "README.md"
MODULES: dict[str, type[TwinSettings]] = {
    "ingest": IngestSettings,
    "transform": TransformSettings,
    "inference": InferenceSettings,
    "upload": UploadSettings,
}
PLACE = re.compile(r"(<!-- settings -->\n).*?(<!-- /settings -->)", re.DOTALL)
ATTRIBUTE = re.compile(r"^    (\w+): (.*?)(?=^    \w+: |\Z)", re.MULTILINE | re.DOTALL)


def table() -> str:
    """Markdown: one row a desired property."""
    rows = [row for module, settings in MODULES.items() for row in _rows(module, settings)]
    return "\n".join(["| module | desired property | default | meaning |", "|---|---|---|---|", *rows, ""])


def filled(readme: str) -> str:
    """The README with the table in its place."""
    return PLACE.sub(lambda match: match[1] + table() + match[2], readme)


def _rows(module: str, settings: type[TwinSettings]) -> Iterator[str]:
    meanings = _meanings(settings)
    for name, field in settings.model_fields.items():
        yield f"| {module} | `{field.alias}` | {_default(field)} | {meanings[name]}{_choices(field)} |"


def _meanings(settings: type[TwinSettings]) -> dict[str, str]:
    attributes = inspect.cleandoc(settings.__doc__ or "").partition("Attributes:\n")[2]
    return {name: " ".join(text.split()).replace("``", "`") for name, text in ATTRIBUTE.findall(attributes)}


def _choices(field: FieldInfo) -> str:
    if get_origin(field.annotation) is not Literal:
        return ""
    return " One of " + ", ".join(f"`{choice}`" for choice in get_args(field.annotation)) + "."


def _default(field: FieldInfo) -> str:
    default = field.get_default(call_default_factory=True)
    return f"`{json.dumps(list(default) if isinstance(default, tuple) else default)}`".replace("|", "\\|")


if __name__ == "__main__":
    README.write_text(filled(README.read_text()))
