"""Which operators an ONNX graph asks for, seen before onnxruntime is asked for them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from edge_inference.errors import UnsafeModelError
from edge_inference.graphfile import Message, graph_file, walk

NEWEST_IR: Final = 13
"""The newest version of the file format that onnxruntime reads."""

NEWEST: Final = {"": 26, "ai.onnx": 26, "ai.onnx.ml": 5, "com.microsoft": 1}
"""The domains whose operators onnxruntime brings along, and the newest set of each that it knows."""

_IMPORTS: Final = {"model": 8, "function": 9}
"""The field of the operator sets, in ``onnx.proto``."""


def check_operators(graph: Path) -> None:
    """See that a graph asks only for operators that onnxruntime brings along, or that the model defines itself.

    Raises:
        UnsafeModelError: It asks for others, or is of a version that is not known yet.
        LoadFailedError: The file is no ONNX model.
    """
    with graph_file(graph) as model:
        for version in model.numbers(1):
            if version > NEWEST_IR:
                raise UnsafeModelError(f"the graph is of IR version {version}; up to {NEWEST_IR} are known")
        own = {(_text(function, 10), _text(function, 1)) for function in model.messages(25)}
        for kind, message in walk(model):
            if kind == "node":
                _check_node(message, own)
            elif kind in _IMPORTS:
                _check_imports(message.messages(_IMPORTS[kind]))


def _check_node(node: Message, own: set[tuple[str, str]]) -> None:
    operator, domain = _text(node, 4), _text(node, 7)
    if domain not in NEWEST and (domain, operator) not in own:
        raise UnsafeModelError(f"the graph uses the operator {domain[:100]}.{operator[:100]}, which is not supported")


def _check_imports(imports: Iterator[Message]) -> None:
    for each in imports:
        domain = _text(each, 1)
        for version in each.numbers(2):
            if domain in NEWEST and version > NEWEST[domain]:
                name = domain or "ai.onnx"
                raise UnsafeModelError(f"the graph uses version {version} of {name}; up to {NEWEST[domain]} are known")


def _text(message: Message, number: int) -> str:
    return next(reversed(message.texts(number)), "")
