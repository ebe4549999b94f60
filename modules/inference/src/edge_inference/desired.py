"""The desired property ``model``: which model is wanted, and where it lies."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from edge_common.files import resolve_inside
from edge_common.messages import ModelIdentity
from edge_inference.errors import BadDesiredError
from edge_inference.package import NAME
from edge_inference.registry.names import RegistryName
from edge_inference.registry.registries import Registries, RegistrySource
from edge_inference.sources import FolderSource, LayoutSource, ModelSource

_LOCAL: Final = re.compile(r"(oci|dir):([^@\0]{1,1000})@(sha256:[0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Reference:
    """Where a package lies, pinned by its manifest's digest.

    ``oci:<folder>@sha256:<hex>`` is an OCI image layout, ``dir:<folder>@sha256:<hex>`` an unpacked package; the folder
    is relative to the module's ``MODEL_DIR``. ``<registry>/<repository>@sha256:<hex>`` is in an OCI registry.
    """

    kind: Literal["oci", "dir", "registry"]
    place: str
    digest: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a reference.

        Raises:
            ValueError: It is none, or is not pinned.
        """
        if match := _LOCAL.fullmatch(text):
            return cls("oci" if match[1] == "oci" else "dir", match[2], match[3])
        name = RegistryName.parse(text)
        if not name.digest:
            raise ValueError("must be pinned: <registry>/<repository>@sha256:<64 hex>")
        return cls("registry", f"{name.registry}/{name.repository}", name.digest)


@dataclass(frozen=True)
class Places:
    """Where packages may come from, as the deployment says.

    Attributes:
        models: The module's ``MODEL_DIR``.
        registries: Those that are allowed.
    """

    models: Path
    registries: Registries


def _reference(text: str) -> str:
    Reference.parse(text)
    return text


_Name = Annotated[str, Field(pattern=f"^{NAME.pattern}$")]


_SETTINGS: Final = ConfigDict(frozen=True, extra="forbid", strict=True, alias_generator=to_camel)

_Share = Annotated[float, Field(ge=0, le=1)]


class Shadow(BaseModel):
    """How long a candidate runs beside the active model, on what that one answers.

    Attributes:
        items: Until it has seen so many samples,
        max_seconds: or for so long.
        share: How many of the live items are prepared for it as well, where it takes another input.
    """

    model_config = _SETTINGS

    items: Annotated[int, Field(ge=1, le=1_000_000)]
    max_seconds: Annotated[float, Field(gt=0, le=86_400)] = 300.0
    share: Annotated[float, Field(gt=0, le=1)] = 0.1


class Gate(BaseModel):
    """What a candidate must do to become, and to stay, the active model.

    Attributes:
        golden_min_agreement: The least share of its package's examples that it must give.
        p95_ratio: The most that its 95th percentile of seconds a sample may be of the active model's; in Baking.
        max_error_rate: The most live samples that it may fail on, as a share; in Shadow and Baking.
        min_agreement: The least share of live samples that it must answer as the active model does; in Shadow, and in
            Baking where both take the same input.
        bake_seconds: How long it is watched after the switch, with the model before it ready to return.
    """

    model_config = _SETTINGS

    golden_min_agreement: _Share = 1.0
    p95_ratio: Annotated[float, Field(gt=0)] = 2.0
    max_error_rate: _Share = 0.01
    min_agreement: _Share = 0.0
    bake_seconds: Annotated[float, Field(ge=0, le=86_400)] = 0.0


@dataclass(frozen=True)
class Wish:
    """A model that is to serve.

    Attributes:
        identity: Which one.
        source: Where to get it if the store has it not.
        request_id: The operator's.
        gate: What it must do; None for one that has served before.
        shadow: How long it runs beside the active model first.
        alone: Whether memory holds only one model.
        allow_downgrade: Whether it may be an older version of the active model.
    """

    identity: ModelIdentity
    source: ModelSource | None = None
    request_id: str | None = None
    gate: Gate | None = None
    shadow: Shadow | None = None
    alone: bool = False
    allow_downgrade: bool = True


class DesiredModel(BaseModel):
    """What the operator wants.

    Attributes:
        name: The model's, as its package says.
        version: The model's, as its package says.
        ref: Where the package lies; see :class:`Reference`.
        request_id: Told apart by this, the same model may be asked for again; comes back in the report.
        swap: ``availability`` loads it beside the active model; ``resource`` lets go of that one first, for devices
            whose memory holds only one: meanwhile batches are put off.
        shadow: Whether, and how long, it runs beside the active model first.
        gate: What it must do.
        allow_downgrade: Whether it may be an older version of the active model.
    """

    model_config = _SETTINGS

    schema_: Annotated[Literal[1], Field(alias="schema")]
    name: _Name
    version: _Name
    ref: Annotated[str, AfterValidator(_reference)]
    request_id: Annotated[str, Field(max_length=200)] | None = None
    swap: Literal["availability", "resource"] = "availability"
    shadow: Shadow | None = None
    gate: Gate = Gate()
    allow_downgrade: bool = False

    @model_validator(mode="after")
    def _memory_for_both(self) -> Self:
        if self.shadow and self.swap == "resource":
            raise ValueError("shadow needs both models in memory, which swap: resource rules out")
        return self

    @classmethod
    def read(cls, value: Any) -> Self:
        """Read the desired property.

        Raises:
            BadDesiredError: It makes no sense; every error is named.
        """
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            entries = error.errors(include_url=False, include_input=False)
            reasons = [f"{'.'.join(map(str, entry['loc'])) or 'model'}: {entry['msg']}" for entry in entries[:10]]
            raise BadDesiredError("; ".join(reasons)) from None

    def wish(self, places: Places) -> Wish:
        """What that comes to.

        Args:
            places: Where its bytes may be.

        Raises:
            BadDesiredError: The reference leads out of them.
        """
        return Wish(
            identity=self.identity,
            source=self.source(places),
            request_id=self.request_id,
            gate=self.gate,
            shadow=self.shadow,
            alone=self.swap == "resource",
            allow_downgrade=self.allow_downgrade,
        )

    @property
    def identity(self) -> ModelIdentity:
        """The model as it will name itself."""
        return ModelIdentity(name=self.name, version=self.version, digest=Reference.parse(self.ref).digest)

    def source(self, places: Places) -> ModelSource:
        """Where the package's bytes are.

        Args:
            places: Where they may be.

        Raises:
            BadDesiredError: The reference leads out of them.
        """
        reference = Reference.parse(self.ref)
        if reference.kind == "registry":
            name = RegistryName.parse(reference.place)
            return RegistrySource(places.registries.repository(name), reference.digest)
        try:
            folder = resolve_inside(places.models.resolve(), reference.place)
        except (ValueError, OSError) as error:
            raise BadDesiredError(f"ref: {error}") from None
        if reference.kind == "oci":
            return LayoutSource(folder, reference.digest)
        return FolderSource(folder, self.name, self.version)
