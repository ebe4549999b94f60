"""Where a module's time goes under the pipeline's load: a flame graph, by py-spy.

The width of a line is the part of the samples in which a thread ran there; waiting threads do not count.
"""

import argparse
import asyncio
import sys
from pathlib import Path
from typing import Final

import stopping

from bench.networks import network
from bench.pictures import photographs
from bench.stage import SIMULATOR, stage

NETWORK: Final = "shufflenet"
DISTINCT: Final = 100
SECONDS: Final = 15
FASTEST: Final = 1000
"""Pictures a second that no machine of the kind exceeds, so that there is work until the end."""


def main() -> None:
    """Draw it."""
    parser = argparse.ArgumentParser(
        prog="profile", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("module", help=f"a module, or {SIMULATOR}")
    module: str = parser.parse_args().module
    stopping.tidily()
    svg = Path(f".run/profile-{module}.svg")
    asyncio.run(profile(module, svg))
    sys.stdout.write(f"{svg}\n")


async def profile(module: str, svg: Path) -> None:
    """Look at a module while the whole suite is at work.

    Raises:
        SystemExit: There is no such module, or py-spy may not look at it.
    """
    async with stage(Path(".run/profile")) as on:
        await on.serve(NETWORK, network(NETWORK))
        await on.push(on.lay_out(photographs(640, 480, DISTINCT), DISTINCT))
        processes = await on.processes()
        if module not in processes:
            sys.exit(f"no module {module}; there are {', '.join(processes)}")
        on.lay_out(photographs(640, 480, DISTINCT), FASTEST * SECONDS).move(on.share)
        spy = await asyncio.create_subprocess_exec(
            Path(sys.executable).with_name("py-spy"),
            *(
                "record",
                "--pid",
                str(processes[module]),
                "--duration",
                str(SECONDS),
                "--output",
                str(svg),
                "--nonblocking",
            ),
            stdout=asyncio.subprocess.DEVNULL,
        )
        if await spy.wait():
            sys.exit("py-spy could not look at the module")


if __name__ == "__main__":
    main()
