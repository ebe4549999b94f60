"""Where an ONNX graph keeps its weights, when it keeps them outside: read off the file without loading it.

Walks the protocol buffer's wire format (https://protobuf.dev/programming-guides/encoding/) along the few fields of
``onnx.proto`` that lead to tensors, and skips all else, so that a graph of gigabytes is looked through in no time.
"""

import mmap
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from edge_inference.errors import LoadFailedError, UnsafeModelError

_PATHS: Final = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {13: "entry"},
    "entry": {1: "key", 2: "value"},
}
"""Message by message, the fields that lead on, as numbered in ``onnx.proto``."""

_LENGTH_DELIMITED: Final = 2
_MOST_VARINT_BITS: Final = 64


def check_external(graph: Path, inside: frozenset[str]) -> None:
    """See that external weights are among the package's own files.

    Args:
        graph: The ONNX file.
        inside: The names of the package's files.

    Raises:
        UnsafeModelError: Some are elsewhere.
        LoadFailedError: The file is no ONNX model.
    """
    for location in external_locations(graph):
        if PurePosixPath(location).as_posix() not in inside:
            raise UnsafeModelError(f"the graph keeps weights in {location[:200]!r}, which is not in the package")


def external_locations(graph: Path) -> set[str]:
    """Every ``location`` of external data that a graph names, in subgraphs and functions too.

    Raises:
        LoadFailedError: The file is no protocol buffer.
    """
    if not graph.stat().st_size:
        raise LoadFailedError("the graph is an empty file")
    with graph.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            return set(_locations(data))
        except (IndexError, UnicodeDecodeError):
            raise LoadFailedError("the graph is no ONNX model: it breaks off, or is no protocol buffer") from None


def _locations(data: mmap.mmap) -> Iterator[str]:
    ahead = [("model", 0, len(data))]
    while ahead:
        kind, start, end = ahead.pop()
        found = {}
        for number, first, last in _fields(data, start, end):
            match _PATHS[kind].get(number):
                case "key" | "value" as name:
                    found[name] = data[first:last].decode()
                case str(name):
                    ahead.append((name, first, last))
        if found.get("key") == "location":
            yield found.get("value", "")


def _fields(data: mmap.mmap, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """A message's length-delimited fields: number, and where the content begins and ends."""
    while at < end:
        tag, at = _varint(data, at)
        first = at
        match tag & 7:
            case 0:  # a varint
                _, at = _varint(data, at)
            case 1:  # 64 bits
                at += 8
            case 2:  # length-delimited
                size, first = _varint(data, at)
                at = first + size
            case 5:  # 32 bits
                at += 4
            case _:
                raise IndexError(at)
        if at > end:
            raise IndexError(at)
        if tag & 7 == _LENGTH_DELIMITED:
            yield tag >> 3, first, at


def _varint(data: mmap.mmap, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, _MOST_VARINT_BITS, 7):
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the continuation bit
            return value, at
    raise IndexError(at)
