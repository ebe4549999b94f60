"""Models out of a registry and into it: by command line, and by a twin's edit."""

import asyncio
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from edge_common.logs import QUIET
from edge_inference.cli import main
from edge_inference.layout import entries, pack
from support.inference import Device
from support.models import contract, write_model
from support.registry import RegistryServer, docker_config, htpasswd, running_registry
from support.tls import ServerTls
from support.web import free_port


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    pack(write_model(tmp_path / "files", contract()), tmp_path / "layout", "teller", "1")
    return tmp_path / "layout"


def run(*arguments: str | Path) -> str:
    result = CliRunner().invoke(main, [*map(str, arguments)])
    assert result.exit_code == 0, result.output
    return result.stdout.strip()


def test_a_package_goes_there_and_back_unchanged(tmp_path: Path, layout: Path) -> None:
    tls = ServerTls.make(tmp_path / "tls")
    with running_registry(tmp_path / "registry", htpasswd(tmp_path), tls) as server:
        config = docker_config(tmp_path / "config.json", server.host, username="user", password="secret")
        options: list[str | Path] = ["--ca", tls.certificate, "--credentials", config]
        pushed = run("push", *options, layout, "teller:1", f"{server.host}/models/teller:1")
        assert re.fullmatch(rf"{re.escape(server.host)}/models/teller@sha256:[0-9a-f]{{64}}", pushed)
        assert run("push", *options, layout, "teller:1", f"{server.host}/models/teller") == pushed
        for number, source in enumerate((f"{server.host}/models/teller:1", pushed)):
            pulled = run("pull", *options, source, tmp_path / f"copy{number}")
            assert pulled == f"oci:copy{number}@{pushed.partition('@')[2]}"
        shown = CliRunner().invoke(main, ["inspect", *map(str, options), pushed]).output
        assert all(name in shown for name in ("model.onnx", "contract.json", "labels.txt"))
    assert [(entry.tag, entry.digest) for entry in entries(tmp_path / "copy0")] == [
        ("teller:1", pushed.partition("@")[2])
    ]
    for path in (layout / "blobs" / "sha256").iterdir():
        assert (tmp_path / "copy1" / "blobs" / "sha256" / path.name).read_bytes() == path.read_bytes()


def test_the_command_line_says_what_is_wrong(tmp_path: Path, layout: Path, registry_server: RegistryServer) -> None:
    host = registry_server.host
    for arguments in (
        ["push", "--plain-http", str(layout), "teller:2", f"{host}/a"],
        ["push", "--plain-http", str(layout), "teller:1", "nonsense"],
        ["pull", "--plain-http", f"{host}/nobody/none:1", str(tmp_path / "copy")],
        ["inspect", "--plain-http", f"{host}/nobody/none:1"],
        ["inspect", "nonsense"],
    ):
        refused = CliRunner().invoke(main, arguments)
        assert refused.exit_code == 1
        assert "Error: " in refused.stderr
        assert not refused.stdout.strip()


async def test_a_twin_names_a_model_in_a_registry(
    device: Device, tmp_path: Path, layout: Path, registry_server: RegistryServer
) -> None:
    reference = run("push", "--plain-http", layout, "teller:1", f"{registry_server.host}/by-twin")
    wanted = {"schema": 1, "name": "teller", "version": "1", "ref": reference}
    device.desire(wanted)
    await device.hub.until_reported("model.last.code", "BAD_DESIRED")
    await device.stop()
    device.registries = (registry_server.base,)
    await device.start()
    await device.swap_to(wanted)
    made = contract()
    device.send(made, -1.0)
    [prediction] = await device.predictions()
    assert prediction.model.digest == reference.partition("@")[2]
    assert not [*(tmp_path / "state" / "models").rglob("*.partial")]


async def test_models_that_are_not_needed_any_more_go(device: Device) -> None:
    packed = [device.pack(contract(f"v{number}"), version=str(number)) for number in range(1, 5)]
    for wanted in packed:
        await device.swap_to(wanted)
    needed = {wanted["ref"].partition("@sha256:")[2] for wanted in packed[-2:]}
    while {path.name for path in (device.state / "models").iterdir()} != {*needed, "blobs"}:
        await asyncio.sleep(0.01)


async def test_a_registry_out_of_reach_holds_nobody_up(device: Device) -> None:
    gone = f"127.0.0.1:{free_port()}"
    await device.stop()
    device.registries = (f"http://{gone}",)
    await device.start()
    device.desire({"schema": 1, "name": "teller", "version": "2", "ref": f"{gone}/teller@sha256:{'0' * 64}"})
    await device.hub.until_reported("model.state", "Downloading")
    await device.swap_to(device.pack(contract()))


async def test_what_travels_is_not_logged(
    device: Device, layout: Path, registry_server: RegistryServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Storages of cloud registries are redirected to with signatures in the address."""
    caplog.set_level("DEBUG")
    for name, least in QUIET.items():
        caplog.set_level(least, name)
    reference = run("push", "--plain-http", layout, "teller:1", f"{registry_server.host}/unlogged")
    await device.stop()
    device.registries = (registry_server.base,)
    await device.start()
    await device.swap_to({"schema": 1, "name": "teller", "version": "1", "ref": reference})
    assert not [record for record in caplog.records if "/v2/" in record.getMessage()]
