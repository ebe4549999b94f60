"""Runs: a folder for each, named by what went into it, so that equal ones are made once.

- ``run.json``: what went in and came out (:class:`Run`),
- ``model.onnx`` and ``contract.json``: the model,
- ``expected.npy``: the probabilities that the trained estimator gave for the test set, which the graph must give, too.
"""

import hashlib
import json
import platform
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import metadata, resources
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from edge_mlops.errors import ExtraError, RunError
from edge_mlops.training.recipes import MAKERS, Recipe
from edge_mlops.wishes import Wish

RUN: Final = "run.json"
EXPECTED: Final = "expected.npy"
PACKAGES: Final = ("numpy", "onnx")
"""Whose versions decide, whatever the estimator."""

CODE: Final = ("edge_common", "edge_mlops", "edge_transform")
"""The packages whose code decides how a model comes out."""


class Ingredients(BaseModel):
    """All that decides how a model comes out.

    Attributes:
        dataset: Name and version.
        data: The dataset's digest.
        wish: Input half, and alerts.
        recipe: How it is trained.
        code: SHA-256 over the code of ``CODE``, in hex.
        environment: Versions, by package.
    """

    model_config = ConfigDict(frozen=True)

    dataset: str
    data: str
    wish: Wish
    recipe: Recipe
    code: str
    environment: Mapping[str, str]

    @property
    def digest(self) -> str:
        """Names the run. What the dataset is called does not count."""
        text = json.dumps(self.model_dump(mode="json", exclude={"dataset"}), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


class Run(BaseModel):
    """What went into a model, and how it came out.

    Attributes:
        ingredients: What went in.
        version: The folder of the dataset's version.
        samples: By split.
        accuracy: By split, of the trained estimator.
        unprepared: Files with labels that could not be prepared, by code.
        converged: Whether the training came to an end before its most steps.
    """

    model_config = ConfigDict(frozen=True)

    ingredients: Ingredients
    version: Path
    samples: Mapping[str, int]
    accuracy: Mapping[str, float]
    unprepared: Mapping[str, int]
    converged: bool


def environment(recipe: Recipe) -> dict[str, str]:
    """Python, and the packages that decide.

    Raises:
        ExtraError: One of them is not installed.
    """
    packages = (*PACKAGES, *MAKERS[recipe.estimator].packages)
    try:
        return {"python": platform.python_version(), **{name: metadata.version(name) for name in packages}}
    except metadata.PackageNotFoundError as error:
        raise ExtraError(f"a {recipe.estimator} estimator takes {error.name}, which is not installed") from error


def code() -> str:
    """SHA-256 over the code that decides, in hex; it tells a change that was not committed, too."""
    hashed = hashlib.sha256()
    for package in CODE:
        root = Path(str(resources.files(package)))
        for file in sorted(root.rglob("*.py")):
            hashed.update(f"{package}/{file.relative_to(root).as_posix()}\0".encode() + file.read_bytes())
    return hashed.hexdigest()


def read(folder: Path) -> Run:
    """What is known of a run.

    Raises:
        RunError: The folder holds none.
    """
    try:
        return Run.model_validate_json((folder / RUN).read_bytes())
    except (OSError, ValidationError) as error:
        raise RunError(f"{folder} is no run ({str(error).splitlines()[0]})") from error


@contextmanager
def made(folder: Path) -> Iterator[Path]:
    """A folder beside a run's, which becomes it when it is left, and goes if that fails."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=folder.parent))
    try:
        yield draft
        draft.chmod(0o755)
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def as_json(of: BaseModel) -> str:
    """For a file that people read."""
    return of.model_dump_json(indent=2, by_alias=True) + "\n"
