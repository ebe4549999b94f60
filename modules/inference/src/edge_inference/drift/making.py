"""Makes the reference of an unpacked package by running it."""

from pathlib import Path

from edge_common.messages import ModelIdentity
from edge_inference.drift.reference import Reference, reference
from edge_inference.model import load_model, verify
from edge_inference.onnx_session import OnnxSession
from edge_inference.session import Array, Plan

_NOBODY = ModelIdentity(name="unpacked", version="0", digest=f"sha256:{'0' * 64}")


def make_reference(folder: Path, samples: Array, bins: int) -> Reference:
    """Run a package's graph on samples, and see how both are distributed.

    Args:
        folder: The package's files.
        samples: Prepared as its contract says, of shape ``(rows, channels, height, width)``.
        bins: Of each feature.

    Raises:
        ModelError: The package would be refused, for that reason.
        RunFailedError: The graph does not run on the samples.
        ValueError: They are no samples of its contract.
    """
    contract = verify(folder)
    wanted, size = contract.input, contract.input.batch
    if samples.dtype != wanted.sample_dtype or samples.shape[1:] != wanted.sample_shape:
        shape = ", ".join(map(str, wanted.sample_shape))
        raise ValueError(f"{wanted.sample_dtype} of shape (rows, {shape}) is wanted, not {samples.shape}")
    model = load_model(folder, _NOBODY, contract, OnnxSession, Plan(("CPUExecutionProvider",), require_gpu=False))
    pieces = (samples[first : first + size] for first in range(0, len(samples), size))
    return reference(contract, ((piece, model.run(piece)) for piece in pieces), bins)
