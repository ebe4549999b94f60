"""The desired property ``model``: which model is wanted, and where it lies."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
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


class DesiredModel(BaseModel):
    """What the operator wants.

    Attributes:
        name: The model's, as its package says.
        version: The model's, as its package says.
        ref: Where the package lies; see :class:`Reference`.
        request_id: Told apart by this, the same model may be asked for again; comes back in the report.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, alias_generator=to_camel)

    schema_: Annotated[Literal[1], Field(alias="schema")]
    name: _Name
    version: _Name
    ref: Annotated[str, AfterValidator(_reference)]
    request_id: Annotated[str, Field(max_length=200)] | None = None

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
