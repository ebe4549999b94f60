"""What a deployment manifest says, typed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

from edge_simulator.manifest.images import Project

JsonObject = Mapping[str, Any]
LAST_TO_START: Final = 4_294_967_295

Status = Literal["running", "stopped"]
RestartPolicy = Literal["never", "on-failure", "on-unhealthy", "always"]
PullPolicy = Literal["never", "on-create"]
STATUSES: Final = get_args(Status)
RESTART_POLICIES: Final = get_args(RestartPolicy)
PULL_POLICIES: Final = get_args(PullPolicy)


@dataclass(frozen=True, slots=True)
class Mount:
    """A folder of the host, a named volume or memory, as a module sees it at `target`."""

    source: str
    target: str
    kind: Literal["bind", "volume", "tmpfs"]
    read_only: bool


@dataclass(frozen=True, slots=True)
class CreateOptions:
    """The part of Docker's create-container request that matters without Docker; `raw` is the whole of it."""

    env: Mapping[str, str]
    entrypoint: tuple[str, ...] | None
    cmd: tuple[str, ...] | None
    working_dir: str | None
    binds: list[Mount]
    mounts: list[Mount]
    tmpfs: Mapping[str, str]
    raw: JsonObject


@dataclass(frozen=True, slots=True)
class Login:
    """What a container registry lets one in with."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ModuleSpec:
    """A module as edgeAgent starts it; `command` is empty when neither createOptions nor a Dockerfile tells it.

    `login` is for the registry of its image, where the deployment has one.
    """

    name: str
    image: str
    status: Status
    restart_policy: RestartPolicy
    startup_order: int
    env: Mapping[str, str]
    options: CreateOptions
    command: tuple[str, ...]
    pull_policy: PullPolicy = "on-create"
    login: Login | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """A deployment: the desired properties of `$edgeHub`, of `$edgeAgent`, and of each module (`twins`).

    `project` tells the commands of its images.
    """

    hub: JsonObject
    agent: JsonObject
    modules: Mapping[str, ModuleSpec]
    twins: Mapping[str, JsonObject]
    project: Project
