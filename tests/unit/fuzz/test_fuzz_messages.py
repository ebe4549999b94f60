"""Whatever comes to an input, a twin or a method: it is taken, refused or counted, and the module lives."""

import asyncio
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.modules import KINDS, WANTED, as_json
from support.spoil import VALUES, garbage, messages

INPUTS = [(kind, name) for kind, each in KINDS.items() for name in each.inputs]
CONTRACT = WANTED.model_dump(mode="json", by_alias=True)

slow = settings(max_examples=25)


def test_every_input_of_every_module_is_here() -> None:
    async def inputs(kind: str) -> set[str]:
        with TemporaryDirectory() as folder:
            async with KINDS[kind].running(Path(folder)) as module:
                return set(module.inputs)

    for kind, each in KINDS.items():
        assert asyncio.run(inputs(kind)) == set(each.inputs)


@pytest.mark.parametrize(("kind", "name"), INPUTS)
def test_no_message_ends_a_module(kind: str, name: str) -> None:
    valid = as_json(KINDS[kind].inputs[name])

    @slow
    @given(st.lists(messages(valid), min_size=1, max_size=20))
    def check(bodies: list[bytes]) -> None:
        asyncio.run(deliver(kind, name, [*bodies, json.dumps(valid).encode()]))

    check()


@pytest.mark.parametrize(("kind", "name"), INPUTS)
def test_what_is_no_message_is_counted(kind: str, name: str) -> None:
    valid = as_json(KINDS[kind].inputs[name])

    @slow
    @given(st.lists(garbage(valid), max_size=5))
    def check(bodies: list[bytes]) -> None:
        assert asyncio.run(deliver(kind, name, bodies)) == len(bodies)

    check()


async def deliver(kind: str, name: str, bodies: list[bytes]) -> float:
    """Deliver messages to a module; how many it could not read."""
    with TemporaryDirectory() as folder:
        async with KINDS[kind].running(
            Path(folder), **({"contract": CONTRACT} if kind == "transform" else {})
        ) as module:
            for body in bodies:
                module.hub.deliver(name, body)
            await module.until_handled()
            return module.malformed(name)


@pytest.mark.parametrize("kind", KINDS)
def test_no_twin_ends_a_module(kind: str) -> None:
    names = [*(field.alias or name for name, field in KINDS[kind].settings.model_fields.items()), "model", "other"]

    @slow
    @given(st.lists(st.dictionaries(st.sampled_from(names), VALUES, min_size=1, max_size=3), min_size=1, max_size=4))
    def check(edits: list[dict[str, Any]]) -> None:
        asyncio.run(edit(kind, edits))

    check()


async def edit(kind: str, edits: list[dict[str, Any]]) -> None:
    """Edit a module's twin; each edit is reported as taken or refused."""
    with TemporaryDirectory() as folder:
        async with KINDS[kind].running(Path(folder)) as module:
            for number, patch in enumerate(edits, 2):
                module.hub.edit_twin(patch)
                await module.until_reported("config.version", number)
                assert module.hub.reported["config"]["status"] in {"ok", "refused"}


@pytest.mark.parametrize("kind", KINDS)
def test_no_payload_ends_a_method(kind: str) -> None:
    @slow
    @given(VALUES)
    def check(payload: Any) -> None:
        asyncio.run(invoke(kind, payload))

    check()


async def invoke(kind: str, payload: Any) -> None:
    """Call all of a module's methods; each answers with a status and with JSON."""
    with TemporaryDirectory() as folder:
        async with KINDS[kind].running(Path(folder)) as module:
            for method in module.methods:
                status, answer = await module.hub.invoke(method, payload)
                assert 200 <= status < 500
                json.dumps(answer)
