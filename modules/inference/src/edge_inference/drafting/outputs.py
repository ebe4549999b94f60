"""The output half, from the outputs of a graph. A kind that is not asked about here can be written by hand."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from edge_inference.drafting.questions import Ask, words
from edge_inference.session import Port

Ports = Mapping[str, Port]
Half = Mapping[str, Any]


def draft_output(outputs: Ports, ask: Ask) -> Half:
    """As ``contract.json`` has it."""
    kind = ask("output.kind", f"What does the output say ({', '.join(KINDS)})?", _likely(outputs))
    if kind not in KINDS:
        raise ValueError(f"output.kind must be one of {', '.join(KINDS)}, not {kind!r}")
    return {"kind": kind, **KINDS[kind](outputs, ask)}


def _likely(outputs: Ports) -> str | None:
    match [port.shape[1:] for port in outputs.values()]:
        case [()] | [(1,)]:
            return "anomaly"
        case [(int(),)]:
            return "classification"
        case [(_, _)]:
            return "detection"
    return None


def _classification(outputs: Ports, ask: Ask) -> Half:
    name = _name("output.name", outputs, ask)
    return {
        "name": name,
        "labels": _labels(outputs[name].shape[1:], ask),
        "activation": ask("output.activation", "What is still to be applied to scores (none, softmax)?", "softmax"),
    }


def _regression(outputs: Ports, ask: Ask) -> Half:
    names = words(ask("output.quantities", "What are the numbers called, in the output's order?"))
    tolerances = words(ask("output.tolerances", "How far may two models be apart in each, and still say the same?"))
    if len(tolerances) != len(names):
        raise ValueError(f"output.tolerances: {len(names)} are wanted, not {len(tolerances)}")
    quantities = [{"name": name, "tolerance": each} for name, each in zip(names, tolerances, strict=True)]
    return {"name": _name("output.name", outputs, ask), "quantities": quantities}


def _anomaly(outputs: Ports, ask: Ask) -> Half:
    return {
        "name": _name("output.name", outputs, ask),
        "threshold": ask("output.threshold", "From which score on is it an alert?"),
    }


def _embedding(outputs: Ports, ask: Ask) -> Half:
    return {"name": _name("output.name", outputs, ask)}


def _raw(outputs: Ports, ask: Ask) -> Half:
    return {"names": words(ask("output.names", "Which outputs are kept?", ",".join(outputs)))}


def _detection(outputs: Ports, ask: Ask) -> Half:
    likely = "ssd" if len(outputs) > 1 else None
    layout = ask("output.layout", f"How are boxes laid out ({', '.join(LAYOUTS)}; see the contract)?", likely)
    if layout not in LAYOUTS:
        raise ValueError(f"output.layout must be one of {', '.join(LAYOUTS)}, not {layout!r}")
    return {"labels": _labels((), ask), **LAYOUTS[layout](outputs, ask)}


def _yolo8(outputs: Ports, ask: Ask) -> Half:
    out = {"name": _name("output.name", outputs, ask), "transposed": True}
    return {"format": "center", "boxes": out, "scores": {**out, "first": 4}}


def _yolo5(outputs: Ports, ask: Ask) -> Half:
    out = {"name": _name("output.name", outputs, ask)}
    return {"format": "center", "boxes": out, "objectness": {**out, "first": 4}, "scores": {**out, "first": 5}}


def _yolo10(outputs: Ports, ask: Ask) -> Half:
    out = {"name": _name("output.name", outputs, ask)}
    columns = {"boxes": out, "scores": {**out, "first": 4}, "classes": {**out, "first": 5}}
    return {"format": "corners", "overlap": 1, **columns}


def _ssd(outputs: Ports, ask: Ask) -> Half:
    columns = {part: {"name": _name(f"output.{part}", outputs, ask)} for part in ("boxes", "scores", "classes")}
    return {
        **columns,
        "units": "share",
        "format": ask("output.format", "In which order are a box's sides (corners, cornersYx)?", "cornersYx"),
        "firstClass": ask("output.firstClass", "Which class is the first label's?", "1"),
    }


def _name(key: str, outputs: Ports, ask: Ask) -> str:
    """The output that something is read from."""
    if len(outputs) == 1:
        return next(iter(outputs))
    part = key.rpartition(".")[2]
    name = ask(key, f"Which output is it ({', '.join(outputs)})?", part if part in outputs else None)
    if name not in outputs:
        raise ValueError(f"{key} must be one of {', '.join(outputs)}, not {name!r}")
    return name


def _labels(shape: tuple[int | str | None, ...], ask: Ask) -> list[str]:
    count = next((f"{size} classes" for size in shape if isinstance(size, int)), "classes")
    return words(ask("output.labels", f"What are the {count} called, in the output's order?"))


Draft = Callable[[Ports, Ask], Half]

KINDS: Final[Mapping[str, Draft]] = {
    "classification": _classification,
    "regression": _regression,
    "anomaly": _anomaly,
    "detection": _detection,
    "embedding": _embedding,
    "raw": _raw,
}
LAYOUTS: Final[Mapping[str, Draft]] = {"yolo8": _yolo8, "yolo5": _yolo5, "yolo10": _yolo10, "ssd": _ssd}
