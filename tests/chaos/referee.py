"""Compares at the end what was written with ledger, share and store. Pure: sets in, troubles out."""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from chaos.feeder import Delivery
from chaos.found import Entry, Evidence, File, Record

Kind = Literal["lost", "duplicated", "wrong", "unsettled"]

SETTLED = frozenset({"done", "quarantined", "gone"})
TOLD = SETTLED | {"uploaded"}
"""States that promise that nothing is to be done any more to have it in the store."""
CRASHED = "DECODER_CRASHED"
"""Why a file is in quarantine whose decoder crashes."""

PUT_ASIDE = re.compile(r"~[0-9a-f]{8}(~[0-9]+)?(?=\.[^./]*$)")
"""What ingest adds to the name of a file that came between its overwriting and its retention."""

AGREEING = 0.8
"""Of the pictures, at least so many must be predicted as what they show."""


@dataclass(frozen=True)
class Trouble:
    """One thing that is not as it should be."""

    kind: Kind
    path: str
    what: str


def home(path: str) -> str:
    """The path under which a file first came."""
    return PUT_ASIDE.sub("", path)


def unsettled(deliveries: Iterable[Delivery], ledger: Sequence[Entry]) -> list[Delivery]:
    """The last content under each path that has not come to its end; and any content that is still under way."""
    ended = {(entry.path, entry.sha256) for entry in ledger if entry.state in {"done", "quarantined"}}
    under_way = {(entry.path, entry.sha256) for entry in ledger if entry.state not in SETTLED}
    last = {delivery.path: delivery for delivery in deliveries}
    return [
        delivery
        for delivery in deliveries
        if (key := (delivery.path, delivery.sha256)) in under_way
        or (delivery is last[delivery.path] and key not in ended)
    ]


def judge(deliveries: Sequence[Delivery], evidence: Evidence, retention: str) -> list[Trouble]:
    """What is not as it should be.

    Args:
        deliveries: All that was written, in order.
        evidence: What was found.
        retention: What was to become of uploaded files: ``keep``, ``archive`` or ``delete``.
    """
    known = {(delivery.path, delivery.sha256): delivery for delivery in deliveries}
    last = list({delivery.path: delivery for delivery in deliveries}.values())
    unsettled = [*_under_way(evidence.ledger), *_unknown(last, evidence)]
    return [
        *unsettled,
        *_lost(last, evidence),
        *_duplicated(evidence.records),
        *_strangers(known, evidence),
        *_disagreements(evidence),
        *_mislabelled(known, evidence.records),
        *_misplaced(*_without({home(trouble.path) for trouble in unsettled}, last, evidence), retention),
    ]


def _under_way(ledger: Iterable[Entry]) -> Iterator[Trouble]:
    for entry in ledger:
        if entry.state not in SETTLED:
            yield Trouble("unsettled", entry.path, f"the ledger still has it as {entry.state}")


def _unknown(last: Iterable[Delivery], evidence: Evidence) -> Iterator[Trouble]:
    known = {(home(entry.path), entry.sha256) for entry in evidence.ledger}
    there = _places(evidence.share)
    for delivery in last:
        if (delivery.path, delivery.sha256) not in known and File(delivery.path, delivery.sha256) in there:
            yield Trouble("unsettled", delivery.path, "it is on the share, and the ledger does not know it")


def _lost(last: Iterable[Delivery], evidence: Evidence) -> Iterator[Trouble]:
    """What is gone, or was told to have come to its end, and is not in the store."""
    stored = {(home(record.path), record.sha256) for record in evidence.records}
    on_its_way = {(home(entry.path), entry.sha256) for entry in evidence.ledger if entry.state not in TOLD}
    told = {(home(entry.path), entry.sha256) for entry in evidence.ledger} - on_its_way
    there = _places(evidence.share)
    for file in _files(last):
        key = (file.path, file.sha256)
        if key not in stored and (key in told or file not in there):
            yield Trouble("lost", file.path, "its content is not in the store")


def _duplicated(records: Iterable[Record]) -> Iterator[Trouble]:
    times = Counter((home(record.path), record.sha256) for record in records)
    for (path, _), count in times.items():
        if count > 1:
            yield Trouble("duplicated", path, f"it is in the store {count} times")


def _strangers(known: Mapping[tuple[str, str], Delivery], evidence: Evidence) -> Iterator[Trouble]:
    for record in evidence.records:
        if (home(record.path), record.sha256) not in known:
            yield Trouble("wrong", record.path, "nobody wrote the content that is in the store")
    for name in evidence.spoilt:
        yield Trouble("wrong", name, "its bytes are not what its name says")
    for file in (*evidence.share, *evidence.archive, *evidence.quarantine):
        if (home(file.path), file.sha256) not in known:
            yield Trouble("wrong", file.path, "nobody wrote the content that is on the share")


def _disagreements(evidence: Evidence) -> Iterator[Trouble]:
    """Ledger and store must tell the same story."""
    done = {(entry.id, entry.path, entry.sha256) for entry in evidence.ledger if entry.state == "done"}
    under_way = {(entry.id, entry.path, entry.sha256) for entry in evidence.ledger if entry.state not in SETTLED}
    stored = {(record.id, record.path, record.sha256) for record in evidence.records}
    for _, path, _ in done - stored:
        yield Trouble("wrong", path, "the ledger has it as stored, the store does not")
    for _, path, _ in stored - done - under_way:
        yield Trouble("wrong", path, "the store has it, the ledger does not say so")


def _mislabelled(known: Mapping[tuple[str, str], Delivery], records: Iterable[Record]) -> Iterator[Trouble]:
    """The same picture has the same label under the same model, whatever went on; and mostly the right one."""
    labels: defaultdict[tuple[int, str], list[tuple[Record, str | None]]] = defaultdict(list)
    for record in records:
        if delivery := known.get((home(record.path), record.sha256)):
            labels[delivery.base, record.model].append((record, delivery.label))
    right = 0
    for group in labels.values():
        common = Counter(record.label for record, _ in group).most_common(1)[0][0]
        right += common == group[0][1]
        for record, _ in group:
            if record.label != common:
                yield Trouble("wrong", record.path, f"it is labelled {record.label}, its like {common}")
    if right < AGREEING * len(labels):
        yield Trouble("wrong", "", f"only {right} of {len(labels)} pictures are labelled as what they show")


def _misplaced(last: Iterable[Delivery], evidence: Evidence, retention: str) -> Iterator[Trouble]:
    """Every file is where it belongs, byte for byte."""
    wanted = _files(last)
    share, archive = _places(evidence.share), _places(evidence.archive)
    if retention == "archive":
        for file in wanted - archive:
            yield Trouble("wrong", file.path, "it is not in the archive")
    expected = wanted if retention == "keep" else Counter[File]()
    for file in expected - share:
        yield Trouble("wrong", file.path, "it is no longer on the share")
    for file in share - expected:
        yield Trouble("wrong", file.path, "it is still on the share")
    for name in evidence.halfway:
        yield Trouble("wrong", name, "it is neither on the share nor in its last place")
    yield from _misjudged(last, evidence.quarantine)


def _without(paths: Collection[str], last: Iterable[Delivery], evidence: Evidence) -> tuple[list[Delivery], Evidence]:
    """All but what has these paths, and is yet to come to its place."""
    ids = {entry.id for entry in evidence.ledger if home(entry.path) in paths}
    rest = replace(
        evidence,
        share=[file for file in evidence.share if home(file.path) not in paths],
        archive=[file for file in evidence.archive if home(file.path) not in paths],
        quarantine={file: code for file, code in evidence.quarantine.items() if home(file.path) not in paths},
        halfway=[name for name in evidence.halfway if name not in ids],
    )
    return [delivery for delivery in last if delivery.path not in paths], rest


def _files(deliveries: Iterable[Delivery]) -> Counter[File]:
    """What is to be stored of what was written."""
    return Counter(File(delivery.path, delivery.sha256) for delivery in deliveries if not delivery.crashes)


def _places(files: Iterable[File]) -> Counter[File]:
    return Counter(File(home(file.path), file.sha256) for file in files)


def _misjudged(last: Iterable[Delivery], quarantine: Mapping[File, str]) -> Iterator[Trouble]:
    crashing = {File(delivery.path, delivery.sha256) for delivery in last if delivery.crashes}
    for file, code in quarantine.items():
        if file not in crashing or code != CRASHED:
            yield Trouble("wrong", file.path, f"it is in quarantine as {code}")
    for file in crashing - quarantine.keys():
        yield Trouble("wrong", file.path, "it crashes its decoder, and is not in quarantine")
