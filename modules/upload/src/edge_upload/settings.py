"""Upload's settings."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from edge_common.settings import Environment, TwinSettings


class UploadEnvironment(Environment):
    """What upload takes from its environment, beside what every module takes.

    Attributes:
        tensor_dir: The tensor store, read-only; features are read there.
        cloud_dir: The cloud share: what is written there, the appliance hands to the cloud. Either this is set, or
            ``blob_container``.
        blob_container: The address of a container in a blob store, without a SAS.
        blob_credentials: A mounted file with a connection string or a SAS for it, which may be replaced at any time.
            Where it is not set, the identity counts that azure-identity finds.
        blob_api_version: The version of the Blob service's API that the store speaks, if it is an old one.
        blob_ca: Certificates to trust for it instead of the usual ones, in PEM.
        iotedge_deviceid: The device's name, set by the IoT Edge runtime; it names the folders in the store.
    """

    tensor_dir: Path
    cloud_dir: Path | None = None
    blob_container: Annotated[str, Field(pattern=r"^https?://[^/?#]+(/[^/?#]+){1,2}$")] | None = None
    blob_credentials: Path | None = None
    blob_api_version: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$")] | None = None
    blob_ca: Path | None = None
    iotedge_deviceid: Annotated[str, Field(min_length=1)]


class UploadSettings(TwinSettings):
    """What upload takes from its desired properties.

    Attributes:
        features: Whether predictions are stored together with the rows of the tensor that they were made from. Where
            tensors come without predictions, they are stored in any case.
        spool_budget_bytes: What the spool may hold; beyond it results are deferred, until the store has taken some.
        shard_bytes: A shard is cut when so much waits for it in the spool. As a file it is smaller: it is compressed.
        shard_seconds: A shard is cut when something has waited so long for it.
        shard_rows: A shard is cut when so many rows wait for it.
        commit_seconds: How long a result may wait for others, to share one commit to disk with them.
        bandwidth_bytes_per_second: What may be sent to a blob store, in the mean over blocks of 4 MiB. A cloud share's
            bandwidth is the appliance's to limit.
    """

    features: bool = False
    spool_budget_bytes: Annotated[int, Field(ge=1 << 16)] = 1 << 30
    shard_bytes: Annotated[int, Field(ge=1 << 10)] = 64 << 20
    shard_seconds: Annotated[float, Field(gt=0, le=86_400)] = 60.0
    shard_rows: Annotated[int, Field(ge=1, le=10_000_000)] = 100_000
    commit_seconds: Annotated[float, Field(ge=0, le=1)] = 0.005
    bandwidth_bytes_per_second: Annotated[int, Field(ge=1 << 10)] | None = None
