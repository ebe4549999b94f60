"""How the modules of devices are, from what they and edgeAgent report."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from rich.table import Column, Table

from deploy.hub import Hub
from deploy.release import AGENT, HUB

_FINE: Final = 200


@dataclass(frozen=True, slots=True)
class ModuleState:
    """One module of one device.

    Attributes:
        status: As edgeAgent sees it.
        version: As the module says; what was never started says none.
        model: Name and version of the model in service, and the state of the last change to it.
        errors: Desired properties that are refused, and what edgeAgent or edgeHub make of theirs.
    """

    device: str
    module: str
    status: str
    version: str
    image: str
    model: str
    errors: tuple[str, ...]


def states(hub: Hub, devices: Iterable[str]) -> Iterator[ModuleState]:
    """Look at every module of these devices."""
    for device in devices:
        twins = {name: twin.properties.reported or {} for name, twin in hub.modules(device).items()}
        for module in (AGENT, HUB, *sorted(twins.keys() - {AGENT, HUB})):
            yield state(device, module, twins.get(AGENT, {}), twins.get(module, {}))


def state(device: str, module: str, agent: Mapping[str, Any], reported: Mapping[str, Any]) -> ModuleState:
    """Put together what is reported of a module, by itself and by edgeAgent."""
    group, name = ("systemModules", f"edge{module[5:]}") if module in (AGENT, HUB) else ("modules", module)
    entry = _object(_object(agent.get(group)).get(name))
    said = _object(reported.get("version" if module in (AGENT, HUB) else "status"))
    return ModuleState(
        device=device,
        module=module,
        status=str(entry.get("runtimeStatus", "unknown")),
        version=str(said.get("version", "")),
        image=str(_object(entry.get("settings")).get("image", "")),
        model=_model(_object(reported.get("model"))),
        errors=tuple(_errors(reported)),
    )


def table(found: list[ModuleState]) -> Table:
    """Draw them."""
    drawn = Table(
        Column("device", no_wrap=True), Column("module", no_wrap=True), "status", "version", "model", "errors"
    )
    device = ""
    for one in found:
        drawn.add_row(
            "" if one.device == device else one.device,
            one.module,
            one.status,
            one.version,
            one.model,
            "\n".join(one.errors),
        )
        device = one.device
    return drawn


def _model(model: Mapping[str, Any]) -> str:
    active = _object(model.get("active"))
    words = [f"{active['name']} {active['version']}"] if active else []
    return ", ".join([*words, str(model["state"])] if "state" in model else words)


def _errors(reported: Mapping[str, Any]) -> Iterator[str]:
    for error in _object(reported.get("config")).get("errors") or ():
        yield f"{error['path']}: {error['message']}"
    outcome = _object(reported.get("lastDesiredStatus"))
    if outcome.get("code", _FINE) != _FINE:
        yield f"{outcome['code']}: {outcome.get('description', '')}"
    last = _object(_object(reported.get("model")).get("last"))
    if last.get("code"):
        yield f"model: {last['code']}: {last.get('detail', '')}"


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
