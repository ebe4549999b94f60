"""What the inference module can be told."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from edge_common.settings import Environment, TwinSettings


class InferenceEnvironment(Environment):
    """What the module takes from its environment.

    Attributes:
        tensor_dir: The tensor store that transform writes.
        model_dir: Where model packages lie that twins may name: OCI image layouts and folders.
    """

    tensor_dir: Path
    model_dir: Path


class InferenceSettings(TwinSettings):
    """What the module takes from its twin, beside the section ``model``.

    Attributes:
        providers: onnxruntime's execution providers, the preferred one first; those that are not there are left out.
        require_gpu: Whether to refuse service where the model does not run on a GPU.
        callers: Batches that run at once; 0 is one for each core.
        announce_seconds: How often the contract is announced.
        release_seconds: How long the model before stays loaded without a batch of its own.
        max_model_bytes: The largest package that is taken in.
    """

    providers: Annotated[tuple[str, ...], Field(min_length=1)] = ("CUDAExecutionProvider", "CPUExecutionProvider")
    require_gpu: bool = False
    callers: Annotated[int, Field(ge=0, le=256)] = 0
    announce_seconds: Annotated[float, Field(ge=1)] = 30.0
    release_seconds: Annotated[float, Field(ge=0)] = 30.0
    max_model_bytes: Annotated[int, Field(ge=1)] = 4 << 30
