"""What can be set of this module."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from edge_common.settings import Environment, TwinSettings

Seconds = Annotated[float, Field(gt=0, le=86_400)]
Glob = Annotated[str, Field(min_length=1, max_length=500)]
Globs = Annotated[tuple[Glob, ...], Field(max_length=100)]
Kind = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,50}$")]
Retention = Literal["keep", "delete", "archive"]
Watch = Literal["auto", "inotify", "poll"]


class IngestEnvironment(Environment):
    """What ingest takes from its environment, beside what every module takes.

    Attributes:
        share_dir: The local share's root. It may be absent for a while, as mounted shares are.
    """

    share_dir: Path


class IngestSettings(TwinSettings):
    """What ingest takes from its desired properties.

    Attributes:
        window: Items in flight, at most. The suite's only flow control.
        lease_seconds: How long an answer may take before an item is sent again.
        max_attempts: Losses of an item that had the retry lane to itself while others got through, before quarantine.
        batch_items: Items in a message, at most.
        batch_seconds: How long arrivals and answers are gathered after the last were worked on; and as long again for
            each message that is on its way, unless the answers fill one.
        settle_seconds: How long size and modification time of a file must stand still before it is taken.
        scan_seconds: Time between two scans of the whole share. A scan that takes long is followed by a longer pause.
        inquiry_seconds: Age at which an accepted item is asked about, and the time between two rounds of questions.
        report_seconds: The least time between two reports of the ledger's counts.
        include: Globs of the paths to take; ``**`` crosses folders, case does not matter.
        exclude: Globs of the paths to leave alone, though included.
        max_bytes: A larger file is quarantined.
        retention: What becomes of a file once its item is uploaded.
        kinds: Globs by kind: what fits one, the first by name, is sent with it as the property ``kind``, so that routes
            can lead different files to different models; what fits none has the kind ``items``.
        watch: How changes are noticed between scans: by inotify, by the scans alone, or by what the file system can.
    """

    window: Annotated[int, Field(ge=1, le=10_000)] = 256
    lease_seconds: Seconds = 60
    max_attempts: Annotated[int, Field(ge=1, le=100)] = 3
    batch_items: Annotated[int, Field(ge=1, le=100)] = 32
    batch_seconds: Annotated[float, Field(ge=0, le=10)] = 0.02
    settle_seconds: Annotated[float, Field(ge=0, le=3600)] = 1.0
    scan_seconds: Seconds = 30
    inquiry_seconds: Seconds = 60
    report_seconds: Seconds = 5
    include: Globs = ("**",)
    exclude: Globs = (
        "**/*.{tmp,temp,part,partial,crdownload,swp}",
        "**/~*",
        "**/.*",
        "**/.*/**",
        "**/{thumbs.db,desktop.ini}",
    )
    max_bytes: Annotated[int, Field(ge=1)] = 1 << 30
    retention: Retention = "keep"
    kinds: Annotated[Mapping[Kind, Globs], Field(max_length=20)] = Field(default_factory=dict)
    watch: Watch = "auto"
