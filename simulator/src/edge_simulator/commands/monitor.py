"""`edge-simulator monitor`."""

import base64
import json
from pathlib import Path
from typing import Any

import click

from edge_simulator.commands.common import ask, json_option, state_option
from edge_simulator.control.client import ControlClient


@click.command()
@json_option
@state_option
def monitor(state: Path, *, as_json: bool) -> None:
    """Show the messages that go to $upstream and the properties that modules report, until the simulator ends."""

    async def follow(control: ControlClient) -> None:
        async with control.events() as events:
            async for event in events:
                click.echo(json.dumps(event) if as_json else _line(event))

    ask(state, follow)


def _line(event: dict[str, Any]) -> str:
    if event["kind"] == "reported":
        return f"{event['module']} reported {json.dumps(event['patch'])}"
    sender = event["systemProperties"].get("connectionModuleId")
    body = base64.b64decode(event["body"]).decode(errors="replace")
    return f"{sender} sent {json.dumps(event['properties'])} {body}"
