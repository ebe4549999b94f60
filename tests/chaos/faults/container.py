"""A blob store that stops, hangs, refuses, is busy, and breaks off."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from random import Random

from aiohttp.web import Request

from chaos.deployment import OUTAGE_S
from chaos.fault import Fault
from chaos.site import Site
from chaos.stores import Container
from support import fault_proxy
from support.fault_proxy import Plan, answers, cut_answer, cut_request, lost_answer, resets

Strike = Callable[[Site], AbstractAsyncContextManager[None]]

CUT_AFTER = 100
"""Bytes of a body."""


def planned(plan: Plan) -> Strike:
    @asynccontextmanager
    async def strike(site: Site) -> AsyncIterator[None]:
        proxy = _container(site).proxy
        before, proxy.plan = proxy.plan, plan
        try:
            yield
        finally:
            proxy.plan = before

    return strike


def half_the_time(fault: fault_proxy.Fault) -> Strike:
    """So that of what belongs together some comes through."""
    random = Random(0)
    return planned(lambda _request: fault if random.random() < 0.5 else None)


@asynccontextmanager
async def stopped(site: Site) -> AsyncIterator[None]:
    azurite = _container(site).azurite
    await asyncio.to_thread(azurite.stop)
    try:
        yield
    finally:
        await asyncio.to_thread(azurite.start)


@asynccontextmanager
async def frozen(site: Site) -> AsyncIterator[None]:
    azurite = _container(site).azurite
    azurite.freeze()
    try:
        yield
    finally:
        azurite.thaw()


def _container(site: Site) -> Container:
    assert isinstance(site.store, Container)
    return site.store


def _is_long(request: Request) -> bool:
    return (request.content_length or 0) > CUT_AFTER


STRIKES: tuple[tuple[str, Strike], ...] = (
    ("stopped", stopped),
    ("stopped where it is", frozen),
    ("refuses connections", planned(lambda _request: resets())),
    ("answers 500", half_the_time(answers(500, "InternalError"))),
    ("answers 503", half_the_time(answers(503, "ServerBusy"))),
    ("answers 429", half_the_time(answers(429, "TooManyRequests"))),
    ("loses answers", half_the_time(lost_answer())),
    ("cuts answers", half_the_time(cut_answer(CUT_AFTER))),
    ("cuts what is sent", planned(lambda request: cut_request(CUT_AFTER) if _is_long(request) else None)),
)


FAULTS = (
    *(Fault(f"blob store {what}", "container", strike) for what, strike in STRIKES),
    Fault("blob store away for long", "container", planned(lambda _request: resets()), OUTAGE_S),
)
