"""The suite on the simulator against the machine's limit, all in one run.

Prints what it writes to a page of benchmarks/results; the last line is one JSON object, with null for what was not
measured.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import stopping

from bench import page
from bench.findings import Findings
from bench.growth import growth
from bench.latency import latency
from bench.over_http import http
from bench.overhead import overhead
from bench.pipeline import pipeline
from bench.scale import Scale
from bench.swap import swap

Measure = Callable[[Path, Scale], Awaitable[Findings]]

PARTS: Final[Mapping[str, Measure]] = {
    "pipeline": pipeline,
    "overhead": overhead,
    "latency": latency,
    "growth": growth,
    "http": http,
    "swap": swap,
}
FOLDER: Final = Path(".run/bench")
RESULTS: Final = Path("benchmarks/results")


def main() -> None:
    """Measure, write, print."""
    parser = argparse.ArgumentParser(
        prog="bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; all of them without any")
    parser.add_argument("--pictures", type=int, default=2000, help="in a round of the pipeline")
    parser.add_argument("--rounds", type=int, default=3, help="of the pipeline, for each case")
    parser.add_argument("--files", type=int, default=20_000, help="for the overhead")
    parser.add_argument("--seconds", type=float, default=20, help="at each load, for the latency")
    parser.add_argument("--growth", type=float, default=1, help="of the full curves: 100,000 files, 10 GB")
    options = vars(parser.parse_args())
    parts: Sequence[str] = options.pop("parts") or [*PARTS]
    if unknown := set(parts) - PARTS.keys():
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    scale = Scale(**options)
    stopping.tidily()
    found = asyncio.run(measure(parts, scale))
    sys.stdout.write(f"{json.dumps(page.figures(found))}\n")


async def measure(parts: Sequence[str], scale: Scale) -> Sequence[Findings]:
    """One part after the other, each with a suite of its own; the page has each as soon as it is known."""
    day, measured_on, found = datetime.now(UTC).date(), page.setting(scale), list[Findings]()
    for part in parts:
        found.append(await PARTS[part](FOLDER / part, scale))
        page.write(RESULTS, day, measured_on, found)
        sys.stdout.write(f"{found[-1].markdown()}\n")
        sys.stdout.flush()
    return found


if __name__ == "__main__":
    main()
