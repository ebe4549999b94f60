"""Checks the files for Azure Machine Learning without a workspace: ``python -m edge_mlops.azureml.checks FOLDER``.

azure-ai-ml loads each of them as the service's client does. What that passes over is looked for here.
"""

import logging
import re
import sys
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import click
import yaml
from azure.ai.ml.exceptions import MlException
from marshmallow import ValidationError

from edge_mlops.azureml import commands, wiring
from edge_mlops.azureml.kinds import KINDS, unknown

_KIND: Final = re.compile(r"https://azuremlschemas\.azureedge\.net/latest/(\w+)\.schema\.json")
_REFERENCE: Final = re.compile(r"azureml:(?P<name>[\w-]+)(?:@latest|:[\w.-]+)?")
_DATASTORE: Final = re.compile(r"azureml://datastores/(?P<name>\w+)/paths/.*")
_LOCAL: Final = re.compile(r"[\w.][^:]*")
_SECRET: Final = re.compile(
    r"(?i)accountkey=|sharedaccess|[?&]sig=|private key-----|(?:password|secret|token|key)\s*[:=]\s*['\"]?(?!https://)"
    r"[a-z0-9+/=_-]{20,}|(?<![\w/+:@-])(?![0-9a-f]+\b)[a-z0-9+/]{43,}={0,2}(?![\w/+.-])"
)
_NAMED: Final = {"amlCompute", "azureBlob", "data", "environment"}
_MADE: Final = {"model"}
"""What is named by these is made by a pipeline, so no file describes it."""


def findings(folder: Path) -> Iterator[str]:
    """What is wrong with the files in a folder, a sentence each."""
    for file in _files(folder):
        yield from alone(folder, file)
    yield from together(folder)


def alone(folder: Path, file: Path) -> Iterator[str]:
    """What is wrong with one of them."""
    yield from (f"{file.relative_to(folder)}: {found}" for found in _of_file(file, _read(file)))


def _of_file(file: Path, document: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"this looks like a secret: {match[0][:12]}…" for match in _SECRET.finditer(file.read_text()))
    match = _KIND.fullmatch(str(document.get("$schema")))
    kind = KINDS.get(match[1]) if match else None
    if match is None or kind is None:
        yield f"nobody knows its $schema, {document.get('$schema')}"
        return
    yield from (f"nobody knows {key}" for key in unknown(kind, document))
    try:
        result = kind.load(file)
        if kind.validated:
            yield from (f"{where}: {why}" for where, why in result._validate().error_messages.items())  # noqa: SLF001
    except (MlException, ValidationError, ValueError) as error:
        yield " ".join(str(error).split())[:500]
    if match[1] == "commandComponent":
        yield from wiring.in_component(document)
        yield from commands.wrong(document.get("command", ""), document.get("inputs", {}))


def together(folder: Path) -> Iterator[str]:
    """What is wrong with what one file says of another."""
    documents = {str(file.relative_to(folder)): _read(file) for file in _files(folder)}
    kinds = {
        path: str(document.get("$schema")).rpartition("/")[2].partition(".")[0] for path, document in documents.items()
    }
    components = {path: documents[path] for path, kind in kinds.items() if kind == "commandComponent"}
    known = {str(documents[path].get("name")) for path, kind in kinds.items() if kind in _NAMED}
    for path, document in documents.items():
        if kinds[path] == "pipelineJob":
            yield from (f"{path}: {found}" for found in wiring.in_pipeline(document, components))
        for key, text in _texts(document):
            match = _DATASTORE.fullmatch(text) or _REFERENCE.fullmatch(text)
            if match and match["name"] not in known:
                yield f"{path}: no file describes {text}"
            if key == "path" and _LOCAL.fullmatch(text) and not (folder / path).parent.joinpath(text).exists():
                yield f"{path}: there is no {text}"


def _files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.yml"))


def _read(file: Path) -> Mapping[str, Any]:
    document: Mapping[str, Any] = yaml.safe_load(file.read_text())
    return document


def _texts(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """All texts in a document, each with its key."""
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, Mapping):
        for key_, inner in value.items():
            if key_ not in _MADE:
                yield from _texts(inner, key_)


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def main(folder: Path) -> None:
    """Check the files for Azure Machine Learning in FOLDER. What is wrong is printed, and the status is 1 then."""
    logging.getLogger("azure").setLevel(logging.ERROR)
    with warnings.catch_warnings(action="ignore"):
        found = [*findings(folder)]
    for each in found:
        click.echo(each)
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
