"""Upload's settings."""

from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from edge_common.messages import Mark
from edge_common.settings import Environment, TwinSettings
from edge_upload.windows import Window, parse

Share = Annotated[float, Field(ge=0, le=1)]
Quota = Annotated[int, Field(ge=0)] | None

NAMED: Final = {False: "none", True: "all"}


def _named(value: Any) -> Any:
    """What the release before took for ``features`` is still taken: whether all are stored."""
    return NAMED[value] if isinstance(value, bool) else value


def _checked(text: str) -> str:
    parse(text)
    return text


Choice = Literal["none", "sampled", "all"]


class StoreEnvironment(BaseSettings):
    """Where the store is, and what opens it.

    Attributes:
        cloud_dir: The cloud share: what is written there, the appliance hands to the cloud. Either this is set, or
            ``blob_container``.
        blob_container: The address of a container in a blob store, without a SAS.
        blob_credentials: A mounted file with a connection string or a SAS for it, which may be replaced at any time.
            Where it is not set, the identity counts that azure-identity finds.
        blob_api_version: The version of the Blob service's API that the store speaks, if it is an old one.
        blob_ca: Certificates to trust for it instead of the usual ones, in PEM.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    cloud_dir: Path | None = None
    blob_container: Annotated[str, Field(pattern=r"^https?://[^/?#]+(/[^/?#]+){1,2}$")] | None = None
    blob_credentials: Path | None = None
    blob_api_version: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$")] | None = None
    blob_ca: Path | None = None


class UploadEnvironment(Environment, StoreEnvironment):
    """What upload takes from its environment, beside its store and what every module takes.

    Attributes:
        tensor_dir: The tensor store, read-only; features are read there.
        share_dir: The local share, read-only; originals are read there. Without it none can be chosen.
        iotedge_deviceid: The device's name, set by the IoT Edge runtime; it names the folders in the store.
    """

    tensor_dir: Path
    share_dir: Path | None = None
    iotedge_deviceid: Annotated[str, Field(min_length=1)]


class UploadSettings(TwinSettings):
    """What upload takes from its desired properties.

    Attributes:
        originals: Which files are stored beside their predictions: none, those that are worth it (see ``sample…``),
            or all.
        features: Of which predictions the rows of the tensor that they were made from are stored. Where tensors come
            without predictions, they are stored in any case.
        sample_fraction: Worth sampling: so large a part of all items, by chance. A baseline to judge the model on.
        sample_confidence: Worth sampling: items with a score from the first number to below the second.
        sample_classes: Worth sampling: items with one of these labels.
        sample_marks: Worth sampling: items that the inference module marks so. Of ``drift``, ``disagreement``.
        sample_per_minute: Items that are sampled in a minute, at most; ``null`` for no limit.
        sample_per_hour: Likewise, in an hour.
        sample_per_day: Likewise, in a day (UTC).
        upload_windows: When originals and features are uploaded, such as ``mon-fri 22:00-06:00`` or
            ``sun 00:00-24:00``, in UTC; none for always. Predictions never wait for a window.
        spool_budget_bytes: What the spool may hold.
        spool_full: Beyond the budget, results are deferred until the store has taken some (``wait``), or sampled
            features, and then originals, are given up to make room (``dropLowest``). Predictions are never given up.
        shard_bytes: A shard is cut when so much waits for it in the spool. As a file it is smaller: it is compressed.
        shard_seconds: A shard is cut when something has waited so long for it.
        shard_rows: A shard is cut when so many rows wait for it.
        commit_seconds: How long a result may wait for others, to share one commit to disk with them.
        bandwidth_bytes_per_second: What may be sent to a blob store, in the mean over blocks of 4 MiB. A cloud share's
            bandwidth is the appliance's to limit.
    """

    originals: Choice = "none"
    features: Annotated[Choice, BeforeValidator(_named)] = "none"
    sample_fraction: Share = 0.01
    sample_confidence: tuple[Share, Annotated[float, Field(ge=0)]] | None = None
    sample_classes: tuple[str, ...] = ()
    sample_marks: tuple[Mark, ...] = (Mark.DRIFT, Mark.DISAGREEMENT)
    sample_per_minute: Quota = None
    sample_per_hour: Quota = None
    sample_per_day: Quota = None
    upload_windows: tuple[Annotated[str, AfterValidator(_checked)], ...] = ()
    spool_budget_bytes: Annotated[int, Field(ge=1 << 16)] = 1 << 30
    spool_full: Literal["wait", "dropLowest"] = "wait"
    shard_bytes: Annotated[int, Field(ge=1 << 10)] = 64 << 20
    shard_seconds: Annotated[float, Field(gt=0, le=86_400)] = 60.0
    shard_rows: Annotated[int, Field(ge=1, le=10_000_000)] = 100_000
    commit_seconds: Annotated[float, Field(ge=0, le=1)] = 0.005
    bandwidth_bytes_per_second: Annotated[int, Field(ge=1 << 10)] | None = None

    @model_validator(mode="after")
    def _band_has_an_inside(self) -> Self:
        if self.sample_confidence and not self.sample_confidence[0] < self.sample_confidence[1]:
            raise ValueError("sampleConfidence: the first number must be less than the second")
        return self

    @property
    def windows(self) -> tuple[Window, ...]:
        """The upload windows."""
        return tuple(map(parse, self.upload_windows))
