"""Tensors as the protocol names and spells them.

https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md, "Tensor Data", and
the extension for binary tensors (see ``messages.py``): values little-endian in row-major order, each text behind its
length in four bytes.
"""

import struct
from collections.abc import Iterator, Mapping
from math import prod
from typing import Any, Final

import numpy as np

from edge_inference.session import Array, Port

Dtype = np.dtype[Any]

NAMES: Final[Mapping[str, str]] = {
    "tensor(bool)": "BOOL",
    "tensor(uint8)": "UINT8",
    "tensor(uint16)": "UINT16",
    "tensor(uint32)": "UINT32",
    "tensor(uint64)": "UINT64",
    "tensor(int8)": "INT8",
    "tensor(int16)": "INT16",
    "tensor(int32)": "INT32",
    "tensor(int64)": "INT64",
    "tensor(float16)": "FP16",
    "tensor(float)": "FP32",
    "tensor(double)": "FP64",
    "tensor(string)": "BYTES",
}
"""By onnxruntime's name. Sequences and maps have none, and are not served."""

TAKEN: Final[Mapping[str, str]] = {"float32": "FP32", "uint8": "UINT8"}
"""What samples are made of, by NumPy's name."""


def described(name: str, port: Port) -> dict[str, Any]:
    """An output, as metadata has it: -1 where the graph leaves a dimension open."""
    shape = [size if isinstance(size, int) else -1 for size in port.shape]
    return {"name": name, "datatype": NAMES[port.dtype], "shape": shape}


def numbers(data: Any, dtype: Dtype) -> Array:
    """Numbers in lists, nested or flat, in row-major order.

    Raises:
        ValueError: Some of it is no number, or none that the type can hold.
    """
    values = np.asarray(data)
    if values.size and values.dtype.kind not in "iuf":
        raise ValueError("data must be numbers")
    with np.errstate(over="ignore", invalid="ignore"):
        flat = values.astype(dtype).ravel()
    if not (np.isfinite(flat) if dtype.kind == "f" else flat == values.ravel()).all():
        raise ValueError(f"data must be numbers that {TAKEN[dtype.name]} can hold")
    return flat


def numbers_of_bytes(content: bytes, shape: tuple[int, ...], dtype: Dtype) -> Array:
    """The binary form.

    Raises:
        ValueError: It has another length than the shape.
    """
    if len(content) != dtype.itemsize * prod(shape):
        raise ValueError(f"{len(content)} bytes of binary data are no {TAKEN[dtype.name]} of shape {[*shape]}")
    return np.frombuffer(content, dtype.newbyteorder("<"))


def listed(array: Array) -> list[Any]:
    """Values for JSON, flat, in row-major order.

    Raises:
        ValueError: JSON cannot hold them.
    """
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError("holds NaN or infinity, which JSON cannot say; ask for binary data")
    values: list[Any] = array.ravel().tolist()
    return values


def packed(array: Array) -> bytes:
    """Values in binary form."""
    if array.dtype.kind in "OUS":
        return b"".join(_texts(array))
    return np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()


def _texts(array: Array) -> Iterator[bytes]:
    for value in array.ravel().tolist():
        text = str(value).encode()
        yield struct.pack("<I", len(text)) + text
