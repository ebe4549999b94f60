"""Lists what is installed, as JSON lines; runs in an image, so it imports nothing but Python's own."""

import json
from collections.abc import Iterator
from email.message import Message
from email.parser import HeaderParser
from importlib.metadata import distributions
from pathlib import Path

DPKG = Path("/var/lib/dpkg")

OWN = "edge-"
"""How the suite's own packages begin."""


def python_packages() -> Iterator[dict[str, str]]:
    """Python packages; their licences as their authors declare them."""
    for package in distributions():
        about = package.metadata
        declared = next((about[field] for field in ("License-Expression", "License") if field in about), "")
        kind = "own" if package.name.startswith(OWN) else "pypi"
        yield {
            "kind": kind,
            "name": package.name,
            "version": package.version,
            "licence": "".join(declared[:1]).split("\n")[0],
        }


def debian_packages(dpkg: Path) -> Iterator[dict[str, str]]:
    """Debian packages, from dpkg's status file, and from a folder with a file for each where there is no dpkg."""
    for path in (dpkg / "status", *dpkg.glob("status.d/*")):
        for paragraph in path.read_text(encoding="utf-8").split("\n\n") if path.is_file() else ():
            about: Message = HeaderParser().parsestr(paragraph)
            if about["Package"] and about["Version"]:
                yield {"kind": "deb", "name": about["Package"], "version": about["Version"], "licence": ""}


if __name__ == "__main__":
    for entry in (*python_packages(), *debian_packages(DPKG)):
        print(json.dumps(entry))
