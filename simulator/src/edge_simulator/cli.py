"""`edge-simulator`."""

from importlib import import_module
from typing import Final

import click

# Where each command is. Its module is imported once it is asked for: those of the others would take longer to start.
_COMMANDS: Final = {
    "connection-string": "edge_simulator.commands.connection_string:connection_string",
    "credentials": "edge_simulator.commands.credentials:credentials",
    "fault": "edge_simulator.commands.fault:fault",
    "logs": "edge_simulator.commands.logs:logs",
    "manifest": "edge_simulator.manifest.cli:manifest",
    "method": "edge_simulator.commands.method:method",
    "monitor": "edge_simulator.commands.monitor:monitor",
    "routes": "edge_simulator.routing.cli:routes",
    "run": "edge_simulator.commands.run:run",
    "send": "edge_simulator.commands.send:send",
    "status": "edge_simulator.commands.status:status",
    "twin": "edge_simulator.commands.twin:twin",
}


class _Commands(click.Group):
    """The commands, each imported when it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*super().list_commands(ctx), *_COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return super().get_command(ctx, cmd_name)
        module, _, name = _COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="edge-simulator")
def main() -> None:
    """Run an IoT Edge deployment on this machine: no cloud, no device, no Docker."""
