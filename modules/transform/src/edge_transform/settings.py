"""The transform module's settings."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from edge_common.contract import Input
from edge_common.settings import Environment, TwinSettings
from edge_transform.prepare import MAX_PIXELS


class TransformEnvironment(Environment):
    """What transform takes from its environment.

    Attributes:
        share_dir: The local share; the paths of items are relative to it.
        tensor_dir: The tensor store's folder, best a tmpfs, which inference and upload may read.
    """

    share_dir: Path
    tensor_dir: Path


class TransformSettings(TwinSettings):
    """What transform takes from its desired properties.

    Attributes:
        batch_seconds: How long an item waits for others to fill its batch.
        store_budget_bytes: What all batches in the tensor store may take together. As much again may be held in
            memory on the way there, so keep it under half of the module's memory limit.
        grace_seconds: How long a batch outlives the leases of its items.
        orphan_seconds: How long a batch that was there at the start is left to its readers.
        max_pixels: Pictures with more are rejected by their header; those in hand at once have no more together.
        max_file_bytes: Larger files are rejected unread; those in hand at once have no more together.
        max_decode_seconds: Files that take more CPU time to decode are rejected.
        contract: The input half that is in force until a model has announced its own.
    """

    batch_seconds: Annotated[float, Field(ge=0, le=60)] = 0.02
    store_budget_bytes: Annotated[int, Field(gt=0)] = 256 * 1024**2
    grace_seconds: Annotated[float, Field(ge=0)] = 10.0
    orphan_seconds: Annotated[float, Field(ge=0)] = 120.0
    max_pixels: Annotated[int, Field(gt=0)] = MAX_PIXELS
    max_file_bytes: Annotated[int, Field(gt=0)] = 256 * 1024**2
    max_decode_seconds: Annotated[int, Field(ge=1)] = 30
    contract: Input | None = None
