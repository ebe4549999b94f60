"""What says that an optimised graph is whole, and made by what would run it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self

from pydantic import BaseModel

from edge_inference.errors import ModelError
from edge_inference.external import check_external
from edge_inference.package import GRAPH
from edge_inference.plainfiles import file_digest, plain_files

SEAL: Final = "seal.json"
WEIGHTS: Final = "weights"


class Seal(BaseModel):
    """``seal.json``, beside the graph and its weights.

    Attributes:
        made_by: The fingerprint of what made it.
        files: Digests by name.
    """

    made_by: str
    files: Mapping[str, str]

    @classmethod
    def of(cls, folder: Path, made_by: str) -> Self:
        """The seal of what is in a folder."""
        return cls(made_by=made_by, files={name: file_digest(folder, name) for name in plain_files(folder)})


def is_sound(folder: Path, made_by: str) -> bool:
    """Whether a folder holds a graph as it was made here: no byte of it damaged, and nothing reached for outside."""
    try:
        seal = Seal.model_validate_json((folder / SEAL).read_bytes())
        if seal.made_by != made_by or {*plain_files(folder)} != {SEAL, *seal.files}:
            return False
        check_external(folder / GRAPH, frozenset(seal.files))
        return all(file_digest(folder, name) == digest for name, digest in seal.files.items())
    except (OSError, ValueError, ModelError):
        return False
