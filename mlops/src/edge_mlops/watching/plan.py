"""What is watched, and what is done then: a JSON file. Its paths are relative to it."""

from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic.alias_generators import to_camel

from edge_mlops.documents import wrong
from edge_mlops.errors import InputError
from edge_mlops.evaluation.gate import Gate
from edge_mlops.rollout.plan import Plan as RolloutPlan
from edge_mlops.training.recipes import Recipe

FOLDER: Final = "folder"
"""In the context of a validation: where the plan is."""


def _beside(path: Path, info: ValidationInfo) -> Path:
    return Path(info.context[FOLDER], path) if info.context else path


class _Part(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True, validate_default=False
    )


class When(_Part):
    """What is reason enough. An item counts that has a label, and that the last round's dataset has not, or otherwise.

    Attributes:
        new_items: So many of them.
        new_items_in_drift: So many while devices tell of drift.
        drifting_devices: So many devices at least make a drift.
    """

    new_items: Annotated[int, Field(ge=1)] = 500
    new_items_in_drift: Annotated[int, Field(ge=1)] = 50
    drifting_devices: Annotated[int, Field(ge=1)] = 1


class Signing(_Part):
    """Who signs.

    Attributes:
        key: The private key: PEM.
        chain: Its certificates: PEM, the key's own first, the root last.
    """

    key: Path
    chain: Path

    _beside = field_validator("key", "chain")(_beside)


class Registry(_Part):
    """Where packages are pushed to.

    Attributes:
        repository: ``<registry>/<repository>``; the version becomes the tag.
        plain_http: Whether the registry speaks no TLS.
        ca: Certificates to trust besides.
        credentials: A config.json as ``docker login`` writes it; docker's own unless given.
    """

    repository: str
    plain_http: bool = False
    ca: Path | None = None
    credentials: Path | None = None

    _beside = field_validator("ca", "credentials")(_beside)


class Plan(_Part):
    """A plan.

    Attributes:
        name: Of the dataset, and of the model.
        store: The cloud share, as it is mounted here, or a container's address.
        labels: The file of labels.
        input: A contract, or its input half.
        folder: Where datasets, runs and the memory of the watch are kept.
        layout: The OCI image layout that packages are added to.
        signing: Who signs them.
        registry: Where they are pushed to; without it, the layout is where devices find them.
        recipe: How is trained.
        gate: What a model must reach.
        when: What is reason enough.
        rollout: In which waves devices are told of a model; without it, it is published and no more.
        every_seconds: Between two looks.
    """

    name: str
    store: str
    labels: Path
    input: Path
    folder: Path
    layout: Path
    signing: Signing
    registry: Registry | None = None
    recipe: Recipe = Recipe()
    gate: Gate = Gate()
    when: When = When()
    rollout: RolloutPlan | None = None
    every_seconds: Annotated[float, Field(gt=0)] = 300.0

    _beside = field_validator("labels", "input", "folder", "layout")(_beside)

    @field_validator("recipe", mode="before")
    @classmethod
    def _nothing_unknown(cls, recipe: Any) -> Any:
        """A run's record may come from a later release, and so a recipe takes any field; a plan is somebody's."""
        if isinstance(recipe, dict) and (unknown := recipe.keys() - Recipe.model_fields):
            raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
        return recipe

    @property
    def datasets(self) -> Path:
        """Where datasets are."""
        return self.folder / "datasets"

    @property
    def runs(self) -> Path:
        """Where runs are."""
        return self.folder / "runs"

    @field_validator("store")
    @classmethod
    def _store_beside(cls, store: str, info: ValidationInfo) -> str:
        return store if "://" in store else str(_beside(Path(store), info))


def read_plan(file: Path) -> Plan:
    """The plan in a file.

    Raises:
        InputError: It holds none.
    """
    context: dict[str, Any] = {FOLDER: file.resolve().parent}
    try:
        return Plan.model_validate_json(file.read_bytes(), context=context)
    except ValidationError as error:
        raise InputError(wrong(file, error)) from error
