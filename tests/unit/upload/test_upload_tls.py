"""A container behind TLS: whom upload trusts, and how it gets in without a mounted secret."""

import hashlib
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_common.clock import SystemClock
from edge_common.errors import ConfigurationError
from edge_upload.settings import StoreEnvironment
from edge_upload.sinks import Sink, SinkDeniedError, SinkUnavailableError
from edge_upload.sinks.choice import chosen
from support.azurite import Azurite, running_azurite
from support.identity import IdentityEndpoint
from support.tls import ServerTls

CONTENT = b"content"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(scope="module")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    folder = tmp_path_factory.mktemp("azurite")
    with running_azurite(folder / "store", ServerTls.make(folder / "tls")) as azurite:
        yield azurite


@pytest.fixture
def address(azurite: Azurite) -> str:
    return f"{azurite.endpoint}/{azurite.make_container()}"


def sink(address: str, ca: Path | None, credentials: Path | None = None) -> Sink:
    values = {"blob_container": address, "blob_ca": ca, "blob_credentials": credentials}
    return chosen(StoreEnvironment.model_validate(values), SystemClock())


@pytest.fixture
def credentials(azurite: Azurite, tmp_path: Path) -> Path:
    file = tmp_path / "credentials"
    file.write_text(azurite.connection_string())
    return file


@pytest.fixture
def ca(azurite: Azurite) -> Path:
    assert azurite.tls
    return azurite.tls.certificate


async def put(into: Sink, folder: Path) -> None:
    """Store a file, and find it there."""
    file = folder / "staged"
    file.write_bytes(CONTENT)
    await into.probe()
    await into.put("records/a", file, SHA256)
    assert await into.check("records/a") == SHA256


async def test_a_store_whose_certificate_is_trusted_is_used(
    address: str, ca: Path, credentials: Path, tmp_path: Path
) -> None:
    trusting = sink(address, ca, credentials)
    await put(trusting, tmp_path)
    await trusting.close()


@pytest.mark.parametrize("trusted", ["the usual ones", "another"])
async def test_a_store_with_a_foreign_certificate_is_refused(
    address: str, credentials: Path, tmp_path: Path, trusted: str
) -> None:
    other = ServerTls.make(tmp_path / "other").certificate
    distrusting = sink(address, None if trusted == "the usual ones" else other, credentials)
    with pytest.raises(SinkUnavailableError, match="CERTIFICATE_VERIFY_FAILED"):
        await distrusting.probe()
    await distrusting.close()


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_file_that_holds_no_certificates_is_refused_at_the_start(
    address: str, tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "ca.pem"
    if content:
        file.write_text(content)
    with pytest.raises(ConfigurationError, match=r"BLOB_CA: .*ca\.pem"):
        sink(address, file)


async def test_without_a_mounted_secret_the_machine_s_identity_opens_it(
    address: str, ca: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    endpoint = IdentityEndpoint()
    with endpoint.running():
        identified = sink(address, ca)
        await put(identified, tmp_path)
        await identified.close()
    assert endpoint.resources == ["https://storage.azure.com"]
    assert not [secret for secret in (endpoint.secret, *endpoint.tokens) if secret in caplog.text]


async def test_an_identity_that_cannot_be_had_is_a_denial(address: str, ca: Path) -> None:
    with IdentityEndpoint(refuses=True).running():
        unidentified = sink(address, ca)
        with pytest.raises(SinkDeniedError, match="no identity can be had"):
            await unidentified.probe()
        await unidentified.close()
