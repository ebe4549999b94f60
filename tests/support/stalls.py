"""A registry that comes to a stop, and what comes to a stop in general."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from edge_common.contract import Contract
from edge_inference.layout import pack
from edge_inference.package import read_manifest
from edge_inference.patience import Patience
from edge_inference.sources import LayoutSource
from edge_inference.transfer import push
from support.faults import Answer, Fault, FaultyRegistry
from support.models import write_model
from support.registry import RegistryServer, repository

SIZE: Final = 1_200_000
"""Bytes of the file that faults can stop."""


class Halt:
    """Where something comes to a stop until it is let go."""

    def __init__(self) -> None:
        self.reached, self.let = threading.Event(), threading.Event()

    def here(self) -> None:
        self.reached.set()
        self.let.wait(60)  # longer than a busy machine takes, and not for ever


class Referring(FaultyRegistry):
    """A registry that is slow to say what signs a package."""

    def __init__(self, upstream: str, spoilt: str) -> None:
        super().__init__(upstream, spoilt)
        self.halt = Halt()

    async def _pass(self, request: web.Request) -> web.StreamResponse:
        if "/referrers/" in request.path:
            await asyncio.to_thread(self.halt.here)
        return await super()._pass(request)


def halted_after(count: int, halt: Halt) -> Fault:
    """The connection goes quiet mid-stream."""

    async def fault(request: web.Request, answer: Answer) -> web.StreamResponse:
        response = web.StreamResponse(status=answer.status, headers=answer.headers)
        response.content_length = len(answer.body)
        await response.prepare(request)
        await response.write(answer.body[:count])
        await asyncio.to_thread(halt.here)
        await response.write(answer.body[count:])
        return response

    return fault


@contextmanager
def published(folder: Path, made_by: Contract, server: RegistryServer) -> Iterator[tuple[Referring, dict[str, Any]]]:
    """A package in a registry that comes to a stop where it is told to, and what names it."""
    files = write_model(folder / "large", made_by)
    (files / "weights.bin").write_bytes(bytes(range(250)) * (SIZE // 250))
    digest = pack(files, folder / "layout", "teller", "2").partition("@")[2]
    source = LayoutSource(folder / "layout", digest)
    with repository(server.base) as teller:
        push(source, teller, "2", Patience(5), lambda _seconds: None)
    registry = Referring(server.base, read_manifest(source.manifest()).files["weights.bin"].digest)
    with registry.running() as base:
        reference = f"{base.partition('//')[2]}/models/teller@{digest}"
        yield registry, {"schema": 1, "name": "teller", "version": "2", "ref": reference}
        registry.halt.let.set()
