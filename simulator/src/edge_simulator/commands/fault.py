"""`edge-simulator fault`."""

from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

import click

from edge_simulator.commands.common import ask, state_option
from edge_simulator.control.client import ControlClient
from edge_simulator.faults import LONGEST_S, Area

_Command = TypeVar("_Command", bound=Callable[..., None])

_seconds = click.FloatRange(min=0, max=LONGEST_S, min_open=True)
_DELAY_S: Final = 5.0
_for_option = click.option(
    "--for", "lasts_s", metavar="SECONDS", type=_seconds, default=60, show_default=True, help="When the fault ends."
)
_delay_option = click.option(
    "--delay", "delay_s", metavar="SECONDS", type=_seconds, default=_DELAY_S, show_default=True, help="How late."
)


def _effects(*names: str) -> Callable[[_Command], _Command]:
    return click.argument("effect", type=click.Choice(names))


@click.group()
def fault() -> None:
    """Make something go wrong; every fault ends by itself, and `status` lists those of the moment."""


@fault.command()
@_effects("down", "up")
@_for_option
@state_option
def upstream(effect: str, lasts_s: float, state: Path) -> None:
    """Take IoT Hub away, or give it back.

    While it is away, messages that routes send to $upstream are held, in order and up to their time to live. All else
    goes on: messages and methods between modules, reported properties, and twins edited from outside.
    """
    _set(state, "upstream", "", effect, lasts_s)


@fault.command()
@click.argument("module")
@_effects("drop", "reject", "restore")
@_for_option
@state_option
def link(module: str, effect: str, lasts_s: float, state: Path) -> None:
    """Cut the network between MODULE and the hub.

    Established connections stay open but silent. New ones are left without an answer (drop) or reset (reject).
    """
    _set(state, "link", module, effect, lasts_s)


@fault.command()
@click.argument("module")
@_effects("delay", "withhold", "restore")
@_delay_option
@_for_option
@state_option
def acks(module: str, effect: str, delay_s: float, lasts_s: float, state: Path) -> None:
    """Delay the acknowledgements between MODULE and the hub, or lose them.

    When lost ones end, the connection breaks, and both ends send again on the next one what they believe lost.
    """
    _set(state, "acks", module, effect, lasts_s, delay_s)


@fault.command()
@click.argument("module")
@_effects("delay", "duplicate", "expire", "restore")
@_delay_option
@_for_option
@state_option
def messages(module: str, effect: str, delay_s: float, lasts_s: float, state: Path) -> None:
    """Deliver the messages for MODULE late, or store them twice, or with no time to live."""
    _set(state, "messages", module, effect, lasts_s, delay_s)


@fault.command()
@click.argument("module")
@_effects("miss", "restore")
@_for_option
@state_option
def twin(module: str, effect: str, lasts_s: float, state: Path) -> None:
    """Do not tell MODULE of changes to its desired properties; it finds them when it connects again."""
    _set(state, "twin", module, effect, lasts_s)


@fault.command("module")
@click.argument("name", metavar="MODULE")
@_effects("kill", "freeze", "thaw", "restart")
@_for_option
@state_option
def module_(name: str, effect: str, lasts_s: float, state: Path) -> None:
    """Kill the processes of MODULE, stop them where they are, or restart it, also after `credentials` stopped it."""
    match effect:
        case "kill":
            ask(state, lambda control: control.kill(name))
        case "restart":
            ask(state, lambda control: control.restart(name))
        case _:
            _set(state, "module", name, effect, lasts_s)


def _set(state: Path, area: Area, module: str, effect: str, lasts_s: float, delay_s: float = 0) -> None:
    async def change(control: ControlClient) -> None:
        if effect in {"up", "restore", "thaw"}:
            await control.lift_fault(area, module)
        else:
            await control.inject_fault(area, module, effect, lasts_s, delay_s if effect == "delay" else 0)

    ask(state, change)
