"""Which store it is: the environment says."""

import ssl
from pathlib import Path

from edge_common.clock import Clock
from edge_common.errors import ConfigurationError
from edge_upload.settings import StoreEnvironment
from edge_upload.sinks import Sink
from edge_upload.sinks.share import ShareSink

PATIENCE_S = 120.0
"""How long a block may take: 4 MiB in this time are 280 kbit/s."""


def chosen(environment: StoreEnvironment, clock: Clock, memory: Path | None = None) -> Sink:
    """The sink that the environment asks for.

    Args:
        environment: Says where it is.
        clock: Time.
        memory: Where it is kept what kind of file system a share is on; see ``ShareSink``.

    Raises:
        ConfigurationError: It asks for none, or for two.
    """
    if environment.cloud_dir and environment.blob_container:
        raise ConfigurationError("environment: CLOUD_DIR and BLOB_CONTAINER exclude each other")
    if environment.cloud_dir:
        return ShareSink(environment.cloud_dir, memory)
    if environment.blob_container:
        return _blob(environment, environment.blob_container, clock)
    raise ConfigurationError("environment: either CLOUD_DIR or BLOB_CONTAINER must be set, to say where results go")


def _blob(environment: StoreEnvironment, url: str, clock: Clock) -> Sink:
    from edge_upload.sinks.blob.container import Container, Place  # noqa: PLC0415 - the SDK takes 0.6 s to import
    from edge_upload.sinks.blob.credentials import SecretFile  # noqa: PLC0415
    from edge_upload.sinks.blob.sink import BlobSink  # noqa: PLC0415

    if environment.blob_ca:
        _check_certificates(environment.blob_ca)
    secret = SecretFile(environment.blob_credentials) if environment.blob_credentials else None
    place = Place(url, environment.blob_api_version, environment.blob_ca)
    try:
        place.check()
    except ValueError as error:
        raise ConfigurationError(f"environment: BLOB_API_VERSION: {_line(error)}") from error
    return BlobSink(Container(place, secret, PATIENCE_S), clock)


def _line(error: ValueError) -> str:
    return " ".join(str(error).split())


def _check_certificates(ca: Path) -> None:
    """The SDK would say neither which file it is, nor anything before the first request."""
    try:
        ssl.create_default_context(cafile=ca)
    except OSError as error:
        raise ConfigurationError(f"environment: BLOB_CA: {ca} holds no certificates: {error.strerror}") from error
