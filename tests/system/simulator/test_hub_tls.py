"""A hub whose certificate is not from the authority that a module was told to trust."""

import asyncio
from pathlib import Path

import pytest

from edge_common.azure_hub import AzureHub
from support.hubs import POLL_S, ROUTES, Ear
from support.simulator import deployment, edge_environment, simulator
from support.tls import ServerTls

pytestmark = pytest.mark.system


@pytest.mark.parametrize("foreign", [True, False])
async def test_a_hub_with_a_foreign_certificate_is_refused_and_told_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, *, foreign: bool
) -> None:
    with simulator(tmp_path, deployment(routes=ROUTES), "--module", "subject", "--module", "peer") as process:
        environment = process.credentials("subject", "--connection-string")
        if foreign:
            environment["EdgeModuleCACertificateFile"] = str(ServerTls.make(tmp_path / "other").certificate)
        with edge_environment(environment):
            hub = AzureHub.from_edge_environment()
        starting = asyncio.create_task(hub.start(Ear().handlers))
        while not starting.done() and "certificate verify failed" not in caplog.text:
            await asyncio.sleep(POLL_S)
        assert hub.connected is not foreign
        assert ("the hub cannot be reached" in caplog.text) is foreign
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        await hub.close()
    assert environment["EdgeHubConnectionString"].rpartition("SharedAccessKey=")[2] not in caplog.text
