"""``make chaos``: runs the fault suite and prints what it showed; the last line is one JSON object."""

import argparse
import asyncio
import sys
from pathlib import Path

from rich.console import Console

from chaos.enclosure import drop_reading_rights, enter
from chaos.faults import OF_ALL, OF_STORES
from chaos.runner import Options, run
from support.azurite import available


def main() -> None:
    options, console = _options(), Console()
    enter("chaos")
    drop_reading_rights()
    if options.wants_container and not available():
        console.print("left out, as Node.js and Azurite are not here: a blob store; results go to the cloud share")
    deck = []
    for fault in (*OF_ALL, *OF_STORES[options.store]):
        if options.only not in fault.name:
            continue
        if fault.possible():
            deck.append(fault)
        else:
            console.print(f"left out, as this machine lacks what it takes: {fault.name}")
    report = asyncio.run(run(options, deck))
    report.publish(console)
    sys.exit(bool(report.troubles))


def _options() -> Options:
    parser = argparse.ArgumentParser(prog="chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="decides all that is drawn (default: %(default)s)")
    parser.add_argument("--files", type=int, default=10_000, help="how many come (default: %(default)s)")
    parser.add_argument("--faults", type=int, default=200, help="how many strike (default: %(default)s)")
    parser.add_argument("--folder", type=Path, default=Path(".run/chaos"), help="emptied first (default: %(default)s)")
    parser.add_argument("--models", type=Path, default=Path(".run/models"), help="kept (default: %(default)s)")
    parser.add_argument("--only", default="", help="only faults that have this in their name")
    return Options(**vars(parser.parse_args()))


if __name__ == "__main__":
    main()
