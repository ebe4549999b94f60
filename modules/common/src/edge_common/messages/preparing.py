"""How input is to be prepared: in the live flow, and on trial."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from edge_common.contract import Input
from edge_common.messages.items import Frame, Part
from edge_common.messages.wire import BatchName, Body, Sha256, Wire


class ContractMessage(Body):
    """``inference`` → ``transform``: prepare input like this from now on."""

    stamp: Sha256
    input: Input


class OneFile(Wire):
    """A trial of one file, which is nobody's item: an operator asks what a model says of it, or of its beginning."""

    model_config = ConfigDict(val_json_bytes="base64", ser_json_bytes="base64")

    kind: Literal["file"] = "file"
    content: bytes


class LiveShare(Wire):
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
