"""The input half, from the one input of a graph."""

from collections.abc import Mapping
from typing import Any

from edge_inference.drafting.questions import Ask, words
from edge_inference.session import Port

PIXELS = "tensor(uint8)"
"""What takes pixels as they are."""

Shape = tuple[int | str | None, ...]


def draft_input(name: str, port: Port, ask: Ask) -> Mapping[str, Any]:
    """As ``contract.json`` has it."""
    shape = port.shape[1:]
    if port.dtype == PIXELS:
        return {"kind": "image", "name": name, **_pixels(shape, ask)}
    kind = ask("input.kind", "What is the input made of (image, tabular, tensor)?", _likely(shape))
    kinds = {"image": _image, "tabular": _tabular, "tensor": _tensor}
    if kind not in kinds:
        raise ValueError(f"input.kind must be one of {', '.join(kinds)}, not {kind!r}")
    return {"kind": kind, "name": name, **kinds[kind](shape, ask)}


def _likely(shape: Shape) -> str:
    match shape:
        case ((1 | 3), _, _):
            return "image"
        case (_,) | (_, _):
            return "tabular"
    return "tensor"


def _image(shape: Shape, ask: Ask) -> Mapping[str, Any]:
    size = _size(shape, ask)
    count = str(len(size["channels"]))
    return size | {
        "mean": words(
            ask("input.mean", f"What is subtracted from pixels of 0 to 255 ({count} values)?", _all(0, count))
        ),
        "scale": words(ask("input.scale", "What are they multiplied by then?", _all(1 / 255, count))),
    }


def _pixels(shape: Shape, ask: Ask) -> Mapping[str, Any]:
    size = _size(shape, ask)
    depth = len(size["channels"])
    return size | {"mean": [0] * depth, "scale": [1] * depth, "dtype": "uint8"}


def _size(shape: Shape, ask: Ask) -> dict[str, Any]:
    depth, height, width = shape if len(shape) == 3 else (None, None, None)  # noqa: PLR2004 - channels, rows, columns
    channels = "L" if depth == 1 else ask("input.channels", "In which order are the channels (RGB, BGR)?", "RGB")
    return {
        "width": _known(width, "input.width", "How wide is a sample, in pixels?", ask),
        "height": _known(height, "input.height", "How high is it?", ask),
        "channels": channels,
        "resize": ask("input.resize", "How do pictures get that size (stretch, crop, letterbox)?", "stretch"),
    }


def _tabular(shape: Shape, ask: Ask) -> Mapping[str, Any]:
    *window, count = shape or (None,)
    many = f"{count} columns" if isinstance(count, int) else "columns"
    columns = words(ask("input.columns", f"What are the {many} called, in the tensor's order?"))
    rows = _known(window[0], "input.window", "How many rows make a sample?", ask) if window else 1
    if isinstance(count, int) and len(columns) != count:
        raise ValueError(f"input.columns: the graph takes {count} columns, not {len(columns)}")
    return {"columns": [{"name": column} for column in columns], "window": rows}


def _tensor(shape: Shape, ask: Ask) -> Mapping[str, Any]:
    if all(isinstance(size, int) for size in shape):
        return {"shape": shape}
    return {"shape": words(ask("input.shape", f"What is the shape of one sample, {shape}?"))}


def _known(size: int | str | None, key: str, text: str, ask: Ask) -> int | str:
    return size if isinstance(size, int) else ask(key, text)


def _all(value: float, count: str) -> str:
    return ",".join([f"{value:.6g}"] * int(count))
