"""Where an ONNX graph keeps its weights, when it keeps them outside."""

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Final

from edge_inference.errors import UnsafeModelError
from edge_inference.graphfile import Message, graph_file, walk

_EXTERNAL_DATA: Final = 13  # in TensorProto, of onnx.proto
_KEY: Final = 1
_VALUE: Final = 2


def check_external(graph: Path, inside: frozenset[str]) -> None:
    """See that external weights are among the package's own files, and within them.

    Args:
        graph: The ONNX file.
        inside: The names of the package's files.

    Raises:
        UnsafeModelError: Some are elsewhere.
        LoadFailedError: The file is no ONNX model.
    """
    with graph_file(graph) as model:
        for entries in _outside(model):
            location = entries["location"]
            if PurePosixPath(location).as_posix() not in inside:
                raise UnsafeModelError(f"the graph keeps weights in {location[:200]!r}, which is not in the package")
            _check_range(entries, (graph.parent / location).stat().st_size)


def _outside(model: Message) -> Iterator[Mapping[str, str]]:
    """What is said of each tensor that is kept outside."""
    for kind, message in walk(model):
        if kind == "tensor":
            pairs = [_pair(entry) for entry in message.messages(_EXTERNAL_DATA)]
            for location in (value for key, value in pairs if key == "location"):
                yield {**dict(pairs), "location": location}


def _pair(entry: Message) -> tuple[str, str]:
    keys, values = entry.texts(_KEY), entry.texts(_VALUE)
    return keys[-1] if keys else "", values[-1] if values else ""


def _check_range(entries: Mapping[str, str], size: int) -> None:
    """What may be left out begins at 0 and goes on to the end."""
    offset, length = entries.get("offset", "0"), entries.get("length", "0")
    numbers = all(text.isascii() and text.isdigit() and len(text) < 20 for text in (offset, length))  # noqa: PLR2004 - digits of 2**63
    if not numbers or int(offset) + int(length) > size:
        raise UnsafeModelError(
            f"the graph keeps {length[:20]} bytes of weights at {offset[:20]} of {entries['location'][:200]!r}, "
            f"which has {size} bytes"
        )
