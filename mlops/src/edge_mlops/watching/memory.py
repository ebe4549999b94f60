"""What a watch remembers from one look to the next: ``watch.json``, written whole when a round has ended.

A round that was cut short is not remembered: the next look finds the same reasons, and the steps what they had made.
"""

import fcntl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from edge_common.files import write_atomically
from edge_mlops.errors import WatchError

MEMORY: Final = "watch.json"
LOCK: Final = "watch.lock"

Result = Literal["nothing", "unchanged", "refused", "published", "active", "rolledBack"]
"""What a look has led to.

- ``nothing``: there was no reason,
- ``unchanged``: there was one, and it led to the model that was brought out last,
- ``refused``: by the gate,
- ``published``: signed, and where devices find it; the plan says nothing of a rollout,
- ``active``: on the devices,
- ``rolledBack``: the devices are back on what they had.
"""


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True, alias_generator=to_camel, validate_by_name=True, serialize_by_alias=True)


class Outcome(_Kept):
    """What a look has led to.

    Attributes:
        at: When it began.
        result: Which way it ended.
        reasons: Why there was a round.
        detail: Why a model was refused, or taken back.
        dataset: The folder of the version.
        run: The folder.
        version: The model's, if it was packed.
        reference: That a twin takes.
        seconds: That each step took.
    """

    at: datetime
    result: Result
    reasons: Sequence[str] = ()
    detail: str = ""
    dataset: Path | None = None
    run: Path | None = None
    version: str | None = None
    reference: str | None = None
    seconds: Mapping[str, float] = Field(default_factory=dict)


class Memory(_Kept):
    """What is remembered.

    Attributes:
        schema_: 1.
        method: Digest of what trained and judged in the last round; None before the first.
        dataset: The folder of the last round's.
        brought_out: The run whose model was published last, whether devices kept it or not.
        active: The version that they were given last, and kept.
        last: How the last round ended, for whoever wants to know.
    """

    schema_: Annotated[Literal[1], Field(alias="schema")] = 1
    method: str | None = None
    dataset: Path | None = None
    brought_out: Path | None = None
    active: str | None = None
    last: Outcome | None = None

    @classmethod
    def read(cls, folder: Path) -> "Memory":
        """What is remembered in a folder.

        Raises:
            WatchError: It cannot be read.
        """
        file = folder / MEMORY
        if not file.exists():
            return cls()
        try:
            return cls.model_validate_json(file.read_bytes())
        except (OSError, ValidationError) as error:
            raise WatchError(f"{file} cannot be read ({str(error).splitlines()[0]})") from error

    def write(self, folder: Path) -> None:
        """Keep it.

        Raises:
            OSError: The disk refuses.
        """
        write_atomically(folder / MEMORY, self.model_dump_json(indent=2).encode() + b"\n")


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Be the only one who watches in a folder, which is made if it is not there.

    Raises:
        WatchError: Somebody else does.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise WatchError(f"another watch is at work in {folder}") from error
        yield
