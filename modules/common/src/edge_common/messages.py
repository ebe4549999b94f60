"""What the modules say to each other: references and verdicts, never data.

Every body is JSON with a ``schema`` number. Readers take their own schema and the one before, and ignore fields that
they do not know, so that modules can be updated one at a time. Bodies stay under ``MAX_BODY_BYTES``, but for the one
that carries a file that an operator asks about.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from edge_common.contract import Input
from edge_common.errors import MalformedMessageError

T = TypeVar("T", bound=BaseModel)

SCHEMA: Final = 1
MAX_BODY_BYTES: Final = 16_000
"""A send of more than some 16 KB can stall on Nagle's algorithm between client and hub."""

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
ItemId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
LedgerId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
Count = Annotated[int, Field(ge=0, le=(1 << 31) - 1)]
"""From 0; fits 32 bits, as the columns and tables do that keep it."""
Ordinal = Annotated[int, Field(ge=1, le=(1 << 31) - 1)]
"""From 1; fits 32 bits as well."""
BatchName = Annotated[str, Field(pattern=r"^[0-9A-Za-z_-]{1,100}$")]


def _relative(path: str) -> str:
    parts = path.split("/")
    if not path or path.startswith("/") or ".." in parts or "\0" in path:
        raise ValueError("must be a relative path without '..'")
    return path


SharePath = Annotated[str, AfterValidator(_relative)]


class _Wire(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=to_camel, validate_by_name=True, validate_by_alias=True
    )


class Body(_Wire):
    """A message's body."""

    schema_: Annotated[int, Field(alias="schema", ge=SCHEMA - 1, le=SCHEMA)] = SCHEMA

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """Read a body.

        Raises:
            MalformedMessageError: It is not JSON, or not of this kind, or of a schema that this release cannot read.
        """
        try:
            return cls.model_validate_json(body)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"])) or "body"
            raise MalformedMessageError(f"{cls.__name__}: {where}: {first['msg']}") from None

    def encode(self) -> bytes:
        """The body as JSON, UTF-8."""
        return self.model_dump_json(by_alias=True, exclude_none=True).encode()


class Item(_Wire):
    """One file on the share, as it was seen first.

    Attributes:
        id: Derived from path, content and generation (see ``edge_ingest.identity``).
        path: Relative to the share's root, POSIX.
        sha256: Of the content that ingest read; whoever reads it again compares.
        size: Bytes.
        captured: The file's modification time at first sight.
        date: The day that the item is filed under; fixed at first sight.
        generation: Raised on purpose to process a kept file again.
        attempt: Counts the sends of this item, from 1; tells late answers from current ones.
    """

    id: ItemId
    path: SharePath
    sha256: Sha256
    size: Annotated[int, Field(ge=0)]
    captured: datetime
    date: date
    generation: Count = 0
    attempt: Ordinal


class ItemsMessage(Body):
    """``ingest`` → ``transform``: files to prepare.

    Attributes:
        lease_seconds: How long ingest waits for a receipt before it sends them again; what was made of them is of no
            use after that.
        items: The files.
        alone: Whether what is named was lost so often that it might bring down who works on it.
    """

    lease_seconds: Annotated[float, Field(gt=0)]
    alone: bool = False
    items: Annotated[tuple[Item, ...], Field(min_length=1)]


class Frame(_Wire):
    """Where a sample lies in the picture that it was made of.

    Attributes:
        width: The picture's, upright, in pixels.
        height: Likewise.
        box: What the sample shows of it: left, top, right, bottom, in its pixels; a letterbox reaches beyond it.
    """

    width: Ordinal
    height: Ordinal
    box: tuple[float, float, float, float]


class Part(_Wire):
    """Rows of one item in one batch.

    Attributes:
        item: The item that the rows are from.
        part: Counts the parts of one attempt, from 0.
        last: Whether the item has no further parts.
        first: The first of its rows in the batch.
        rows: How many of the batch's rows are its.
        frames: Where the rows lie in their pictures, or one for all rows; none where that is unknown.
    """

    item: Item
    part: Count = 0
    last: bool = True
    first: Count
    rows: Ordinal
    frames: tuple[Frame, ...] = ()

    @model_validator(mode="after")
    def _one_frame_a_row(self) -> Self:
        if len(self.frames) not in {0, 1, self.rows}:
            raise ValueError(f"{len(self.frames)} frames for {self.rows} rows")
        return self

    @property
    def each_frame(self) -> tuple[Frame | None, ...]:
        """One for each row."""
        every = self.frames or (None,)
        return every if len(every) == self.rows else every * self.rows


class TensorsMessage(Body):
    """``transform`` → ``inference`` (or → ``upload``, to collect): a batch in the tensor store.

    Attributes:
        batch: Its name in the tensor store.
        stamp: The digest of the contract's input half that it was prepared under.
        parts: Whose rows it holds; together they cover the batch.
    """

    batch: BatchName
    stamp: Sha256
    parts: Annotated[tuple[Part, ...], Field(min_length=1)]


class ModelIdentity(_Wire):
    """Which model made a prediction; ``digest`` is that of its package's manifest (``sha256:…``)."""

    name: str
    version: str
    digest: Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]


class Mark(StrEnum):
    """Why an item is worth more than others to whoever trains the next model."""

    DRIFT = "drift"
    """It came while the input drifted away from what the model was trained on."""
    DISAGREEMENT = "disagreement"
    """A candidate model, run beside the active one, says something else."""


class PredictedPart(Part):
    """A part with what the model says of it.

    Attributes:
        predictions: One mapping of column to value for each row.
        marks: What is known at once to make it worth sampling.
    """

    predictions: tuple[Mapping[str, Any], ...]
    marks: tuple[Mark, ...] = ()


class PredictionsMessage(Body):
    """``inference`` → ``upload`` and ``$upstream``: what the model says of a batch, or of some of its parts.

    Attributes:
        batch: The batch's name in the tensor store, where the features still are.
        stamp: The contract that the batch was prepared under.
        kind: The output's kind, such as ``classification``.
        model: Which model made the predictions.
        columns: The types of columns (see ``edge_upload.columns``) that not every row's value tells.
        parts: One for each part of the batch.
    """

    batch: BatchName
    stamp: Sha256
    kind: str
    model: ModelIdentity
    columns: Mapping[str, str] = Field(default_factory=dict)
    parts: Annotated[tuple[PredictedPart, ...], Field(min_length=1)]


class Hint(_Wire):
    """What was found out about an item after its predictions were sent."""

    id: ItemId
    attempt: Ordinal
    mark: Mark


class HintsMessage(Body):
    """``inference`` → ``upload``: items worth sampling after all. Only wishes: one that comes late is no loss."""

    hints: Annotated[tuple[Hint, ...], Field(min_length=1)]


class FeatureDrift(_Wire):
    """How far one feature has drifted: population stability index and Kolmogorov-Smirnov statistic."""

    name: str
    psi: float
    ks: float


class DriftAlert(Body):
    """``inference`` → ``$upstream``: input drift has started, or ended.

    Attributes:
        state: Which of the two.
        cause: The ``input`` itself, or that another ``model`` is active, for which it is judged anew.
        model: What the input drifted away from.
        at: When that was seen.
        since: When it started.
        features: The worst, the worst first.
    """

    state: Literal["started", "ended"]
    cause: Literal["input", "model"]
    model: ModelIdentity
    at: datetime
    since: datetime
    features: tuple[FeatureDrift, ...] = ()


class ReceiptStatus(StrEnum):
    """What ``upload`` has done with an item, or with a part of it."""

    PART = "part"
    """The part is on upload's disk; others are missing. Renews the lease."""
    ACCEPTED = "accepted"
    """All of the item is on upload's disk. Frees the window; it need not be sent again."""
    UPLOADED = "uploaded"
    """All that the policy selected of the item is in the store, checked. The file may go."""
    DEFERRED = "deferred"
    """The spool is full. Hold the lease."""
    UNKNOWN = "unknown"
    """Answer to an inquiry: never heard of it. Send again."""


class Receipt(_Wire):
    """One verdict.

    Attributes:
        part: The part that it is about; none where it answers an inquiry or tells of an upload.
        model: The digest of the model that the stored predictions are from, where there is one.
        durable: Where an *uploaded* item is durable: in the ``cloud``, or on the ``appliance`` that hands it there.
    """

    id: ItemId
    attempt: Ordinal
    part: int | None = None
    status: ReceiptStatus
    model: str | None = None
    durable: Literal["cloud", "appliance"] | None = None


class ReceiptsMessage(Body):
    """``upload`` → ``ingest`` and ``transform``: what became of items."""

    receipts: Annotated[tuple[Receipt, ...], Field(min_length=1)]


class Reject(_Wire):
    """A stage cannot process an item.

    Attributes:
        stage: The module that says so.
        code: For machines, such as ``DECODE_FAILED``.
        message: One sentence for people.
        retryable: Whether sending the item again can help; if not, it is quarantined.
    """

    id: ItemId
    attempt: Ordinal
    stage: str
    code: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]
    message: Annotated[str, Field(max_length=2000)]
    retryable: bool


class RejectsMessage(Body):
    """Any stage → ``ingest``: items that it cannot process."""

    rejects: Annotated[tuple[Reject, ...], Field(min_length=1)]


class Inquiry(_Wire):
    """A question about one item that was accepted in that attempt."""

    id: ItemId
    attempt: Ordinal


class InquiriesMessage(Body):
    """``ingest`` → ``upload``: what became of these? And: these are settled, forget them.

    Attributes:
        ask: Answered by a receipt each: accepted, uploaded or unknown.
        settled: Items whose end is in the ledger; upload's index may let them go.
    """

    ask: tuple[Inquiry, ...] = ()
    settled: tuple[ItemId, ...] = ()


class Event(_Wire):
    """Something that happened to an item.

    Attributes:
        number: Counts the events of one ledger, from 1 and without gaps: no event is missed unnoticed.
        event: ``seen``, or the state that the item has got in the ledger.
        attempt: How often the item had been sent by then.
        at: When, in seconds since 1970.
        code: Of the reject, where there was one; ``stage`` and ``reason`` likewise.
    """

    number: Annotated[int, Field(ge=1)]
    event: Annotated[str, Field(pattern=r"^[a-z]{1,30}$")]
    attempt: Count
    at: Annotated[float, Field(allow_inf_nan=False)]
    code: str | None = None
    stage: str | None = None
    reason: str | None = None


class ItemHistory(_Wire):
    """What happened to one item.

    Attributes:
        sha256: Of the item's content; empty where it could not be read.
        events: In their order.
    """

    id: ItemId
    path: str
    sha256: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")]
    size: Annotated[int, Field(ge=0)]
    date: date
    generation: Count
    events: Annotated[tuple[Event, ...], Field(min_length=1)]


class HistoryMessage(Body):
    """``ingest`` → ``upload``: what happened to items, to be stored with the results.

    Attributes:
        ledger: Which ledger: a lost one is followed by one with another name, whose numbers begin anew.
        items: Whom it happened to.
    """

    ledger: LedgerId
    items: Annotated[tuple[ItemHistory, ...], Field(min_length=1)]


class KeptMessage(Body):
    """``upload`` → ``ingest``: the events with these numbers are on upload's disk; the ledger may let them go."""

    ledger: LedgerId
    numbers: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1)]


class ContractMessage(Body):
    """``inference`` → ``transform``: prepare input like this from now on."""

    stamp: Sha256
    input: Input


class OneFile(_Wire):
    """A trial of one file, which is nobody's item: an operator asks what a model says of it, or of its beginning."""

    model_config = ConfigDict(val_json_bytes="base64", ser_json_bytes="base64")

    kind: Literal["file"] = "file"
    content: bytes


class LiveShare(_Wire):
    """A trial on live items: so many of them are prepared a second time, of those with many samples the first."""

    kind: Literal["live"] = "live"
    share: Annotated[float, Field(gt=0, le=1)]


class TrialMessage(Body):
    """``inference`` → ``transform``: prepare this, too, under another contract than the one in force.

    What is prepared on trial is outside the window: nobody waits for receipts, and it gives way to everything else.

    Attributes:
        trial: Comes back with what was prepared. Sent again, it goes on for ``seconds`` from then.
        input: The contract's half to prepare under.
        seconds: How long the answer is of any use; a trial on live items ends then.
        source: What is prepared.
    """

    trial: BatchName
    input: Input
    seconds: Annotated[float, Field(gt=0, le=3600)]
    source: Annotated[OneFile | LiveShare, Field(discriminator="kind")]


class TrialBatchMessage(Body):
    """``transform`` → ``inference``: a batch that was prepared on trial.

    Attributes:
        trial: Whose.
        batch: Its name in the tensor store; none where there is nothing in it.
        parts: Whose rows it holds; none where it holds one file's.
        frames: Where the rows of one file lie in its picture.
        more: Whether one file holds more samples than these, which are its first.
        refusal: Why one file could not be prepared: a code, a colon, a sentence.
    """

    trial: BatchName
    batch: BatchName | None = None
    parts: tuple[Part, ...] = ()
    frames: tuple[Frame, ...] = ()
    more: bool = False
    refusal: Annotated[str, Field(max_length=2100)] | None = None


def chunks(entries: Iterable[T], most: int, budget: int = MAX_BODY_BYTES - 500) -> Iterator[Sequence[T]]:
    """Cut entries into runs that each fit a message.

    Args:
        entries: What the messages are to carry.
        most: Entries in a run, at most.
        budget: Bytes of JSON in a run, at most; an entry that is larger goes alone.
    """
    run: list[T] = []
    used = 0
    for entry in entries:
        size = len(entry.model_dump_json(by_alias=True, exclude_none=True).encode()) + 1
        if run and (len(run) >= most or used + size > budget):
            yield run
            run, used = [], 0
        run.append(entry)
        used += size
    if run:
        yield run
