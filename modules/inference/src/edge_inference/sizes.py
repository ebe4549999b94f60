"""How much memory an ONNX graph says that it will take, before anything believes it."""

from collections.abc import Iterable
from functools import reduce
from pathlib import Path
from typing import Final

from edge_inference.graphfile import Message, graph_file, walk

_BITS: Final = {
    **dict.fromkeys((1, 6, 12), 32),
    **dict.fromkeys((4, 5, 10, 16), 16),
    **dict.fromkeys((7, 11, 13, 14), 64),
    15: 128,
    **dict.fromkeys((21, 22, 23), 4),
    **dict.fromkeys((25, 26), 2),
}
"""Of one number, by ``TensorProto.DataType``; 8 for all others."""

_UNSIGNED: Final = 1 << 63
_MOST: Final = 1 << 62


def declared_bytes(graph: Path) -> int:
    """The bytes of all tensors that a graph holds, wherever they are kept, and of its inputs and outputs for one row.

    Raises:
        LoadFailedError: The file is no ONNX model.
    """
    with graph_file(graph) as model:
        held = sum(_tensor(message) for kind, message in walk(model) if kind == "tensor")
        ports = (port for body in model.messages(7) for number in (11, 12) for port in body.messages(number))
        return held + sum(_port(port) for port in ports)


def _tensor(tensor: Message) -> int:
    return _bytes(tensor.numbers(1), tensor.numbers(2))


def _port(port: Message) -> int:
    """An input or output, as ``ValueInfoProto`` has it; a dimension that is not fixed counts as one."""
    total = 0
    for kind in port.messages(2):
        for tensor in kind.messages(1):
            dimensions = (dimension for shape in tensor.messages(2) for dimension in shape.messages(1))
            fixed = (next(dimension.numbers(1), 1) for dimension in dimensions)
            total += _bytes((1 if size >= _UNSIGNED else size for size in fixed), tensor.numbers(1))
    return total


def _bytes(shape: Iterable[int], types: Iterable[int]) -> int:
    bits = _BITS.get(next(iter(types), 0), 8)
    return reduce(lambda product, size: min(product * size, _MOST), shape, 1) * bits // 8
