"""How a fleet takes a model: in which waves, and what may go wrong."""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from edge_inference.desired import DesiredModel
from edge_mlops.documents import wrong
from edge_mlops.errors import PlanError

ID: Final = re.compile(r"[\w.-]{1,100}", re.ASCII)
_OURS: Final = frozenset({"schema", "name", "version", "ref", "requestId"})


def _leave_ours(model: Mapping[str, Any]) -> Mapping[str, Any]:
    if taken := sorted(_OURS & model.keys()):
        raise ValueError(f"{', '.join(taken)}: not the plan's to say")
    return model


class Plan(BaseModel):
    """How a fleet takes a model.

    Attributes:
        waves: A target condition each; a device belongs to the first one that it meets.
        module: The name of the inference module.
        max_failures: So many devices of a wave may fail, or such a share of them (``"5%"``).
        wave_seconds: So long a wave may take, from when its last device was told.
        model: What else the desired property ``model`` is to have: ``gate``, ``shadow``, ``swap``, ``allowDowngrade``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True)

    waves: Annotated[tuple[str, ...], Field(min_length=1)]
    module: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,128}$")] = "inference"
    max_failures: Annotated[int, Field(ge=0)] | Annotated[str, Field(pattern=r"^\d{1,2}(\.\d+)?%$")] = 0
    wave_seconds: Annotated[float, Field(gt=0)] = 3600.0
    model: Annotated[Mapping[str, Any], AfterValidator(_leave_ours)] = {}

    def allowed(self, devices: int) -> int:
        """How many of a wave's devices may fail."""
        if isinstance(self.max_failures, int):
            return self.max_failures
        return int(devices * float(self.max_failures.removesuffix("%")) / 100)

    def downgrading(self) -> Self:
        """The same, by which devices take an older version, too."""
        return self.model_copy(update={"model": {**self.model, "allowDowngrade": True}})


def read_plan(file: Path) -> Plan:
    """The plan in a JSON file.

    Raises:
        PlanError: It holds none.
    """
    try:
        return Plan.model_validate_json(file.read_bytes())
    except ValidationError as error:
        raise PlanError(wrong(file, error)) from error


class Wish(BaseModel):
    """What devices are told.

    Attributes:
        id: The rollout's; devices report it back as ``requestId``.
        desired: The desired property ``model``.
        digest: The package's.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    desired: Mapping[str, Any]
    digest: str

    @classmethod
    def make(cls, plan: Plan, name: str, version: str, ref: str, rollout: str | None = None) -> Self:
        """Put together what a plan has devices told of a model.

        Args:
            plan: The plan.
            name: The model's.
            version: The model's.
            ref: Where its package lies, as a twin takes it.
            rollout: The rollout's id; unless given it follows from all of the above but the waves.

        Raises:
            BadDesiredError: A device would refuse that.
            PlanError: The id is none.
        """
        desired = {"schema": 1, "name": name, "version": version, "ref": ref, **plan.model}
        content = json.dumps([plan.module, desired], sort_keys=True).encode()
        found = rollout or f"{name}-{version}-{hashlib.sha256(content).hexdigest()[:8]}"
        if not ID.fullmatch(found):
            raise PlanError(f"{found!r} names no rollout: letters, digits, '.', '_' and '-', at most 100")
        desired["requestId"] = found
        return cls(id=found, desired=desired, digest=DesiredModel.read(desired).identity.digest)
