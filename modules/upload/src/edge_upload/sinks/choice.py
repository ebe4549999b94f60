"""Which store it is: the environment says."""

from edge_common.clock import Clock
from edge_common.errors import ConfigurationError
from edge_upload.settings import UploadEnvironment
from edge_upload.sinks import Sink
from edge_upload.sinks.share import ShareSink

PATIENCE_S = 120.0
"""How long a block may take: 4 MiB in this time are 280 kbit/s."""


def chosen(environment: UploadEnvironment, clock: Clock) -> Sink:
    """The sink that the environment asks for.

    Raises:
        ConfigurationError: It asks for none, or for two.
    """
    if environment.cloud_dir and environment.blob_container:
        raise ConfigurationError("environment: CLOUD_DIR and BLOB_CONTAINER exclude each other")
    if environment.cloud_dir:
        return ShareSink(environment.cloud_dir, environment.state_dir / "cloud-share.kind")
    if environment.blob_container:
        return _blob(environment, environment.blob_container, clock)
    raise ConfigurationError("environment: either CLOUD_DIR or BLOB_CONTAINER must be set, to say where results go")


def _blob(environment: UploadEnvironment, url: str, clock: Clock) -> Sink:
    from edge_upload.sinks.blob.container import Container, Place  # noqa: PLC0415 - the SDK takes 0.6 s to import
    from edge_upload.sinks.blob.credentials import SecretFile  # noqa: PLC0415
    from edge_upload.sinks.blob.sink import BlobSink  # noqa: PLC0415

    secret = SecretFile(environment.blob_credentials) if environment.blob_credentials else None
    place = Place(url, environment.blob_api_version, environment.blob_ca)
    return BlobSink(Container(place, secret, PATIENCE_S), clock)
