"""An ONNX file looked through without loading it.

Walks the protocol buffer's wire format (https://protobuf.dev/programming-guides/encoding/) along the few fields of
``onnx.proto`` that lead to operators and tensors, and skips all else, so that a graph of gigabytes is looked through in
no time.
"""

import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edge_inference.errors import LoadFailedError

_PATHS: Final = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
}
"""Message by message, the fields that lead on, as numbered in ``onnx.proto``."""

_VARINT: Final = 0
_LENGTH_DELIMITED: Final = 2
_MOST_VARINT_BITS: Final = 64


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the file: where it begins and ends."""

    data: mmap.mmap
    start: int
    end: int

    def messages(self, number: int) -> Iterator["Message"]:
        """What a field holds, each time that it is there."""
        for found, kind, first, last in self._fields():
            if (found, kind) == (number, _LENGTH_DELIMITED):
                yield Message(self.data, first, last)

    def texts(self, number: int) -> list[str]:
        """A field's strings."""
        return [self.data[each.start : each.end].decode() for each in self.messages(number)]

    def numbers(self, number: int) -> Iterator[int]:
        """A field's integers, packed or not; those below zero as if unsigned."""
        for found, kind, first, last in self._fields():
            if found == number and kind in {_VARINT, _LENGTH_DELIMITED}:
                at = first
                while at < last:
                    value, at = _varint(self.data, at)
                    yield value

    def inside(self, kind: str) -> Iterator[tuple[str, "Message"]]:
        """The messages that lead on from one of a kind, and their kinds."""
        paths = _PATHS[kind]
        for number, wire, first, last in self._fields():
            if wire == _LENGTH_DELIMITED and number in paths:
                yield paths[number], Message(self.data, first, last)

    def _fields(self) -> Iterator[tuple[int, int, int, int]]:
        """Each field's number, wire type, and where its content begins and ends."""
        at = self.start
        while at < self.end:
            tag, at = _varint(self.data, at)
            first = at
            match tag & 7:
                case 0:  # a varint
                    _, at = _varint(self.data, at)
                case 1:  # 64 bits
                    at += 8
                case 2:  # length-delimited
                    size, first = _varint(self.data, at)
                    at = first + size
                case 5:  # 32 bits
                    at += 4
                case _:
                    raise IndexError(at)
            if at > self.end:
                raise IndexError(at)
            yield tag >> 3, tag & 7, first, at


@contextmanager
def graph_file(path: Path) -> Iterator[Message]:
    """The model in an ONNX file.

    Raises:
        LoadFailedError: The file is no protocol buffer; raised in the context too.
    """
    if not path.stat().st_size:
        raise LoadFailedError("the graph is an empty file")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            yield Message(data, 0, len(data))
        except (IndexError, UnicodeDecodeError):
            raise LoadFailedError("the graph is no ONNX model: it breaks off, or is no protocol buffer") from None


def walk(model: Message) -> Iterator[tuple[str, Message]]:
    """Every graph, function, node and tensor of a model, in subgraphs and functions too, with its kind."""
    ahead = [("model", model)]
    while ahead:
        kind, message = ahead.pop()
        yield kind, message
        if kind in _PATHS:
            ahead.extend(message.inside(kind))


def _varint(data: mmap.mmap, at: int) -> tuple[int, int]:
    value = data[at]
    if value < 0x80:  # noqa: PLR2004 - most are of one byte
        return value, at + 1
    value = 0
    for shift in range(0, _MOST_VARINT_BITS, 7):
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the continuation bit
            return value, at
    raise IndexError(at)
