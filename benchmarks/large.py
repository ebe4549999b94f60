"""A large file on its way into a blob store: what it takes, and what a kill costs.

A process puts the file into Azurite and is killed with SIGKILL once half of its blocks are there; another goes on. All
of it is read back and hashed. The last line is one JSON object; the status is 1 if a block that was there is sent
again.

megabytes, blocks    the file, in 10^6 bytes, and what it is cut into
there, sent          blocks that the store had just after the kill (others were on their way), and those sent after it
cpu_s, mb            of the two processes: seconds of the processor, and the most memory resident (10^6 bytes)
"""

import argparse
import asyncio
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import stopping
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import ContainerClient

from edge_common.clock import SystemClock
from edge_upload.settings import StoreEnvironment
from edge_upload.sinks import Sink
from edge_upload.sinks.blob.blocks import BLOCK_BYTES
from edge_upload.sinks.choice import chosen
from support.azurite import Azurite, running_azurite
from support.fault_proxy import FaultProxy

NAME: Final = "raw/large.bin"
LOOK_S: Final = 0.5


def main() -> None:
    """Run it in a folder that goes afterwards, also when this is told to stop."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--blocks", type=int, default=1200, help=f"of {BLOCK_BYTES} bytes")
    blocks: int = parser.parse_args().blocks
    stopping.tidily()
    with tempfile.TemporaryDirectory(prefix="edge-bench-large-") as folder:
        file = Path(folder) / "large.bin"
        sha256 = make(file, blocks)
        with running_azurite(Path(folder) / "store") as azurite:
            figures = carry(azurite, file, sha256, blocks)
    print(json.dumps({"megabytes": blocks * BLOCK_BYTES // 10**6, "blocks": blocks, **figures}))
    sys.exit(figures["there"] + figures["sent"] > blocks)


def make(file: Path, blocks: int) -> str:
    """Write a file of blocks that all differ; gives its hash."""
    whole, rest = hashlib.sha256(), os.urandom(BLOCK_BYTES - 8)
    with file.open("wb") as writer:
        for number in range(blocks):
            block = number.to_bytes(8) + rest
            writer.write(block)
            whole.update(block)
    return whole.hexdigest()


def carry(azurite: Azurite, file: Path, sha256: str, blocks: int) -> dict[str, float]:
    """Put the file twice: killed the first time, to its end the second.

    Raises:
        SystemExit: The store does not hold the file.
    """
    container, proxy = azurite.make_container(), FaultProxy(azurite.endpoint)
    credentials = file.with_name("credentials")
    credentials.write_text(azurite.connection_string())
    with proxy.running() as address, azurite.client(container) as client:
        environment = {"BLOB_CONTAINER": f"{address}/{container}", "BLOB_CREDENTIALS": str(credentials)}
        first = start(environment, file, sha256)
        while waiting(client) < blocks // 2 and first.poll() is None:
            time.sleep(LOOK_S)
        first.kill()
        usages = [os.wait4(first.pid, 0)[2]]
        there = waiting(client)
        proxy.seen.clear()
        second = start(environment, file, sha256)
        usages.append(os.wait4(second.pid, 0)[2])
        sent = sum("comp=block&" in path for _, path in proxy.seen)
        if asyncio.run(content(sink(environment))) != sha256:
            sys.exit("the store does not hold the file")
    mb = max(usage.ru_maxrss for usage in usages) * 1024 // 10**6
    cpu = sum(usage.ru_utime + usage.ru_stime for usage in usages)
    return {"there": there, "sent": sent, "cpu_s": round(cpu, 1), "mb": mb}


def start(environment: dict[str, str], file: Path, sha256: str) -> "subprocess.Popen[bytes]":
    """Put the file in a process of its own."""
    put = "import asyncio, sys, large; asyncio.run(large.put(*sys.argv[1:]))"
    path = os.pathsep.join(sys.path)
    return subprocess.Popen([sys.executable, "-c", put, file, sha256], env={"PYTHONPATH": path, **environment})


async def put(file: str, sha256: str) -> None:
    """What the process does."""
    into = sink(os.environ)
    await into.put(NAME, Path(file), sha256)
    await into.close()


async def content(of: Sink) -> str:
    """The hash of what the store holds."""
    whole = hashlib.sha256()
    async for chunk in of.read(NAME):
        whole.update(chunk)
    await of.close()
    return whole.hexdigest()


def sink(environment: Mapping[str, str]) -> Sink:
    """The store, as upload opens it."""
    values = {"blob_container": environment["BLOB_CONTAINER"], "blob_credentials": environment["BLOB_CREDENTIALS"]}
    return chosen(StoreEnvironment.model_validate(values), SystemClock())


def waiting(client: ContainerClient) -> int:
    """How many blocks the store has that are not committed."""
    try:
        return len(client.get_blob_client(NAME).get_block_list("uncommitted")[1])
    except ResourceNotFoundError:
        return 0


if __name__ == "__main__":
    main()
