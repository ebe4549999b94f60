"""The referee of a fault run: it must find whatever is planted."""

from dataclasses import replace

from chaos.feeder import Delivery
from chaos.found import Entry, Evidence, File, Record
from chaos.referee import judge, unsettled

GOOD = [Delivery(f"{number}.img", f"sha-{number}", number % 3, str(number % 3), 0.0) for number in range(12)]
CRASHER = Delivery("crash.img", "sha-crash", -1, None, 0.0)
FIRST, SECOND = GOOD[0], replace(GOOD[0], sha256="sha-0-rewritten")


def entry(delivery: Delivery, state: str = "done") -> Entry:
    return Entry(f"id-{delivery.sha256}", delivery.path, delivery.sha256, state)


def record(delivery: Delivery) -> Record:
    return Record(f"id-{delivery.sha256}", delivery.path, delivery.sha256, "1.0.0", delivery.label or "")


def file(delivery: Delivery) -> File:
    return File(delivery.path, delivery.sha256)


SOUND = Evidence(
    ledger=[*map(entry, GOOD), entry(CRASHER, "quarantined")],
    records=[*map(record, GOOD)],
    share=[*map(file, GOOD)],
    quarantine={file(CRASHER): "DECODER_CRASHED"},
)


def troubles(evidence: Evidence, retention: str = "keep") -> set[tuple[str, str]]:
    return {(trouble.kind, trouble.path) for trouble in judge([*GOOD, CRASHER], evidence, retention)}


def test_nothing_is_wrong_with_what_is_right() -> None:
    assert troubles(SOUND) == set()
    assert troubles(replace(SOUND, share=[]), "delete") == set()
    assert troubles(replace(SOUND, share=[], archive=SOUND.share), "archive") == set()


def test_a_content_that_is_not_in_the_store_is_lost() -> None:
    assert ("lost", "3.img") in troubles(replace(SOUND, records=[one for one in SOUND.records if one.path != "3.img"]))


def test_a_content_that_is_there_twice_is_duplicated() -> None:
    assert troubles(replace(SOUND, records=[*SOUND.records, SOUND.records[4]])) == {("duplicated", "4.img")}


def test_a_content_that_nobody_wrote_is_wrong() -> None:
    stranger = replace(SOUND.records[5], sha256="sha-torn")
    assert ("wrong", "5.img") in troubles(replace(SOUND, records=[*SOUND.records[:5], stranger, *SOUND.records[6:]]))


def test_a_file_that_is_not_what_its_name_says_is_wrong() -> None:
    assert troubles(replace(SOUND, spoilt=["device=edge/date=2026-01-01/0.parquet"])) == {
        ("wrong", "device=edge/date=2026-01-01/0.parquet")
    }


def test_ledger_and_store_must_agree() -> None:
    gone = replace(SOUND, ledger=[entry(GOOD[0], "gone"), *SOUND.ledger[1:]])
    assert troubles(gone) == {("wrong", "0.img")}


def test_what_is_still_on_its_way_is_unsettled_and_not_lost() -> None:
    older = replace(SOUND, ledger=[*SOUND.ledger, Entry("id", "6.img", "sha-older", "waiting")])
    assert troubles(older) == {("unsettled", "6.img")}
    sent = replace(SOUND, ledger=[entry(GOOD[0], "sent"), *SOUND.ledger[1:]], records=SOUND.records[1:])
    assert troubles(sent) == troubles(sent, "keep") == {("unsettled", "0.img")}
    unknown = replace(sent, ledger=SOUND.ledger[1:])
    assert troubles(unknown) == {("unsettled", "0.img")}
    asked_again = replace(sent, ledger=[*sent.ledger, Entry("id", "0.img", "sha-0", "gone")])
    assert troubles(asked_again) == {("unsettled", "0.img")}
    suspect = replace(SOUND, ledger=[*SOUND.ledger[:-1], entry(CRASHER, "sent")], share=[*SOUND.share, file(CRASHER)])
    assert troubles(replace(suspect, quarantine={})) == {("unsettled", "crash.img")}
    unseen = replace(suspect, ledger=SOUND.ledger[:-1], quarantine={})
    assert troubles(unseen) == {("unsettled", "crash.img")}
    retiring = replace(SOUND, ledger=[entry(GOOD[0], "uploaded"), *SOUND.ledger[1:]], share=[], halfway=["id-sha-0"])
    assert troubles(retiring, "delete") == {("unsettled", "0.img")}


def test_what_is_gone_or_told_to_be_stored_and_is_not_is_lost() -> None:
    sent = replace(SOUND, ledger=[entry(GOOD[0], "sent"), *SOUND.ledger[1:]], records=SOUND.records[1:])
    assert ("lost", "0.img") in troubles(replace(sent, share=SOUND.share[1:]))
    told = replace(sent, ledger=[entry(GOOD[0], "uploaded"), *SOUND.ledger[1:]])
    assert troubles(told) == {("lost", "0.img"), ("unsettled", "0.img")}


def test_the_same_picture_must_have_the_same_label() -> None:
    mixed = replace(SOUND.records[7], label="9")
    assert troubles(replace(SOUND, records=[*SOUND.records[:7], mixed, *SOUND.records[8:]])) == {("wrong", "7.img")}


def test_labels_that_are_wrong_throughout_are_seen() -> None:
    records = [replace(one, label="9") for one in SOUND.records]
    assert troubles(replace(SOUND, records=records)) == {("wrong", "")}


def test_a_file_must_be_where_its_retention_wants_it() -> None:
    assert troubles(replace(SOUND, share=SOUND.share[1:])) == {("wrong", "0.img")}
    assert troubles(replace(SOUND, share=SOUND.share[:1]), "delete") == {("wrong", "0.img")}
    assert troubles(replace(SOUND, share=[], archive=SOUND.share[1:]), "archive") == {("wrong", "0.img")}
    assert troubles(replace(SOUND, halfway=["id"])) == {("wrong", "id")}


def test_only_what_crashes_is_in_quarantine() -> None:
    assert troubles(replace(SOUND, quarantine={})) == {("wrong", "crash.img")}
    assert troubles(replace(SOUND, quarantine={**SOUND.quarantine, file(GOOD[2]): "LOST"})) == {("wrong", "2.img")}


def test_an_overwritten_content_may_be_stored_or_not_but_the_last_one_must() -> None:
    deliveries = [FIRST, SECOND, *GOOD[1:]]
    last = [entry(SECOND), *map(entry, GOOD[1:])]
    evidence = Evidence(
        ledger=[entry(FIRST, "gone"), *last],
        records=[record(SECOND), *map(record, GOOD[1:])],
        share=[file(SECOND), *map(file, GOOD[1:])],
    )
    assert judge(deliveries, evidence, "keep") == []
    both = replace(evidence, ledger=[entry(FIRST), *last], records=[record(FIRST), *evidence.records])
    assert judge(deliveries, both, "keep") == []
    first = replace(evidence, records=[record(FIRST), *evidence.records[1:]])
    assert ("lost", FIRST.path) in {(trouble.kind, trouble.path) for trouble in judge(deliveries, first, "keep")}


def test_what_is_under_way_is_not_settled() -> None:
    deliveries = [FIRST, SECOND, CRASHER]
    assert unsettled(deliveries, [entry(FIRST, "gone"), entry(SECOND), entry(CRASHER, "quarantined")]) == []
    assert unsettled(deliveries, [entry(FIRST, "sent"), entry(SECOND), entry(CRASHER, "waiting")]) == [FIRST, CRASHER]
    assert unsettled(deliveries, []) == [SECOND, CRASHER]
