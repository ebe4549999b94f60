"""What fits together in a pipeline and its components, which azure-ai-ml does not look at. Pure."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from edge_mlops.azureml.commands import PLACE

_ANY: Final = re.compile(r"\$\{\{(.*?)\}\}")
_PARENT: Final = re.compile(r"parent\.(?:inputs\.(?P<input>\w+)|jobs\.(?P<job>\w+)\.outputs\.(?P<output>\w+))")

Document = Mapping[str, Any]


def in_component(component: Document) -> Iterator[str]:
    """Places in a command that are not declared, and declared ones without a place."""
    declared = {(side, name) for side in ("inputs", "outputs") for name in component.get(side, {})}
    used = {(match[1], match[2]) for match in PLACE.finditer(component.get("command", ""))}
    odd = [text for text in _ANY.findall(component.get("command", "")) if not PLACE.fullmatch(f"${{{{{text}}}}}")]
    yield from (f"{text} makes no sense in a command" for text in odd)
    yield from (f"{side}.{name} is not declared" for side, name in sorted(used - declared))
    yield from (f"{side}.{name} is not used" for side, name in sorted(declared - used))


def in_pipeline(pipeline: Document, components: Mapping[str, Document]) -> Iterator[str]:
    """What is not there, is of another type, or not used.

    Args:
        pipeline: The job.
        components: By the path that steps give.
    """
    steps: dict[str, Document] = {}
    used: set[str] = set()
    for name, step in pipeline.get("jobs", {}).items():
        component = components.get(step.get("component", ""))
        if component is None:
            yield f"{name}: there is no {step.get('component', 'component')}"
            continue
        yield from (f"{name}: {found}" for found in _missing(step, component))
        for key, value in step.get("inputs", {}).items():
            wanted = component.get("inputs", {}).get(key, {}).get("type")
            yield from (f"{name}.{key}: {found}" for found in _wrong(value, wanted, pipeline, steps))
            used |= {match["input"] for match in _PARENT.finditer(str(value))}
        steps[name] = component
    yield from (f"inputs.{name} is not used" for name in pipeline.get("inputs", {}) if name not in used)


def _missing(step: Document, component: Document) -> Iterator[str]:
    inputs = component.get("inputs", {})
    for side in ("inputs", "outputs"):
        for name in step.get(side, {}).keys() - component.get(side, {}).keys():
            yield f"its component has no {side}.{name}"
    for name, about in inputs.items():
        if name not in step.get("inputs", {}) and "default" not in about and not about.get("optional"):
            yield f"inputs.{name} has no value"


def _wrong(value: Any, wanted: str | None, pipeline: Document, steps: Mapping[str, Document]) -> Iterator[str]:
    """What is wrong with the value of a step's input."""
    for text in _ANY.findall(str(value)):
        match = _PARENT.fullmatch(text)
        if match is None:
            yield f"{text} makes no sense"
        elif match["input"]:
            yield from _of_pipeline(match["input"], wanted, pipeline)
        else:
            yield from _of_step(match["job"], match["output"], wanted, steps)


def _of_pipeline(name: str, wanted: str | None, pipeline: Document) -> Iterator[str]:
    if name not in pipeline.get("inputs", {}):
        yield f"the pipeline has no input {name}"
        return
    given = pipeline["inputs"][name]
    kind = given.get("type") if isinstance(given, Mapping) else "string" if isinstance(given, str) else "number"
    if wanted and kind != (wanted if wanted not in {"integer", "number"} else "number"):
        yield f"it is {kind}, and {wanted} is wanted"


def _of_step(job: str, output: str, wanted: str | None, steps: Mapping[str, Document]) -> Iterator[str]:
    if job not in steps:
        yield f"there is no step {job} before it"
    elif output not in steps[job].get("outputs", {}):
        yield f"{job} has no output {output}"
    elif wanted and (kind := steps[job]["outputs"][output]["type"]) != wanted:
        yield f"it is {kind}, and {wanted} is wanted"
