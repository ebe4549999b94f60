"""What a candidate must reach. Pure."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from edge_mlops.documents import wrong
from edge_mlops.errors import InputError
from edge_mlops.evaluation.slices import Slice


class Gate(BaseModel):
    """What a candidate must reach.

    Attributes:
        precision: The least mean of the labels' precisions.
        no_worse_slices: Whether it must be no worse than the active model on any slice, beyond chance.
        max_latency_ratio: The most that its median latency may be, over the active model's.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True, serialize_by_alias=True
    )

    precision: Annotated[float, Field(ge=0, le=1)] = 0.0
    no_worse_slices: bool = True
    max_latency_ratio: Annotated[float, Field(gt=0)] = 2.0

    def refusals(self, precision: float, slices: Sequence[Slice], latency_ratio: float | None) -> list[str]:
        """Why a candidate does not pass; nothing, if it does.

        Args:
            precision: The mean of its labels' precisions.
            slices: How it does on each.
            latency_ratio: Its median latency over the active model's, if there is one.
        """
        return [*self._refusals(precision, slices, latency_ratio)]

    def _refusals(self, precision: float, slices: Sequence[Slice], latency_ratio: float | None) -> Iterator[str]:
        if precision < self.precision:
            yield f"its precision is {precision:.4f}, less than {self.precision}"
        for one in slices if self.no_worse_slices else ():
            if one.worse:
                yield f"on slice {one.name!r} its accuracy is {one.accuracy:.4f}, the active model's {one.active:.4f}"
        if latency_ratio is not None and latency_ratio > self.max_latency_ratio:
            yield f"it takes {latency_ratio:.2f} times as long as the active model, more than {self.max_latency_ratio}"


def read_gate(file: Path) -> Gate:
    """The gate in a JSON file.

    Raises:
        InputError: It holds none.
    """
    try:
        return Gate.model_validate_json(file.read_bytes())
    except ValidationError as error:
        raise InputError(wrong(file, error)) from error
