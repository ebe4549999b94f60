"""Signatures by command line, and in the module: a bad one never touches what serves."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web
from click.testing import CliRunner

from edge_inference.cli import main
from edge_inference.layout import entries, pack
from edge_inference.package import blob_name
from edge_inference.signing.referrers import INDEX_TYPE
from support.faults import FaultyRegistry
from support.inference import Device
from support.models import contract, write_model
from support.registry import RegistryServer
from support.signers import LEAF, ROOT, SIGNER, Holder, authority, issue

FOREIGN = issue("stranger", SIGNER, issue("elsewhere", authority()))
V1, V2 = contract("v1"), contract("v2")


def run(*arguments: str | Path) -> str:
    result = CliRunner().invoke(main, [*map(str, arguments)])
    assert result.exit_code == 0, result.output
    return result.stdout.strip()


def refusal(*arguments: str | Path) -> str:
    result = CliRunner().invoke(main, [*map(str, arguments)])
    assert result.exit_code == 1, result.output
    assert result.stderr.count("\n") == 1
    return result.stderr.strip()


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    pack(write_model(tmp_path / "files", V1), tmp_path / "layout", "teller", "1")
    return tmp_path / "layout"


def key_and_chain(folder: Path, by: Holder = LEAF) -> list[str | Path]:
    key, chain = by.write(folder)
    return ["--key", key, "--chain", chain]


def test_a_package_is_signed_and_verified_in_a_layout(tmp_path: Path, layout: Path) -> None:
    roots = ROOT.pin(tmp_path / "roots")
    [entry] = entries(layout)
    assert "SIGNATURE" not in refusal("verify", layout, "teller:1", "--roots", roots)
    assert run("sign", layout, "teller:1", *key_and_chain(tmp_path / "signer")) == entry.digest
    assert run("verify", layout, entry.digest, "--roots", roots) == f"{entry.digest} is signed by 'CN=signer'"
    assert run("inspect", layout) == f"teller:1  {entry.digest}"
    foreign = FOREIGN.pin(tmp_path / "foreign")
    assert "no pinned root" in refusal("verify", layout, "teller:1", "--roots", foreign)


def test_what_cannot_be_signed_or_verified_is_told_in_a_sentence(tmp_path: Path, layout: Path) -> None:
    signer = key_and_chain(tmp_path / "signer")
    chain = signer[3]
    assert "holds no private key" in refusal("sign", layout, "teller:1", "--key", chain, "--chain", chain)
    _, other = FOREIGN.write(tmp_path / "other")
    assert "not that of the chain's first" in refusal("sign", layout, "teller:1", *signer[:2], "--chain", other)
    assert "say which package" in refusal("sign", layout, *signer)
    assert "has no teller:2" in refusal("sign", layout, "teller:2", *signer)
    assert "nothing signs" in refusal("verify", layout, "teller:1", "--roots", chain)
    (tmp_path / "empty").mkdir()
    assert "holds no files" in refusal("verify", layout, "teller:1", "--roots", tmp_path / "empty")
    manifest = layout / blob_name(entries(layout)[0].digest)
    manifest.write_bytes(manifest.read_bytes() + b" ")
    assert "the manifest's digest is" in refusal("sign", layout, "teller:1", *signer)


def test_signatures_travel_through_a_registry(tmp_path: Path, layout: Path, registry_server: RegistryServer) -> None:
    roots, there = ROOT.pin(tmp_path / "roots"), f"{registry_server.host}/signed/teller"
    run("sign", layout, "teller:1", *key_and_chain(tmp_path / "signer"))
    pushed = run("push", "--plain-http", layout, "teller:1", f"{there}:1")
    assert "'CN=signer'" in run("verify", "--plain-http", pushed, "--roots", roots)
    run("pull", "--plain-http", pushed, tmp_path / "copy")
    assert "'CN=signer'" in run("verify", tmp_path / "copy", pushed.partition("@")[2], "--roots", roots)


def test_a_package_is_signed_in_a_registry_by_several(
    tmp_path: Path, layout: Path, registry_server: RegistryServer
) -> None:
    there = f"{registry_server.host}/countersigned/teller"
    pushed = run("push", "--plain-http", layout, "teller:1", f"{there}:1")
    roots = ROOT.pin(tmp_path / "roots")
    assert "nothing signs" in refusal("verify", "--plain-http", pushed, "--roots", roots)
    for folder, by in (("foreign", FOREIGN), ("signer", LEAF), ("signer", LEAF)):
        run("sign", "--plain-http", pushed, *key_and_chain(tmp_path / folder, by))
    assert "'CN=signer'" in run("verify", "--plain-http", f"{there}:1", "--roots", roots)
    assert "'CN=stranger'" in run("verify", "--plain-http", pushed, "--roots", FOREIGN.pin(tmp_path / "other"))


class Listing(FaultyRegistry):
    """A registry with a referrers API, which lists one entry a page."""

    def __init__(self, upstream: str, after_last: str = "") -> None:
        super().__init__(upstream, "")
        self.after_last = after_last

    async def _pass(self, request: web.Request) -> web.StreamResponse:
        if "/referrers/" not in request.path:
            return await super()._pass(request)
        tag = request.path.rpartition("/")[2].replace(":", "-")
        manifest = f"{self.upstream}{request.path.partition('/referrers/')[0]}/manifests/{tag}"
        async with ClientSession() as session, session.get(manifest, headers={"Accept": INDEX_TYPE}) as response:
            index = json.loads(await response.read())
        page = int(request.query.get("page", 0))
        more = page + 1 < len(index["manifests"])
        link = f"{request.path}?page={page + 1}" if more else self.after_last
        headers = {"Link": f'<{link}>; rel="next"'} if link else {}
        return web.json_response({**index, "manifests": index["manifests"][page : page + 1]}, headers=headers)


@pytest.mark.parametrize("after_last", ["", "http://127.0.0.2:9/v2/elsewhere"])
def test_signatures_are_looked_for_on_every_page_of_this_registry_only(
    tmp_path: Path, layout: Path, registry_server: RegistryServer, after_last: str
) -> None:
    name = f"pages{len(after_last)}/teller"
    pushed = run("push", "--plain-http", layout, "teller:1", f"{registry_server.host}/{name}:1")
    for folder, by in (("foreign", FOREIGN), ("signer", LEAF)):
        run("sign", "--plain-http", pushed, *key_and_chain(tmp_path / folder, by))
    roots = ROOT.pin(tmp_path / "roots")
    with Listing(registry_server.base, after_last).running() as base:
        found = run("verify", "--plain-http", f"{base.partition('//')[2]}/{name}:1", "--roots", roots)
    assert "'CN=signer'" in found


def sign(device: Device, wanted: dict[str, Any], by: Holder = LEAF) -> dict[str, Any]:
    digest = wanted["ref"].partition("@")[2]
    run("sign", device.models / "library", digest, *key_and_chain(device.folder / "signer", by))
    return wanted


async def test_a_signed_model_serves_and_others_do_not_touch_it(strict: Device) -> None:
    await strict.swap_to(sign(strict, strict.pack(V1)))
    for number, (by, code) in enumerate(((None, "SIGNATURE_MISSING"), (FOREIGN, "SIGNATURE_INVALID"))):
        wanted = strict.pack(V2, version=f"2.{number}")
        if by:
            sign(strict, wanted, by)
        strict.desire(wanted, requestId=code)
        await strict.hub.until_reported("model.last.code", code)
        assert strict.hub.reported["model"]["active"]["version"] == "1"
    strict.send(V1, 1)
    [message] = await strict.predictions()
    assert message.parts[0].predictions[0]["label"] == "v1-bright"


async def test_an_unpacked_folder_has_no_signature(strict: Device) -> None:
    files = write_model(strict.models / "loose", V1)
    strict.desire(strict.loose(files, "teller", "1"))
    await strict.hub.until_reported("model.last.code", "SIGNATURE_MISSING")


async def test_a_model_that_was_in_service_before_can_return_while_the_share_is_away(strict: Device) -> None:
    first, second, third = (sign(strict, strict.pack(V1, version=version)) for version in "123")
    for wanted in (first, second):
        await strict.swap_to(wanted)
    await strict.stop()
    shutil.move(strict.models / "library", strict.folder / "away")
    await strict.start()
    await strict.swap_to({**first, "allowDowngrade": True})
    strict.desire(third)
    await strict.hub.until_reported("model.last.result", "failed")


async def test_audit_serves_what_nobody_signed(tmp_path: Path) -> None:
    device = Device(tmp_path)
    device.trust = {"trust_policy": "audit", "trust_roots": ROOT.pin(tmp_path / "roots")}
    await device.start()
    await device.swap_to(device.pack(V1))
    await device.stop()
