"""`edge-simulator status`."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Column, Table

from edge_simulator.commands.common import ask, json_option, state_option
from edge_simulator.control.client import ControlClient


@click.command()
@json_option
@state_option
def status(state: Path, *, as_json: bool) -> None:
    """Show how the simulator and its modules are."""
    answer = ask(state, ControlClient.status)
    if as_json:
        click.echo(json.dumps(answer))
    else:
        _show(answer, Console())


def _show(answer: dict[str, Any], console: Console) -> None:
    console.print(f"{answer['device']} at {answer['address']}, process {answer['pid']}, state {answer['state']}")
    waiting = Counter[str]()
    for queue in answer["queues"]:
        waiting[queue["module"]] += queue["messages"]
    table = Table(Column("module", no_wrap=True), "status", "connected", "process", "restarts", "exit", "queued")
    for module in answer["modules"]:
        cells = (module.get(key) for key in ("pid", "restarts", "exitCode"))
        table.add_row(
            module["name"],
            module["status"],
            "yes" if module["connected"] else "no",
            *("" if cell is None else str(cell) for cell in cells),
            str(waiting[module["name"]]),
        )
    console.print(table)
    for module in answer["modules"]:
        if module.get("reason"):
            console.print(f"{module['name']}: {module['reason']}", markup=False)
    for fault in answer["faults"]:
        console.print(
            f"fault: {fault['area']} {fault['module'] or ''} {fault['effect']}, {fault['secondsLeft']:.0f} s left"
        )
